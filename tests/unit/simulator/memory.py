"""A shop in memory that takes the simulator's writes one by one, in order, and checks every foreign key."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from rich.console import Console

from retentioncast.core.clock import Clock, ManualClock
from simulator.bootstrap import restore
from simulator.pace import Pace
from simulator.people import make_directory
from simulator.plan import Act, Counters, Plan, Truth, Write
from simulator.planner import Planner
from simulator.progress import Progress
from simulator.rhythm import DAY, to_micros
from simulator.run import Simulation
from simulator.segments import population
from simulator.store import Saved
from simulator.world import Terms

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


#: Making one is slow.
directory = cache(make_directory)


class Killed(Exception):
    """The process died before this transaction."""


def terms(customers: int = 120, days: int = 60, seed: int = 7, population: str = "") -> Terms:
    until = to_micros(NOW)
    return Terms(seed, until - days * DAY, DAY, customers, until, customers / max(days, 1), population)


@dataclass(slots=True)
class MemoryShop:
    """Rows by table and key, beside the truth that the real store keeps in Postgres."""

    terms: Terms
    kill_after: int | None = None
    tables: dict[str, dict[int, list[Any]]] = field(
        default_factory=lambda: {"customer": {}, "subscription": {}, "transaction": {}, "session": {}}
    )
    kinds: Counter[str] = field(default_factory=Counter)
    transactions: int = 0
    truth: dict[int, Truth] = field(default_factory=dict)
    agenda: dict[int, Act] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    tick: int = 0
    counters: str = json.dumps(asdict(Counters()))
    pending: tuple[str, int] | None = None

    def write(self, plan: Plan, count: int) -> int:
        if self.kill_after is not None and self.transactions >= self.kill_after:
            raise Killed
        self.transactions += 1
        if plan.position == 0:
            self._remember(plan)
        writes = plan.writes[plan.position : plan.position + count]
        rows = sum(self._apply(write) for write in writes)
        plan.position += len(writes)
        self.pending = None if plan.finished else (json.dumps(plan.writes), plan.position)
        return rows

    def load(self) -> Saved:
        now = self.terms.start_of(self.tick)
        people = [truth for truth in self.truth.values() if truth.died_at > now]
        unfinished = None
        if self.pending is not None:
            writes = [Write(at, kind, tuple(row)) for at, kind, row in json.loads(self.pending[0])]
            unfinished = Plan(writes, self.pending[1], until=now, next_tick=self.tick)
        counters = Counters(**json.loads(self.counters))
        return Saved(self.terms, self.tick, counters, people, list(self.agenda.values()), dict(self.owners), unfinished)

    def _remember(self, plan: Plan) -> None:
        self.truth |= {truth.customer_id: truth for truth in plan.newcomers}
        self.agenda |= plan.added
        for number in plan.done:
            del self.agenda[number]
        self.owners |= {customer: into for customer, into, _ in plan.merged}
        self.tick, self.counters = plan.next_tick, json.dumps(plan.counters)

    def _apply(self, write: Write) -> int:
        self.kinds[write.kind] += 1
        key, *rest = write.row
        assert isinstance(key, int)
        if write.kind in self.tables:
            self._insert(write.kind, key, list(write.row))
            return 1
        return {
            "change_plan": lambda: self._set("subscription", key, {2: rest[0], 4: rest[1]}),
            "cancel": lambda: self._set("subscription", key, {7: rest[0], 8: rest[1]}),
            "correct_amount": lambda: self._set("transaction", key, {4: rest[0]}),
            "correct_time": lambda: self._set("transaction", key, {6: rest[0]}),
            "change_email": lambda: self._set("customer", key, {2: rest[0]}),
            "delete_order": lambda: self._delete_order(key),
            "merge": lambda: self._merge(key, rest[0]),
        }[write.kind]()

    def _insert(self, table: str, key: int, row: list[Any]) -> None:
        assert key not in self.tables[table]
        if table != "customer":
            assert row[1] in self.tables["customer"], f"{table} {key} of nobody"
        if table == "transaction":
            assert row[2] is None or row[2] in self.tables["subscription"]
            assert row[7] is None or row[7] in self.tables["transaction"]
        self.tables[table][key] = row

    def _set(self, table: str, key: int, values: dict[int, Any]) -> int:
        for column, value in values.items():
            self.tables[table][key][column] = value
        return 1

    def _delete_order(self, key: int) -> int:
        assert all(row[7] != key for row in self.tables["transaction"].values())
        del self.tables["transaction"][key]
        return 1

    def _merge(self, key: int, into: Any) -> int:
        assert into in self.tables["customer"]
        theirs = [row for name in ("subscription", "transaction", "session") for row in self.tables[name].values()]
        moved = [row for row in theirs if row[1] == key]
        for row in moved:
            row[1] = into
        del self.tables["customer"][key]
        return len(moved) + 1


def simulation(shop: MemoryShop, clock: Clock | None = None) -> Simulation:
    """A simulation that goes on where this shop stands."""
    clock = clock or ManualClock(NOW)
    saved = shop.load()
    planner = Planner(restore(saved, population(saved.terms.population)), directory(saved.terms.seed))
    progress = Progress(clock, Console(quiet=True))
    return Simulation(planner, shop, clock, progress, lambda: False, saved.unfinished)


def played(shop: MemoryShop, pace: Pace, last_tick: int, clock: Clock | None = None) -> MemoryShop:
    """The shop after this tick."""
    simulation(shop, clock).run("Test", pace, last_tick=last_tick)
    return shop
