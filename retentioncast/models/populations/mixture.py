"""A population as a mixture of segments: sampled from its description, and inferred back from its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT
from retentioncast.models.populations.anchors import beyond_sight, find_anchors
from retentioncast.models.populations.density import Posterior
from retentioncast.models.populations.events import Calendar, Events, SubscriptionEvent, events_of
from retentioncast.models.populations.grouped import group, used_attributes
from retentioncast.models.populations.layout import ROLES, Layout, make_layout, stated_mix
from retentioncast.models.populations.observed import Subscriptions, read_events
from retentioncast.models.populations.ordering import order_segments
from retentioncast.models.populations.problems import InvalidPopulation
from retentioncast.models.populations.segments import ATTRIBUTES, Segment
from retentioncast.models.populations.specification import Specification, read_specification
from retentioncast.models.stored import NotFitted

if TYPE_CHECKING:
    from xarray import DataTree

    from retentioncast.models.populations.fitting import Draws

Method = Literal["posterior", "map", "em"]
Sampler = Literal["auto", "psis", "nutpie", "pymc"]


@dataclass(frozen=True, slots=True)
class Observed:
    """What is being fitted."""

    subscriptions: Subscriptions
    posterior: Posterior


class Mixture:
    """Segments with proportions. `sample` needs the description only; `fit` needs `observe` first.

    >>> mixture = Mixture([{"name": "All", "mix": 1, "cancel_dist": ("exponential", {"rate": 0.1}),
    ...                     "lifetime_dist": ("gamma", {"shape": 2, "scale": 20})}])
    >>> events = mixture.sample(500, seed=1)
    >>> idata = mixture.observe(events).fit(seed=1)
    >>> 0.07 < float(idata.posterior["All.cancel.rate"].mean()) < 0.13
    True
    """

    def __init__(self, populations: Specification | Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
        given = populations if isinstance(populations, Specification) else read_specification(populations)
        self.specification = given
        #: Those who subscribe; `mix` below is among subscribers.
        self.segments = tuple(segment for segment in given.segments if segment.subscribes > 0)
        if not self.segments:
            raise InvalidPopulation("", "subscribes", "is 0 everywhere: a mixture is one of subscribers")
        self.observed_: Observed | None = None
        self.draws_: Draws | None = None

    @property
    def names(self) -> list[str]:
        return [segment.name for segment in self.segments]

    def calendar(self) -> Calendar:
        """Arrivals over a year, seen after two, in the populations' unit of time."""
        per_month = DAYS_PER_UNIT["month"] / DAYS_PER_UNIT[self.specification.time_unit]
        return Calendar(arrivals=12 * per_month, observed=24 * per_month, time_unit=self.specification.time_unit)

    def sample(self, pop_size: int | None = None, seed: int | None = None, calendar: Calendar | None = None) -> Events:
        """Events of `pop_size` subscribers; both numbers are the description's where they are not given."""
        rng = np.random.default_rng(self.specification.random_seed if seed is None else seed)
        return _sample(self.segments, pop_size or self.specification.pop_size, rng, calendar or self.calendar())

    def sample_prior(
        self, pop_size: int | None = None, seed: int | None = None, calendar: Calendar | None = None
    ) -> Events:
        """Events of a population whose mix and parameters were themselves drawn from the prior."""
        rng = np.random.default_rng(self.specification.random_seed if seed is None else seed)
        drawn = self.draw_prior(rng)
        return _sample(drawn, pop_size or self.specification.pop_size, rng, calendar or self.calendar())

    def draw_prior(self, rng: np.random.Generator) -> tuple[Segment, ...]:
        """The segments with mix and parameters drawn from the prior."""
        layout = self.prior_layout()
        return with_parameters(layout, layout.prior_draws(1, rng)[0])

    def with_segments(self, segments: Sequence[Segment]) -> Mixture:
        """A mixture of other segments, all else as described."""
        return Mixture(replace(self.specification, segments=tuple(segments)))

    def prior_layout(self) -> Layout:
        """The parameters as if every stated constant were seen and every stated attribute observed."""
        anchors = {
            (index, role): d.values[0]
            for index, segment in enumerate(self.segments)
            for role in ROLES
            if (d := segment.distribution(role)) is not None and d.name == "constant" and d.values[0] > 0
        }
        stated = [name for name in ATTRIBUTES if all(segment.says(name) for segment in self.segments)]
        return make_layout(self.segments, anchors, order_segments(self.segments, stated))

    def observe(
        self,
        events: Events | pd.DataFrame | Iterable[SubscriptionEvent],
        observed_at: datetime | None = None,
        resolution_days: float | None = 1.0,
    ) -> Self:
        """Take events as of `observed_at`. Durations within `resolution_days` are put together; None: none are.

        Raises InvalidEvents, NotEnoughData, CannotTellApart.
        """
        unit = self.specification.time_unit
        subscriptions = read_events(events, observed_at, unit)
        resolution = None if resolution_days is None else resolution_days / DAYS_PER_UNIT[unit]
        rows = group(subscriptions, self.segments, resolution)
        order = order_segments(self.segments, used_attributes(subscriptions, self.segments))
        anchors = find_anchors(subscriptions, self.segments)
        segments = beyond_sight(self.segments, anchors, float(subscriptions.duration.max()))
        layout = make_layout(segments, anchors, order)
        self.observed_ = Observed(subscriptions, Posterior(layout, rows))
        self.draws_ = None
        return self

    def fit(
        self,
        draws: int = 1000,
        tune: int = 500,
        chains: int = 4,
        sampler: Sampler = "auto",
        target_accept: float = 0.8,
        seed: int = 0,
        method: Method = "posterior",
    ) -> DataTree:
        """The posterior as ArviZ InferenceData with its diagnostics; see docs/models/populations.md.

        `auto` draws by importance around the mode and asks NUTS (nutpie) where the weights cannot be trusted. `map`
        gives the mode alone, `em` where EM ends. Raises FitFailed.
        """
        from retentioncast.models.populations.fitting import Request, fit

        request = Request(draws, tune, chains, sampler, target_accept, seed, method)
        self.draws_ = fit(self._observed(), request)
        return self.draws_.inference_data

    def overlap(self) -> dict[str, float]:
        """How much of each parameter's posterior is its prior: 1 means that the data said nothing of it."""
        return dict(self._fitted().overlap)

    def not_identified(self) -> list[str]:
        """What these data do not tell, in words."""
        return list(self._fitted().notes)

    def segment_probabilities(self) -> pd.DataFrame:
        """Each subscription's probability of each segment, averaged over the posterior: a column a segment."""
        from retentioncast.models.populations.membership import membership

        return membership(self._observed(), self._fitted(), self.names)

    def forecast(
        self, horizons: Sequence[float] = (1, 2, 3, 6, 12), interval: float = 0.8, draws: int = 200, seed: int = 0
    ) -> pd.DataFrame:
        """Metrics of the observed customers so many units ahead, without newcomers: metric, horizon, mean, low, high.

        active, churned and mrr are predictive (of what will be counted); retention is the share of new customers who
        are still there at that age.
        """
        from retentioncast.models.populations.forecast import forecast

        return forecast(self._observed(), self._fitted(), self.specification, horizons, interval, draws, seed)

    def _observed(self) -> Observed:
        if self.observed_ is None:
            raise NotFitted("this mixture has seen no events.", "Call observe first.")
        return self.observed_

    def _fitted(self) -> Draws:
        if self.draws_ is None:
            raise NotFitted("this mixture holds no posterior.", "Call observe, then fit.")
        return self.draws_


def with_parameters(layout: Layout, u: Floats) -> tuple[Segment, ...]:
    """The segments at one point of the parameter space."""
    etas, mix = layout.etas(u), np.exp(layout.log_mix(u))
    share = mix / np.array([segment.subscribes for segment in layout.segments])
    share /= share.sum()
    found = []
    for index, segment in enumerate(layout.segments):
        changed: dict[str, Any] = {"mix": float(share[index])}
        for role in ROLES:
            if (distribution := segment.distribution(role)) is not None:
                changed[f"{role}_dist"] = distribution.with_values(layout.values(etas, index, role))
        found.append(replace(segment, **changed))
    return tuple(found)


def _sample(segments: Sequence[Segment], count: int, rng: np.random.Generator, calendar: Calendar) -> Events:
    edges = np.cumsum(stated_mix(segments))[:-1]
    chosen = np.searchsorted(edges, rng.random(count), side="right")
    sizes = np.bincount(chosen, minlength=len(segments))
    spells = [segment.spells(int(size), rng) for segment, size in zip(segments, sizes, strict=True)]
    return events_of(segments, chosen, spells, calendar, rng)
