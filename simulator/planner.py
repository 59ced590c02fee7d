"""Plans whole ticks ahead: who arrives, who buys, what is due."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.acts import act_out
from simulator.arrivals import arrive
from simulator.people import Directory
from simulator.plan import Plan
from simulator.shopping import shop
from simulator.tick import begin_tick, end_tick
from simulator.world import World


@dataclass(slots=True)
class Planner:
    """Moves the world on by ticks; the writes come out, nothing is written here."""

    world: World
    directory: Directory

    def plan(self, at_least: int, last_tick: int | None = None) -> Plan:
        """As many whole ticks as bring `at_least` writes, but none after `last_tick`."""
        plan = Plan(until=self.world.terms.start_of(self.world.tick), next_tick=self.world.tick)
        while len(plan.writes) < at_least and (last_tick is None or self.world.tick < last_tick):
            self._play(plan)
        return plan

    def _play(self, plan: Plan) -> None:
        first = len(plan.writes)
        tick = begin_tick(self.world, plan, self.directory)
        arrive(tick)
        shop(tick)
        act_out(tick)
        end_tick(tick, first)
