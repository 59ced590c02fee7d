"""One tick: everything that happens between two times, as a function of seed, tick number and world alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from simulator.people import Directory
from simulator.plan import Act, Plan, Truth, Value, Write
from simulator.rhythm import Floats, Micros, activity, when
from simulator.segments import Population
from simulator.world import World


@dataclass(slots=True)
class Tick:
    """The scene on which a tick is played: what its parts read, and where they write."""

    world: World
    plan: Plan
    directory: Directory
    rng: np.random.Generator
    start: int
    end: int

    @property
    def population(self) -> Population:
        return self.world.population

    def write(self, at: int, kind: str, *row: Value) -> None:
        self.plan.writes.append(Write(at, kind, row))

    def number(self, name: str, count: int = 1) -> int:
        """The next free number of a kind of row."""
        return self.world.counters.take(name, count)

    def schedule(self, due: float, kind: str, customer_id: int, **details: int | str | None) -> None:
        """Put something on the agenda; what is due within this tick still happens in it."""
        act = Act(int(due), self.number("act"), kind, customer_id, **details)  # type: ignore[arg-type]
        self.plan.added[act.number] = act
        self.world.schedule(act)

    def join(self, newcomers: list[Truth]) -> None:
        self.plan.newcomers += newcomers
        self.world.join(newcomers)

    def person(self, customer_id: int) -> Truth:
        """A living customer by id."""
        people = self.world.people
        return Truth(*people[np.searchsorted(people["customer_id"], customer_id)].tolist())

    def draw_times(self, begin: Floats, end: Floats) -> Micros:
        """A time within each of these intervals of shop activity: more on a Saturday evening than at night."""
        passed = begin + self.rng.random(len(begin)) * (end - begin)
        return np.clip(when(passed), self.start, self.end - 1)

    @property
    def span(self) -> tuple[float, float]:
        """The tick in shop activity since 1970, in microseconds."""
        first, last = activity(np.array([self.start, self.end]))
        return float(first), float(last)


def begin_tick(world: World, plan: Plan, directory: Directory) -> Tick:
    """The next tick with random numbers of its own: Philox, seeded by seed and tick number."""
    seed = np.random.SeedSequence([world.terms.seed, world.tick])
    start = world.terms.start_of(world.tick)
    world.bury(start)
    return Tick(world, plan, directory, np.random.Generator(np.random.Philox(seed)), start, start + world.terms.tick)


def end_tick(tick: Tick, first: int) -> None:
    """Sort the tick's own writes (those from `first` on) by time; note where the world stands now."""
    plan, world = tick.plan, tick.world
    plan.writes[first:] = sorted(plan.writes[first:], key=lambda write: write.at)
    world.tick += 1
    plan.until, plan.next_tick = tick.end, world.tick
    plan.counters = asdict(world.counters)
