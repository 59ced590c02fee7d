"""What pymc-marketing does in the benchmark of the models: run by the Python of an environment of its own.

`python pymc_marketing_task.py TASK FOLDER` reads rows.npy (frequency, recency, T in weeks) and priors.json of the
folder and prints what it measured as JSON. Nothing of RetentionCast is imported: the two environments share files only.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

CHAINS, CORES, TUNE, DRAWS = 4, 2, 500, 500
SCORED_DRAWS, HORIZON_WEEKS, INTERVAL = 200, 90 / 7, (0.1, 0.9)
NAMES = ("r", "alpha", "a", "b")


def posterior(folder: Path) -> dict[str, float]:
    """NUTS by nutpie on all customers; the seconds of compiling the model are told apart from those of sampling."""
    import nutpie
    from arviz_stats.base import array_stats

    begun = time.perf_counter()
    model = _model(folder)
    model.build_model(_customers(folder))
    compiled = nutpie.compile_pymc_model(model.model)
    ready, cpu = time.perf_counter(), time.process_time()
    trace = nutpie.sample(
        compiled, chains=CHAINS, cores=CORES, tune=TUNE, draws=DRAWS, seed=1, progress_bar=False, save_warmup=False
    )
    done, cpu = time.perf_counter(), time.process_time() - cpu
    draws = np.stack([trace["posterior"][name].to_numpy() for name in NAMES], axis=-1)
    np.save(folder / "draws.npy", draws.reshape(-1, len(NAMES)))
    ess = min(float(array_stats.ess(draws[:, :, i])) for i in range(len(NAMES)))
    return {"warm_up_s": ready - begun, "seconds": done - ready, "cpu_s": cpu, "ess": ess}


def score(folder: Path) -> dict[str, float]:
    """P(alive) and expected purchases of every customer, for each of 200 draws, with their mean and interval."""
    import xarray as xr

    draws = np.load(folder / "draws.npy")
    thinned = draws[:: len(draws) // SCORED_DRAWS][:SCORED_DRAWS]
    model, customers = _model(folder), _customers(folder)
    model.build_model(customers.head(2))
    columns = {name: (("chain", "draw"), thinned[None, :, i]) for i, name in enumerate(NAMES)}
    model.idata = xr.DataTree.from_dict({"posterior": xr.Dataset(columns)})
    begun, cpu = time.perf_counter(), time.process_time()
    told = []
    alive, purchases = model.expected_probability_alive, model.expected_purchases
    for predict, how in ((alive, {}), (purchases, {"future_t": HORIZON_WEEKS})):
        drawn = predict(customers, **how).to_numpy().reshape(SCORED_DRAWS, -1)
        told.append([drawn.mean(axis=0), *np.quantile(drawn, INTERVAL, axis=0)])
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    np.save(folder / "pymc_marketing_scores.npy", np.array(told))
    return {"seconds": seconds, "cpu_s": cpu, "warm_up_s": 0.0}


def peak_memory_mb() -> float:
    """This process's peak; that of getrusage would be its parent's where that was larger."""
    status = Path("/proc/self/status")
    if status.exists():
        return float(status.read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _model(folder: Path) -> Any:
    from pymc_extras.prior import Prior
    from pymc_marketing.clv import BetaGeoModel

    priors = json.loads((folder / "priors.json").read_text(encoding="utf-8"))
    config = {name: Prior("LogNormal", mu=mu, sigma=sigma) for name, (mu, sigma) in priors.items()}
    return BetaGeoModel(model_config=config)


def _customers(folder: Path) -> pd.DataFrame:
    rows = np.load(folder / "rows.npy")
    columns = dict(zip(("frequency", "recency", "T"), rows.T, strict=True))
    return pd.DataFrame({"customer_id": np.arange(len(rows)), **columns})


if __name__ == "__main__":
    asked, place = sys.argv[1], Path(sys.argv[2])
    measured = {"posterior": posterior, "score": score}[asked](place)
    print(json.dumps({**measured, "memory_mb": peak_memory_mb()}))
