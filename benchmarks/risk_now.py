"""How long `scores.risk_now` takes for every customer of a shop, and for one, under each family and stack."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, LiteralString

import numpy as np
import pandas as pd
import psutil
import psycopg
from psycopg.types.json import Jsonb

from benchmarks.own_stack import own_stack
from benchmarks.results import Claim, Result
from benchmarks.segment_shop import fill_mirror
from benchmarks.segment_speed import draw_customers
from consumer.staging import SQL as CONSUMER_SQL
from retentioncast.core.errors import StackError
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql
from retentioncast.models import FAMILIES
from scorer.leaving import curves_of, write_curves
from scorer.store import count_purchases

#: Any parameters will do: the time does not hang on them. These are of CDNOW, in weeks.
PARAMETERS = {
    "BG/NBD": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    "MBG/NBD": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    "Pareto/NBD": {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669},
    "Gamma-Gompertz/NBD": {"r": 0.55, "alpha": 10.6, "b": 0.02, "s": 0.6, "beta": 0.3},
}
STACKS = (*((family,) for family in PARAMETERS), ("BG/NBD", "Pareto/NBD"), tuple(PARAMETERS))
LOOKUPS = 50

METHOD = """The orders of {customers:,} customers ({orders:,}, within a year and a half) stand in the mirror of an own
Postgres, counted as the scorer counts them. For each family and stack its parameters and curves are published as a run
publishes them, and all of `scores.risk_now` is read within the server by one process (explain analyze; {repetitions}
times, the least; processor time is that of the session). One customer: the median of {lookups} lookups as a client
sees them (prepared from the sixth on)."""

ALL = "explain (analyze, timing off) select * from scores.risk_now"
TOLD = "select count(no_purchase_30d + no_purchase_90d + probability_alive) from scores.risk_now"
ONE = "select * from scores.risk_now where customer_id = %s"
NEW_RUN = """insert into scores.model_runs (started_at, as_of, status, reason, duration_s, code_version)
values (now(), now(), 'published', '', 0, 'benchmark') returning run_id"""
NEW_MEMBER = """insert into scores.purchase_models (run_id, member, family, weight, time_unit, parameters)
values (%s, %s, %s, %s, 'week', %s)"""
IN_FORCE = "insert into scores.customer_scores (customer_id, as_of, run_id) values (1, now(), %s)"


@dataclass(frozen=True, slots=True)
class Read:
    """Seconds: of the session's processor and by the clock for all customers, by the clock for one."""

    processor: list[float]
    clock: list[float]
    one: float


def run_risk_now(customers: int = 100_000, repetitions: int = 5) -> Result:
    """Every stack on one mirror."""
    shop = draw_customers(1, customers, 1)
    with own_stack(capture=False) as stack:
        orders = fill_mirror(stack.settings, shop, 1)
        _count(stack.settings)
        with connect(stack.settings, "owner", autocommit=True) as owner:
            owner.execute("vacuum analyze")
        found = {" + ".join(names): _measure(stack.settings, names, shop, repetitions) for names in STACKS}
    return tell(customers, orders, repetitions, found)


def _count(settings: Settings) -> None:
    """Totals as the consumer keeps them, counts of purchases as the scorer does."""
    with connect(settings, "consumer") as consumer:
        consumer.execute(sql("mirror.rebuild_totals", CONSUMER_SQL))
    with connect(settings, "scorer", autocommit=True) as scorer:
        count_purchases(scorer)


def tell(customers: int, orders: int, repetitions: int, found: dict[str, Read]) -> Result:
    """A row a stack; the claims are of the processor's time, which other work on the machine does not change."""
    rows = [
        (name, f"{min(read.processor):.2f}", f"{min(read.clock):.2f}", f"{1000 * read.one:.1f}")
        for name, read in found.items()
    ]
    claims = [
        Claim(f"risk_now for {customers:,} customers under {name}: processor time", min(read.processor), 1.0, "s")
        for name, read in found.items()
    ]
    measurements: dict[str, Any] = {
        "kind": "rates", "rates": {name: read.processor for name, read in found.items()}, "ours": list(found),
        "xlabel": f"seconds of a core for {customers:,} customers",
    }  # fmt: skip
    method = METHOD.format(customers=customers, orders=orders, repetitions=repetitions, lookups=LOOKUPS)
    headings = ("published", "all: processor, s", "all: by the clock, s", "one customer, ms")
    return Result("risk_now", "Risk now: all customers, and one", " ".join(method.split()), headings, rows, claims,
                  measurements)  # fmt: skip


def _measure(settings: Settings, names: Sequence[str], shop: pd.DataFrame, repetitions: int) -> Read:
    with connect(settings, "owner", autocommit=True) as owner:
        _publish(owner, names, shop)
    with connect(settings, "reader", autocommit=True) as reader:
        reader.execute("set max_parallel_workers_per_gather = 0")
        _refuse_gaps(reader, len(shop))
        whole = [_timed(reader, ALL) for _ in range(repetitions)]
        asked = np.random.default_rng(1).integers(1, len(shop) + 1, LOOKUPS).tolist()
        one = [_timed(reader, ONE, number) for number in asked]
    return Read([cpu for cpu, _ in whole], [clock for _, clock in whole], median(clock for _, clock in one))


def _refuse_gaps(reader: psycopg.Connection, customers: int) -> None:
    (told,) = reader.execute(TOLD).fetchone() or (0,)
    if told != customers:
        raise StackError(f"risk_now tells of {told} of {customers} customers.", "This is a fault, not a speed.")


def _publish(owner: psycopg.Connection, names: Sequence[str], shop: pd.DataFrame) -> None:
    models = [FAMILIES[name](time_unit="week") for name in names]
    for model, name in zip(models, names, strict=True):
        model.params_ = dict(PARAMETERS[name])
    curves = curves_of(models, shop["frequency"].to_numpy(float), shop["T"].to_numpy(float))
    with owner.transaction():
        (run_id,) = owner.execute(NEW_RUN).fetchone() or (0,)
        for member, name in enumerate(names):
            owner.execute(NEW_MEMBER, (run_id, member, name, 1 / len(names), Jsonb(PARAMETERS[name])))
        write_curves(owner, run_id, curves)
        owner.execute("delete from scores.customer_scores")
        owner.execute(IN_FORCE, (run_id,))
    owner.execute("analyze")


def _timed(session: psycopg.Connection, question: LiteralString, *about: int) -> tuple[float, float]:
    """Seconds of the session's processor, and by the clock."""
    server, clock = psutil.Process(session.info.backend_pid), time.perf_counter()
    before = server.cpu_times()
    session.execute(question, about).fetchall()
    after, ended = server.cpu_times(), time.perf_counter()
    return after.user + after.system - before.user - before.system, ended - clock
