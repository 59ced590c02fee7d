"""The other models' fits, of which no other package does all: grouped by days, and with no two repeat buyers alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.models.shops import draw_shop, with_parameters
from retentioncast.models import (
    BetaGeo,
    BetaGeometricBetaBinomial,
    GammaGamma,
    GammaGompertzNBD,
    ModifiedBetaGeo,
    ParetoNBD,
)
from retentioncast.models.btyd.dropout import DropoutModel
from retentioncast.models.btyd.lifetime import LifetimeModel

CUSTOMERS = 100_000


@dataclass(frozen=True, slots=True)
class Family:
    """A model and the shop that it is fitted to."""

    model: Callable[[], Any]
    columns: Callable[[int], tuple[Any, ...]]

    def fit(self, customers: int) -> None:
        self.model().fit(*self.columns(customers))

    def prepare(self) -> Callable[[], None]:
        """The fit of 100,000 customers, who are drawn beforehand."""
        columns = self.columns(CUSTOMERS)
        return lambda: self.model().fit(*columns)


def _purchases(model: DropoutModel | LifetimeModel, days: bool) -> Callable[[int], tuple[Any, ...]]:
    def columns(customers: int) -> tuple[Any, ...]:
        shop = draw_shop(customers, 3, days=days, model=model)
        return shop["frequency"], shop["recency"], shop["T"]

    return columns


def _spend(customers: int) -> tuple[Any, ...]:
    model = with_parameters(GammaGamma(), {"p": 6.25, "q": 3.74, "v": 15.44})
    x = draw_shop(customers, 3)["frequency"]
    return x, model.sample(customers, x, 4)["monetary_value"].round(2)


def _opportunities(customers: int) -> tuple[Any, ...]:
    parameters = {"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783}
    model = with_parameters(BetaGeometricBetaBinomial(), parameters)
    shop = model.sample(customers, np.random.default_rng(5).integers(1, 104, customers, endpoint=True), 5)
    return shop["frequency"], shop["recency"], shop["T"]


#: Each is fitted to a shop of its own kind; parameters as published for CDNOW, those of Gamma-Gompertz/NBD near it.
IN_TIME: tuple[DropoutModel | LifetimeModel, ...] = (
    with_parameters(BetaGeo(), {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}),
    with_parameters(ModifiedBetaGeo(), {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}),
    with_parameters(ParetoNBD(), {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}),
    with_parameters(GammaGompertzNBD(), {"r": 0.55, "alpha": 10.6, "b": 0.02, "s": 0.6, "beta": 0.3}),
)
FAMILIES = (
    {f"{model.family}, by the day": Family(type(model), _purchases(model, True)) for model in IN_TIME}
    | {f"{model.family}, to the second": Family(type(model), _purchases(model, False)) for model in IN_TIME}
    | {"Gamma-Gamma": Family(GammaGamma, _spend), "BG/BB": Family(BetaGeometricBetaBinomial, _opportunities)}
)
