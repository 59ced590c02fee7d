"""How soon a commit in the shop is visible in customer_rfm, next to Debezium's own delay in the same run."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.contenders import process
from benchmarks.delays import SHARES, delays_ms, quantiles
from benchmarks.own_stack import own_stack
from benchmarks.results import Claim, Result
from benchmarks.watchers import Load, watch_tables, watch_topic, write_shop
from retentioncast.core import shop
from retentioncast.core.errors import StackError
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ENV_PREFIX, Settings
from retentioncast.infra.sql import sql
from retentioncast.infra.topics import change_topics
from retentioncast.stack.status import end_offsets

logger = logging.getLogger(__name__)
SQL = Path(__file__).parent / "sql"
SPAWN = multiprocessing.get_context("spawn")
RATES = (200, 1000)
CUSTOMERS = 2000
CAUGHT_UP_S = 120.0


@dataclass(frozen=True, slots=True)
class Freshness:
    """One load: delays in ms at SHARES, and whether the consumer learnt online."""

    rate: int
    online: bool
    achieved: float
    debezium: list[float]
    ours: list[float]

    def at(self, share: float) -> tuple[float, float, float]:
        """Debezium's and our delay at this share, and their ratio."""
        place = SHARES.index(share)
        return self.debezium[place], self.ours[place], self.ours[place] / self.debezium[place]


def run_freshness(seconds: float = 25.0) -> Result:
    """Both loads, with and without online learning, on one stack."""
    measured, first_id = [], 1
    with own_stack(capture=True) as stack:
        with connect(stack.settings, "owner") as connection:
            connection.execute(sql("freshness.customers", SQL), {"count": CUSTOMERS})
        for online in (True, False):
            variables = {f"{ENV_PREFIX}CONSUMER__ONLINE__ENABLED": str(online).lower()}
            with process(stack.settings, ["consumer"], variables):
                for rate in (RATES[0], *RATES):
                    found = measure(stack.settings, Load(rate, seconds, CUSTOMERS, first_id), online)
                    first_id += int(rate * seconds)
                    measured.append(found)
                    logger.info("%d/s, online %s: p50 %.1f %.1f, p99 %.1f %.1f ms", rate, online,
                                *found.at(0.5)[:2], *found.at(0.99)[:2], extra={"action": "freshness"})  # fmt: skip
                # The first load only warmed the machine up.
                del measured[-len(RATES) - 1]
    return judge(measured, seconds)


def measure(settings: Settings, load: Load, online: bool) -> Freshness:
    """One load while both watchers look."""
    topic = change_topics(settings)[shop.TRANSACTIONS]
    wait_until(lambda: caught_up(settings), "the consumer has caught up")
    folder = settings.home / "watched"
    folder.mkdir(exist_ok=True)
    starts = {partition: end for (name, partition), end in end_offsets(settings).items() if name == topic}
    with watching(watch_topic, settings, starts, topic, file=folder / "topic"), \
            watching(watch_tables, settings, topic, file=folder / "tables"):  # fmt: skip
        commits = write_shop(settings, load)
        wanted = sum(starts.values()) + len(commits)
        wait_until(lambda: _length(settings, topic) >= wanted, "Debezium has sent all")
        wait_until(lambda: caught_up(settings), "the consumer has caught up")
        time.sleep(0.5)  # the watchers' last look
    seen, progress = (msgspec.json.decode((folder / name).read_bytes()) for name in ("topic", "tables"))
    bare, ours = delays_ms(commits, seen, progress)
    times = [when for _, when in commits]
    return Freshness(load.rate, online, len(commits) / (max(times) - min(times)), quantiles(bare), quantiles(ours))


@contextlib.contextmanager
def watching(watcher: Callable[..., None], *arguments: Any, file: Path) -> Iterator[None]:
    """A watcher in a process of its own, ready before the block; its file is written after it."""
    ready, stop = SPAWN.Event(), SPAWN.Event()
    started = SPAWN.Process(target=watcher, args=(*arguments, ready, stop, file), daemon=True)
    started.start()
    if not ready.wait(60):
        raise StackError(f"{watcher.__name__} did not start.", "Run it again on a quieter machine.")
    try:
        yield
    finally:
        stop.set()
        started.join(60)


def caught_up(settings: Settings) -> bool:
    """Whether our tables include all that the topics hold."""
    with connect(settings, "reader") as connection:
        rows = connection.execute("select topic, partition, next_offset from analytics.offsets").fetchall()
    ends = end_offsets(settings)
    return bool(ends) and {(topic, partition): next_offset for topic, partition, next_offset in rows} == ends


def wait_until(done: Callable[[], bool], what: str, every_s: float = 0.2) -> None:
    """Return when it is so; StackError after two minutes."""
    give_up = time.monotonic() + CAUGHT_UP_S
    while not done():
        if time.monotonic() > give_up:
            raise StackError(f"Waited {CAUGHT_UP_S:.0f} s until {what}.", "Run it again on a quieter machine.")
        time.sleep(every_s)


def _length(settings: Settings, topic: str) -> int:
    return sum(end for (name, _), end in end_offsets(settings).items() if name == topic)


def judge(measured: list[Freshness], seconds: float) -> Result:
    """A row for each load; the ratios of the 99th percentiles as claims."""
    claims, table, delays = [], [], dict[str, list[float]]()
    for each in measured:
        how = f"{each.rate:,} writes/s, online learning {'on' if each.online else 'off'}"
        (d50, o50, _), (d99, o99, ratio) = each.at(0.5), each.at(0.99)
        claims.append(Claim(f"Freshness at {how}: p99 of commit → customer_rfm / Debezium's own p99", ratio, 1.5))
        table.append(
            (how, f"{each.achieved:,.0f}", f"{d50:.1f}", f"{d99:.1f}", f"{o50:.1f}", f"{o99:.1f}", f"{ratio:.2f}")
        )
        delays |= {f"Debezium: {how}": each.debezium, f"customer_rfm: {how}": each.ours}
    return Result(
        "freshness",
        "Freshness: from a commit in the shop to customer_rfm",
        f"Single-row commits at a steady rate for {seconds:.0f} s, after as long to warm up. A bare consumer (same "
        "settings as ours) notes when it sees each message: Debezium's own delay. Our offsets, which move in the "
        f"transaction that changes `customer_rfm`, are looked at every millisecond. Time counts from the moment that "
        "the shop's commit has returned.",
        ("load", "writes/s reached", "Debezium p50, ms", "p99, ms", "customer_rfm p50, ms", "p99, ms", "ratio of p99"),
        table,
        claims,
        {"kind": "delays", "shares": list(np.round(SHARES, 4)), "delays_ms": delays},
    )
