"""The loop: plan some ticks, write what is due, until it is time to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from retentioncast.core.clock import Clock
from simulator.pace import Pace
from simulator.plan import Plan
from simulator.planner import Planner
from simulator.progress import Progress
from simulator.rhythm import DAY

#: A stop is noticed within this time.
_NAP_S = 0.2
#: Postgres and Python end in different millennia; nobody needs a shop after this year (9998), in microseconds.
_END_OF_TIME = 8028 * 365 * DAY


class Store(Protocol):
    """Where a plan's writes go."""

    def write(self, plan: Plan, count: int) -> int:
        """Write the next `count` writes in one transaction and move the plan's position; the rows changed."""


@dataclass(slots=True)
class Simulation:
    """A simulation at work. It may be killed at any moment; the store knows where to go on."""

    planner: Planner
    store: Store
    clock: Clock
    progress: Progress
    stopped: Callable[[], bool]
    #: What was planned before and is not all written yet.
    plan: Plan | None = None

    def run(self, doing: str, pace: Pace, last_tick: int | None = None, duration_s: float | None = None) -> None:
        """Go on until stopped, until this tick, or for so long."""
        end_s = None if duration_s is None else self.clock.monotonic_s() + duration_s
        while not self.stopped() and (end_s is None or self.clock.monotonic_s() < end_s):
            if self.plan is None:
                self.plan = self._next_plan(pace, last_tick)
            if self.plan is None:
                break
            self._advance(self.plan, pace, end_s)
            self._tell(doing, pace, self.plan)
            if self.plan.finished:
                self.plan = None

    def _next_plan(self, pace: Pace, last_tick: int | None) -> Plan | None:
        """More ticks; None where there are none left."""
        world = self.planner.world
        if world.terms.start_of(world.tick) > _END_OF_TIME or (last_tick is not None and world.tick >= last_tick):
            return None
        return self.planner.plan(pace.batch, last_tick)

    def _advance(self, plan: Plan, pace: Pace, end_s: float | None) -> None:
        count = 0 if plan.finished else pace.allowed(plan)
        if count == 0 and not plan.finished:
            left = _NAP_S if end_s is None else max(end_s - self.clock.monotonic_s(), 1e-3)
            self.clock.sleep(min(pace.wait_s(plan) + 1e-6, _NAP_S, left))
            return
        writes = plan.writes[plan.position : plan.position + count]
        rows = self.store.write(plan, count)
        pace.written(rows)
        self.progress.count(writes, rows)

    def _tell(self, doing: str, pace: Pace, plan: Plan) -> None:
        at = plan.until if plan.finished else plan.writes[plan.position].at
        self.progress.tell(doing, at, len(self.planner.world.people), pace.asked)
