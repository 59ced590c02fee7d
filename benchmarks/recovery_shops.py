"""Shops drawn from a model's own priors: parameters, then what the model's generative twin makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import Any
from zlib import crc32

import numpy as np

import retentioncast.models.btyd
import retentioncast.models.subscription
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood_model import LikelihoodModel
from retentioncast.models.uncertainty.priors import sample_priors

#: Customers of a shop: few enough for the priors to matter, many enough for the data to.
CUSTOMERS = 300
_WEEKS = 7.0


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """True parameters (k,) in the model's order, the columns that `fit` takes, and a seed for the fit."""

    truth: Floats
    columns: tuple[Floats, ...]
    seed: int


def models() -> dict[str, type[Any]]:
    """Every model that is fitted by its likelihood, by name, found in the rooms of the models."""
    for room in (retentioncast.models.btyd, retentioncast.models.subscription):
        for module in iter_modules(room.__path__, f"{room.__name__}."):
            import_module(module.name)
    return {model.__name__: model for model in sorted(_below(LikelihoodModel), key=lambda model: model.__name__)}


def draw_shop(model_class: type[Any], number: int) -> Shop:
    """The shop of this number: the same on every machine. Parameters, customers and fit have seeds of their own."""
    model = model_class()
    of_truth, of_design, of_sample, of_fit = np.random.SeedSequence(
        [crc32(model_class.__name__.encode()), number]
    ).spawn(4)
    truth = sample_priors(model.priors(), 1, _whole(of_truth), model.days_per_unit())[0]
    model.params_ = dict(zip(model.parameter_names, truth.tolist(), strict=True))
    columns = _design(model_class)(model, np.random.default_rng(of_design), _whole(of_sample))
    return Shop(truth, columns, _whole(of_fit))


def _purchases(model: Any, rng: np.random.Generator, seed: int) -> tuple[Floats, ...]:
    """Customers who came between ten weeks and a year and a half ago."""
    frame = model.sample(CUSTOMERS, rng.integers(70, 546, CUSTOMERS) / _WEEKS, seed)
    return tuple(frame[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "T"))


def _opportunities(model: Any, rng: np.random.Generator, seed: int) -> tuple[Floats, ...]:
    """Customers who had between 4 and 20 opportunities."""
    frame = model.sample(CUSTOMERS, rng.integers(4, 21, CUSTOMERS), seed)
    return tuple(frame[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "T"))


def _spend(model: Any, rng: np.random.Generator, seed: int) -> tuple[Floats, ...]:
    """Repeat buyers with a few orders each, some with many."""
    frame = model.sample(CUSTOMERS, rng.geometric(0.3, CUSTOMERS), seed)
    return tuple(frame[name].to_numpy(dtype=np.float64) for name in ("frequency", "monetary_value"))


def _contracts(model: Any, rng: np.random.Generator, seed: int) -> tuple[Floats, ...]:
    """Contracts that have come up for between 1 and 24 renewals."""
    frame = model.sample(CUSTOMERS, rng.integers(1, 25, CUSTOMERS), seed)
    return tuple(frame[name].to_numpy(dtype=np.float64) for name in ("periods", "lost"))


_DESIGNS: dict[str, Callable[[Any, np.random.Generator, int], tuple[Floats, ...]]] = {
    "GammaGamma": _spend,
    "ShiftedBetaGeometric": _contracts,
    "BetaGeometricBetaBinomial": _opportunities,
}


def _design(model_class: type[Any]) -> Callable[[Any, np.random.Generator, int], tuple[Floats, ...]]:
    return _DESIGNS.get(model_class.__name__, _purchases)


def _below(parent: type[Any]) -> set[type[Any]]:
    found = {child for child in parent.__subclasses__() if not isabstract(child)}
    return found.union(*(_below(child) for child in parent.__subclasses__()))


def _whole(sequence: np.random.SeedSequence) -> int:
    return int(sequence.generate_state(1)[0])
