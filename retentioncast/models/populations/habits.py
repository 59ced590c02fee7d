"""How a segment shops: what the simulator needs beside subscriptions. A file may leave out each of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from retentioncast.models.populations.distributions import Distribution
from retentioncast.models.populations.problems import InvalidPopulation, number, share
from retentioncast.models.populations.reading import read_distribution


def _d(name: str, **parameters: float) -> Distribution:
    return read_distribution("", "default", (name, parameters))


#: A channel of the shop and its share where a segment says nothing.
CHANNELS: Mapping[str, float] = {"organic": 0.5, "referral": 0.3, "email": 0.1, "paid_search": 0.1}
REASONS: Mapping[str, float] = {"price": 0.4, "not_used": 0.3, "competitor": 0.2, "service": 0.1}
_DISTRIBUTIONS = ("purchase_rate", "mean_spend", "session_rate", "promotion_sensitivity")


@dataclass(frozen=True, slots=True)
class Habits:
    """Purchases and visits. Rates are per day, whatever the file's unit of time; money is in the shop's currency."""

    purchase_rate: Distribution = field(default_factory=lambda: _d("gamma", shape=1.0, mean=0.02))
    mean_spend: Distribution = field(default_factory=lambda: _d("inverse_gamma", shape=4.0, mean=40.0))
    #: Shape of the gamma distribution of one order around the customer's own mean.
    spend_shape: float = 3.0
    session_rate: Distribution = field(default_factory=lambda: _d("gamma", shape=1.0, mean=0.25))
    #: From 0 (never waits for a promotion) to 1.
    promotion_sensitivity: Distribution = field(default_factory=lambda: _d("beta", a=2.0, b=5.0))
    refund_probability: float = 0.03
    #: The share that buys when it signs up.
    first_order: float = 0.8


HABITS = tuple(Habits.__dataclass_fields__)


def read_habits(population: str, given: Mapping[str, object]) -> Habits:
    """The habits among the keys of one population. Raises InvalidPopulation."""
    found: dict[str, object] = {}
    for name in HABITS:
        if name not in given:
            continue
        if name in _DISTRIBUTIONS:
            found[name] = read_distribution(population, name, given[name])
        elif name == "spend_shape":
            found[name] = _above_zero(population, name, given[name])
        else:
            found[name] = share(population, name, given[name])
    return Habits(**found)  # type: ignore[arg-type]


def _above_zero(population: str, name: str, value: object) -> float:
    if (found := number(population, name, value)) <= 0:
        raise InvalidPopulation(population, name, f"{found:g} is out of range", "Give a number above 0.")
    return found
