"""How fast a topic is replayed into empty tables, next to the least that any consumer must do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from psycopg import sql as composed

from benchmarks.contenders import Run, run_one_by_one, run_ours, run_raw
from benchmarks.filling import fill_shop, fill_topic
from benchmarks.own_stack import own_stack
from benchmarks.results import Claim, Result
from benchmarks.shop_log import ShopLog
from retentioncast.core import shop
from retentioncast.core.errors import StackError
from retentioncast.core.shop import ShopNames
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

logger = logging.getLogger(__name__)
SQL = Path(__file__).parent / "sql"

RAW, OURS = "raw limit, 1 process", "consumer, 1 process"
RAW_2, OURS_2 = "raw limit, 2 processes", "consumer, 2 processes"
ONLINE, ONE_BY_ONE = "consumer with online learning, 1 process", "one event a commit"

METHOD = """A topic of {changes:,} changes of {customers:,} customers (2 % refunds, 3 % corrections, 1 % deletions, 0.2
% re-keys; 4 partitions) is replayed, durably. The raw limit consumes, decodes and appends by COPY to a table without a
key, with the same overlap and batch size, and without a consumer group. After each run of the consumer, `customer_rfm`
and the mirror were compared with a recomputation from the shop: no difference. Contenders take turns; medians, without
a first round that fills caches and lets Postgres make its files of WAL. Processor time is that of the contender and of
Postgres, start-up included; unlike the clock it does not count what else ran on the machine."""
HEADINGS = (
    "contender",
    "seconds, start-up included",
    "changes a second",
    "changes a second after the first commit",
    "processor time a change, µs",
    "runs",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the benchmark is."""

    changes: int = 1_000_000
    customers: int = 100_000
    repetitions: int = 5
    #: One event a commit is slow: a slice is enough to know its rate.
    slice: int = 10_000
    seed: int = 42


@dataclass(slots=True)
class Field:
    """The contenders in turn, over one topic and one database."""

    settings: Settings
    counts: Mapping[int, int]
    plan: Plan
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def race(self) -> None:
        """All contenders, one after the other, again and again; the first round fills caches and is not counted."""
        for repetition in range(self.plan.repetitions + 1):
            for name, contender in self._contenders().items():
                if name != ONLINE or repetition == 1:
                    self._run(name, contender, counted=repetition > 0)

    def _run(self, name: str, contender: Callable[[], Run], counted: bool) -> None:
        self._prepare()
        run = contender()
        logger.info("%s: %.1f s, %.0f/s", name, run.total_s, run.rate, extra={"action": "apply"})
        self._check(name)
        if counted:
            self.runs.setdefault(name, []).append(run)

    def _contenders(self) -> dict[str, Callable[[], Run]]:
        settings, changes = self.settings, self.plan.changes
        return {
            RAW: lambda: run_raw(settings, self.counts, 1),
            OURS: lambda: run_ours(settings, changes, 1, online=False),
            RAW_2: lambda: run_raw(settings, self.counts, 2),
            OURS_2: lambda: run_ours(settings, changes, 2, online=False),
            ONE_BY_ONE: lambda: run_one_by_one(settings, self.plan.slice),
            ONLINE: lambda: run_ours(settings, changes, 1, online=True),
        }

    def _prepare(self) -> None:
        with connect(self.settings, "owner", autocommit=True) as connection:
            connection.execute(sql("apply.empty_tables", SQL))
            connection.execute("checkpoint")

    def _check(self, name: str) -> None:
        """A consumer's tables must be right to the last microsecond and cent, or there is no result."""
        if name not in (OURS, OURS_2, ONLINE):
            return
        with connect(self.settings, "owner") as connection:
            for statement in ("differences", "mirrored"):
                found = connection.execute(sql(f"apply.{statement}", SQL)).fetchone()
                if found != (0,):
                    raise StackError(f"{name}: {statement} {found}; expected none.", "This is a fault, not a speed.")


def run_apply(plan: Plan) -> Result:
    """Fill a topic, race, and judge."""
    with own_stack(capture=False, connect={"slot": ""}) as stack:
        log = ShopLog(plan.changes, plan.customers, plan.seed)
        counts = fill_topic(stack.settings, log)
        fill_shop(stack.settings, log.sales.values())
        expect(stack.settings)
        logger.info("The topic holds %d changes.", sum(counts.values()), extra={"action": "fill"})
        race = Field(stack.settings, counts, plan)
        del log
        race.race()
    return judge(plan, race.runs)


def expect(settings: Settings) -> None:
    """The RFM table as `retentioncast verify` computes it from the shop, and the raw limit's table."""
    table = ShopNames().tables[shop.TRANSACTIONS]
    names = {role: composed.Identifier(column) for role, column in table.columns.items()}
    names[shop.TRANSACTIONS] = composed.Identifier("shop", table.name)
    with connect(settings, "owner") as connection:
        expected = composed.SQL(sql("verify.rfm_expected")).format(**names)
        connection.execute(composed.SQL(sql("apply.expect", SQL)).format(rfm_expected=expected))
        connection.execute(sql("apply.raw_table", SQL))
    with connect(settings, "owner", autocommit=True) as connection:
        connection.execute("vacuum analyze")


def judge(plan: Plan, runs: Mapping[str, list[Run]]) -> Result:
    """The medians as a table, and the ratios as claims."""
    title = f"Apply: {plan.changes:,} changes from Kafka into empty tables"
    method = " ".join(METHOD.format(changes=plan.changes, customers=plan.customers).split())
    table = [_row(plan, name, each) for name, each in runs.items()]
    measurements = {
        "kind": "rates",
        "ours": [OURS, OURS_2, ONLINE],
        "rates": {name: [run.rate for run in each] for name, each in runs.items()},
        "cpu_s": {name: [run.cpu_s for run in each] for name, each in runs.items()},
        "total_s": {name: [run.total_s for run in each] for name, each in runs.items()},
    }
    return Result("apply", title, method, HEADINGS, table, _claims(runs), measurements)


def _claims(runs: Mapping[str, list[Run]]) -> list[Claim]:
    total = {name: median(run.total_s for run in each) for name, each in runs.items()}
    rate = {name: median(run.rate for run in each) for name, each in runs.items()}
    one, two = "our consumer / raw limit, 1 process each", "our consumers / raw limit, 2 processes each"
    return [
        Claim(f"Apply: time of {one}, start-up included", total[OURS] / total[RAW], 1.75),
        Claim("The same after the first commit: raw rate / our rate", rate[RAW] / rate[OURS], 1.75),
        Claim(f"Apply: time of {two}, start-up included", total[OURS_2] / total[RAW_2], 1.75),
        Claim("Apply: our rate / one event a commit", rate[OURS] / rate[ONE_BY_ONE], 60, at_least=True),
    ]


def _row(plan: Plan, name: str, runs: list[Run]) -> tuple[str, ...]:
    total, rate = median(run.total_s for run in runs), median(run.rate for run in runs)
    cpu = median(1e6 * run.cpu_s / run.changes for run in runs)
    # One event a commit sees a slice: only its rate compares.
    whole = ("–", "–") if name == ONE_BY_ONE else (f"{total:.1f}", f"{plan.changes / total:,.0f}")
    return (name, *whole, f"{rate:,.0f}", f"{cpu:,.1f}", str(len(runs)))
