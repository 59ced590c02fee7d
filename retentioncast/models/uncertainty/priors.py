"""The priors of every model's parameters, by name: wide enough for any shop, tight enough to rule out nonsense.

All are normal on the parameter's logarithm and hold for a shop that counts in weeks; another unit of time moves the
median along. docs/models/posterior.md says what shops they stand for; a test draws shops from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Floats

DAYS_PER_WEEK = 7.0


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A positive parameter whose logarithm is normal: 95 percent lie within a factor e^(2 spread) of the median.

    `weeks` is the power of time in its unit where the median counts in weeks: 1 for weeks, -1 for "a week", 0 where it
    has none or where the median counts in the model's own unit.
    """

    median: float
    spread: float
    weeks: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.median < math.inf and 0 < self.spread < math.inf):
            raise ValueError(f"{self}: median and spread must be above 0 and finite")

    def centre(self, days_per_unit: float = DAYS_PER_WEEK) -> float:
        """Mean of the logarithm, the parameter being in units of so many days."""
        return math.log(self.median) + self.weeks * math.log(DAYS_PER_WEEK / days_per_unit)


Priors = Mapping[str, LogNormal]

#: A customer's purchases: one in 13 weeks for the median shop, from one in 9 years to 3 a week.
_PURCHASES = {"r": LogNormal(0.6, 1.0), "alpha": LogNormal(8.0, 1.5, weeks=1)}
#: Leaving after a purchase: a quarter do in the median shop.
_DROPOUT = {"a": LogNormal(0.8, 1.0), "b": LogNormal(2.5, 1.0)}

#: A unit of a covariate divides or multiplies what it moves by up to 7.
RATIO = LogNormal(1.0, 1.0)

DEFAULTS: Mapping[str, Priors] = MappingProxyType(
    {
        "BetaGeo": _PURCHASES | _DROPOUT,
        "ModifiedBetaGeo": _PURCHASES | _DROPOUT,
        # Half of the median shop's customers have left after half a year.
        "ParetoNBD": _PURCHASES | {"s": LogNormal(0.8, 1.0), "beta": LogNormal(16.0, 1.5, weeks=1)},
        "GammaGompertzNBD": _PURCHASES
        | {"b": LogNormal(0.05, 1.5, weeks=-1), "s": LogNormal(0.8, 1.0), "beta": LogNormal(1.0, 1.5)},
        # Buying at an opportunity (alpha, beta), leaving at one (gamma, delta).
        "BetaGeometricBetaBinomial": {
            "alpha": LogNormal(1.0, 1.0),
            "beta": LogNormal(1.5, 1.0),
            "gamma": LogNormal(0.7, 1.0),
            "delta": LogNormal(3.0, 1.0),
        },
        # Orders vary by 20 to 110 percent about a customer's mean; a currency's unit may be anything (v).
        "GammaGamma": {"p": LogNormal(5.0, 0.9), "q": LogNormal(4.0, 0.6), "v": LogNormal(30.0, 3.0)},
        # Cancelling at a renewal: a fifth in the median shop.
        "ShiftedBetaGeometric": {"alpha": LogNormal(0.8, 1.0), "beta": LogNormal(3.0, 1.0)},
    }
)


class UnknownPrior(InvalidInput, ValueError):
    """A prior is missing, or is given for a parameter that the model does not have. Name the model's parameters."""


def priors_of(
    model: str, names: tuple[str, ...], chosen: Mapping[str, LogNormal] | None = None
) -> dict[str, LogNormal]:
    """The prior of each parameter: the chosen one, else the model's default. Raises UnknownPrior."""
    chosen = chosen or {}
    if strange := sorted(set(chosen) - set(names)):
        raise UnknownPrior(f"{model} has no parameter {strange[0]!r}.", f"Its parameters are {', '.join(names)}.")
    found = {**DEFAULTS.get(model, {}), **chosen}
    if missing := [name for name in names if name not in found]:
        raise UnknownPrior(f"{model} has no default prior for {missing[0]!r}.", "Pass it: fit(..., priors={...}).")
    return {name: found[name] for name in names}


def centres(priors: Mapping[str, LogNormal], days_per_unit: float = DAYS_PER_WEEK) -> Floats:
    """Means (k,) of the logs of the parameters."""
    return np.array([prior.centre(days_per_unit) for prior in priors.values()])


def spreads(priors: Mapping[str, LogNormal]) -> Floats:
    """Standard deviations (k,) of the logs of the parameters."""
    return np.array([prior.spread for prior in priors.values()])


def sample_priors(priors: Mapping[str, LogNormal], n: int, seed: int, days_per_unit: float = DAYS_PER_WEEK) -> Floats:
    """Draws (n, k) of the parameters from their priors, in a model's unit of so many days."""
    noise = np.random.default_rng(seed).standard_normal((n, len(priors)))
    return np.exp(centres(priors, days_per_unit) + spreads(priors) * noise)
