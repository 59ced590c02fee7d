"""What RetentionCast and lifetimes do in the benchmark of the models: `python -m benchmarks.models.tasks TASK FOLDER`.

A process is one contender at one task. It warms up on a small shop (compiling counts there), does the task once more
than it has to be for a median, and prints what it measured as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.models.families import FAMILIES
from benchmarks.models.pymc_marketing_task import HORIZON_WEEKS, NAMES, SCORED_DRAWS, peak_memory_mb
from benchmarks.models.shops import PARAMETERS, draw_shop, read_shop, with_parameters
from retentioncast.models import BetaGeo
from retentioncast.models.arrays import Floats
from retentioncast.models.clv.over_draws import over_draws

Rows = tuple[Floats, Floats, Floats]
REPEATED = 3
INTERVAL = 0.8


def fit(rows: Rows, folder: Path) -> None:
    """The maximum of the likelihood."""
    np.save(folder / "fitted.npy", list(BetaGeo().fit(*rows).params_.values()))


def fit_lifetimes(rows: Rows, folder: Path) -> None:
    """The same by lifetimes' own fitter."""
    from lifetimes import BetaGeoFitter

    fitted = BetaGeoFitter().fit(*rows).params_
    np.save(folder / "fitted_lifetimes.npy", [float(fitted[name]) for name in NAMES])


def posterior(rows: Rows, folder: Path) -> None:
    """Draws of the posterior."""
    model = BetaGeo().fit(*rows, method="laplace", seed=1)
    assert model.posterior_ is not None
    np.save(folder / "our_draws.npy", model.posterior_.draws)


def score(rows: Rows, folder: Path) -> None:
    """P(alive) and expected purchases of all customers over 200 draws: mean and interval."""
    draws, model = _draws(rows, folder), with_parameters(BetaGeo(), PARAMETERS)

    def both(x: Floats, t_x: Floats, age: Floats, parameters: Floats) -> Floats:
        alive = model.probability_alive(x, t_x, age, parameters)
        return np.stack([alive, alive * model.expected_purchases_if_alive(HORIZON_WEEKS, x, age, parameters)])

    told = over_draws(both, rows, draws, INTERVAL)
    np.save(folder / "our_scores.npy", np.stack([told.mean, told.low, told.high], axis=1))


def _draws(rows: Rows, folder: Path) -> Floats:
    """Those that pymc-marketing scores with where it has fitted this shop, else drawn around the truth."""
    file = folder / "draws.npy"
    drawn: Floats = np.load(file) if file.exists() else np.exp(
        np.log(list(PARAMETERS.values())) + 0.02 * np.random.default_rng(1).standard_normal((SCORED_DRAWS, 4))
    )  # fmt: skip
    return drawn[:: len(drawn) // SCORED_DRAWS][:SCORED_DRAWS]


TASKS: dict[str, Callable[[Rows, Path], None]] = {
    "fit": fit, "fit_lifetimes": fit_lifetimes, "posterior": posterior, "score": score,
}  # fmt: skip


def measure(task: Callable[[], None], repeated: int) -> dict[str, float]:
    """Medians of the clock's seconds and of those that the process had a core."""
    seconds, cpu = [], []
    for _ in range(repeated):
        begun, at = time.process_time(), time.perf_counter()
        task()
        seconds.append(time.perf_counter() - at)
        cpu.append(time.process_time() - begun)
    return {"seconds": statistics.median(seconds), "cpu_s": statistics.median(cpu)}


def _family(name: str) -> tuple[Callable[[], None], Callable[[], None]]:
    return lambda: FAMILIES[name].fit(1000), FAMILIES[name].prepare()


def _task(name: str, folder: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    """What warms up, and what is measured."""
    x, t_x, age = draw_shop(1000, 1).to_numpy().T
    rows, scratch = read_shop(folder), folder / "warm"
    scratch.mkdir(exist_ok=True)
    return lambda: TASKS[name]((x, t_x, age), scratch), lambda: TASKS[name](rows, folder)


def main(name: str, folder: Path) -> dict[str, float]:
    """One task in this process."""
    warnings.simplefilter("ignore")  # lifetimes takes logarithms of 0 on its way
    warm, task = _family(name) if name in FAMILIES else _task(name, folder)
    begun = time.perf_counter()
    warm()
    warm_up = time.perf_counter() - begun
    repeated = 1 if len(sys.argv) > 3 and sys.argv[3] == "once" else REPEATED
    measured = measure(task, repeated)
    return {**measured, "warm_up_s": warm_up, "memory_mb": peak_memory_mb()}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
