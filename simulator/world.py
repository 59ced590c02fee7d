"""The simulation's state: who is alive, what is on the agenda, who became whom. It changes tick by tick."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simulator.plan import Act, Counters, Truth
from simulator.segments import Population

#: The living customers, sorted by id; the fields are the first ten of `Truth`.
_DTYPE = np.dtype(
    [
        ("customer_id", np.int64), ("segment", object), ("created_at", np.int64), ("died_at", np.int64),
        ("purchase_rate", float), ("session_rate", float), ("mean_spend", float), ("spend_shape", float),
        ("promotion_sensitivity", float), ("refund_probability", float),
    ]
)  # fmt: skip
People = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed when the simulation began; it stays as it is. Times in microseconds."""

    seed: int
    origin: int
    tick: int
    #: So many customers arrive in the past, which ends at `history_until` (= origin: no past).
    customers: int
    history_until: int
    arrivals_per_day: float
    #: The population as JSON text; empty: the demo shop, also of simulations that were begun before there was a choice.
    population: str = ""

    def start_of(self, tick: int) -> int:
        return self.origin + tick * self.tick

    @property
    def history_ticks(self) -> int:
        return (self.history_until - self.origin) // self.tick


@dataclass(slots=True)
class World:
    """All that the next tick depends on, beside the seed."""

    terms: Terms
    population: Population
    tick: int = 0
    counters: Counters = field(default_factory=Counters)
    people: People = field(default_factory=lambda: np.empty(0, _DTYPE))
    agenda: list[Act] = field(default_factory=list)
    owners: dict[int, int] = field(default_factory=dict)
    #: Holds the number of living customers near this; None: as many arrive as in the terms.
    wanted: Wanted | None = None

    def owner(self, customer_id: int) -> int:
        """The customer that this one has become, if it was merged."""
        return self.owners.get(customer_id, customer_id)

    def schedule(self, act: Act) -> None:
        heapq.heappush(self.agenda, act)

    def next_due(self, until: int) -> Act | None:
        """Take the first act that is due before `until`."""
        return heapq.heappop(self.agenda) if self.agenda and self.agenda[0].due < until else None

    def join(self, newcomers: Iterable[Truth]) -> None:
        """Add customers; their ids are higher than those of all others."""
        rows = [truth[:10] for truth in newcomers]
        if rows:
            self.people = np.concatenate([self.people, np.array(rows, _DTYPE)])

    def bury(self, now: int) -> None:
        """Forget those whose active life is over."""
        alive = self.people["died_at"] > now
        if not alive.all():
            self.people = self.people[alive]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number of living customers to hold, and the event time (microseconds) in which to get there."""

    customers: float
    within: int
