"""The shops that every contender is given: two years of customers with CDNOW's parameters, recorded by the day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from retentioncast.models import BetaGeo
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.dropout import DropoutModel
from retentioncast.models.btyd.lifetime import LifetimeModel
from retentioncast.models.btyd.likelihood_model import LikelihoodModel
from retentioncast.models.uncertainty.priors import priors_of

PARAMETERS = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
LONGEST_DAYS = 728


def draw_shop(
    customers: int, seed: int, *, days: bool = True, model: DropoutModel | LifetimeModel | None = None
) -> pd.DataFrame:
    """frequency, recency and T in weeks of customers who came on any day of two years; purchases fall on whole days,
    unless told otherwise: then no two customers with a repeat purchase are alike. Of BG/NBD, or of the model given."""
    model = model or with_parameters(BetaGeo(), PARAMETERS)
    age = np.random.default_rng([seed, 1]).integers(7, LONGEST_DAYS, customers, endpoint=True)
    sampled = model.sample(customers, age / 7, seed)
    x, recency = sampled["frequency"].to_numpy(dtype=np.float64), sampled["recency"].to_numpy() * 7
    if days:
        recency = np.where(x > 0, np.ceil(recency), 0.0)
        x = np.minimum(x, recency)
    return pd.DataFrame({"frequency": x, "recency": recency / 7, "T": age / 7})


def with_parameters[Model: LikelihoodModel](model: Model, parameters: Mapping[str, float]) -> Model:
    """The model as if it had been fitted."""
    model.params_ = dict(parameters)
    return model


def write_shop(folder: Path, customers: int, seed: int = 2) -> None:
    """As files that any environment can read: rows.npy and the priors of the logs of the parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "priors.json").exists():
        return
    np.save(folder / "rows.npy", draw_shop(customers, seed).to_numpy())
    priors = {name: (prior.centre(), prior.spread) for name, prior in priors_of("BetaGeo", tuple(PARAMETERS)).items()}
    (folder / "priors.json").write_text(json.dumps(priors), encoding="utf-8")


def read_shop(folder: Path) -> tuple[Floats, Floats, Floats]:
    """frequency, recency, T."""
    x, t_x, age = (np.ascontiguousarray(column) for column in np.load(folder / "rows.npy").T)
    return x, t_x, age
