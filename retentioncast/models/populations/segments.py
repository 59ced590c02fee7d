"""The kinds of segment: a base class with what all share, and one class a kind with what is particular to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.populations.distributions import Distribution
from retentioncast.models.populations.habits import CHANNELS, REASONS, Habits

if TYPE_CHECKING:
    from retentioncast.models.populations.events import Calendar, Events

#: What is seen of a subscription beside its times, and may tell segments apart.
ATTRIBUTES = ("plan", "billing_period", "channel", "detail")
#: Half of a segment's prior lies within a factor of 1.4 of the stated parameters (standard deviation of the log).
PRIOR_SD = 0.5


@dataclass(frozen=True, slots=True)
class Spells:
    """n subscriptions from start to end, nothing cut off; times in the populations' unit, -1 codes: none."""

    duration: Floats
    #: True where the natural end came before the wish to cancel.
    natural: np.ndarray[tuple[int], np.dtype[np.bool_]]
    #: Index into the segment's own values of each attribute.
    codes: Mapping[str, Integers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One kind of customer. A subscription ends at the earlier of the wish to cancel and the natural end."""

    name: str
    mix: float
    cancel_dist: Distribution | None
    lifetime_dist: Distribution | None
    #: Shares of each attribute's values, as far as the segment says them.
    attributes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: The share that subscribes at all.
    subscribes: float = 1.0
    #: It forgets to cancel: the natural end of the customer's activity does not end the subscription.
    outlives_activity: bool = False
    #: A month's price by plan, where it is not the shop's.
    prices: Mapping[str, float] = field(default_factory=dict)
    prior_sd: float = PRIOR_SD
    habits: Habits = field(default_factory=Habits)
    #: The attribute whose value is the segment's name where nothing else is said.
    named_after: ClassVar[str] = ""
    default_reasons: ClassVar[Mapping[str, float]] = REASONS

    def shares(self, attribute: str) -> Mapping[str, float]:
        """Shares of an attribute's values, defaults filled in."""
        if attribute in self.attributes:
            return self.attributes[attribute]
        if attribute == self.named_after:
            return {self.name.lower(): 1.0}
        return {
            "plan": {"basic": 0.6, "pro": 0.3, "enterprise": 0.1},
            "billing_period": {"monthly": 1.0},
            "channel": CHANNELS,
            "detail": self.default_reasons,
        }[attribute]

    def says(self, attribute: str) -> bool:
        """Whether the segment states this attribute, so that it may tell it from others."""
        return attribute in self.attributes or attribute == self.named_after

    def spells(self, n: int, rng: np.random.Generator) -> Spells:
        """n subscriptions of this segment."""
        never = np.full(n, np.inf)
        wish = never if self.cancel_dist is None else self.cancel_dist.sample(rng, n)
        ends = never if self.lifetime_dist is None or self.outlives_activity else self.lifetime_dist.sample(rng, n)
        codes = {name: _choose(rng, self.shares(name), n) for name in ATTRIBUTES}
        return Spells(np.minimum(wish, ends), ends < wish, codes)

    def sample(self, n: int, rng: np.random.Generator, calendar: Calendar | None = None) -> Events:
        """Events of n subscribers of this segment alone."""
        from retentioncast.models.populations.events import Calendar, events_of

        return events_of([self], np.zeros(n, dtype=np.int64), [self.spells(n, rng)], calendar or Calendar(), rng)

    def priors(self, role: str) -> dict[str, Any]:
        """PyMC distributions of the parameters of "cancel" or "lifetime", by name; call it in a model's context."""
        from retentioncast.models.populations.pymc_priors import priors_of

        return priors_of(self, role)

    def distribution(self, role: str) -> Distribution | None:
        """The waiting time of "cancel" or "lifetime"; None where it never comes."""
        if role == "cancel":
            return self.cancel_dist
        return None if self.outlives_activity else self.lifetime_dist


class EarlyCancel(Segment):
    """Tries it and cancels soon: the wish to cancel comes first."""

    __slots__ = ()
    default_reasons: ClassVar[Mapping[str, float]] = {"price": 0.3, "not_used": 0.5, "missing_feature": 0.2}


class ForgotCancel(Segment):
    """Does not use it any more and does not notice that it still pays."""

    __slots__ = ()
    default_reasons: ClassVar[Mapping[str, float]] = {"noticed": 0.7, "card_expired": 0.3}


class Plan(Segment):
    """Customers of one plan; its name is the plan's where `plan` is not said."""

    __slots__ = ()
    named_after = "plan"


class Channel(Segment):
    """Customers who came through one channel; its name is the channel's where `channel` is not said."""

    __slots__ = ()
    named_after = "channel"


KINDS: Mapping[str, type[Segment]] = {
    kind.__name__: kind for kind in (Segment, EarlyCancel, ForgotCancel, Plan, Channel)
}


def _choose(rng: np.random.Generator, shares: Mapping[str, float], n: int) -> Integers:
    if len(shares) == 1:
        return np.zeros(n, dtype=np.int8).astype(np.int64)
    edges = np.cumsum(list(shares.values()))
    chosen: Integers = np.searchsorted(edges[:-1], rng.random(n), side="right")
    return chosen
