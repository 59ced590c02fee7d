"""Debezium's own rate with our settings, and the rate of the whole way: COPY in the shop to the last row in the RFM."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.contenders import process
from benchmarks.freshness import CUSTOMERS, caught_up, wait_until
from benchmarks.own_stack import own_stack
from benchmarks.results import Claim, Result
from retentioncast.core.errors import StackError
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ENV_PREFIX, Settings
from retentioncast.infra.sql import sql
from retentioncast.infra.verify import verify
from retentioncast.stack.status import end_offsets

logger = logging.getLogger(__name__)
SQL = Path(__file__).parent / "sql"
LOOK_EVERY_S = 0.05

DEBEZIUM = "Debezium: COPY committed → last message in the topic"
WHOLE = "whole way: COPY committed → last row in customer_rfm"
WHOLE_2 = "whole way with 2 consumer processes"
ONLINE = "whole way with online learning"


@dataclass(slots=True)
class Shop:
    """Writes blocks of rows, each in one COPY; counts what it wrote."""

    settings: Settings
    block: int
    written: int = 0

    def copy(self) -> float:
        """One block; when its commit had returned (monotonic seconds)."""
        values = {"first": self.written + 1, "last": self.written + self.block, "customers": CUSTOMERS}
        with connect(self.settings, "owner") as connection:
            rows = [row for (row,) in connection.execute(sql("debezium.rows", SQL), values)]
            with connection.cursor().copy(sql("debezium.copy", SQL)) as copy:
                for row in rows:
                    copy.write(row)
        self.written += self.block
        return time.monotonic()

    def sent(self) -> bool:
        """Whether Debezium has brought all that was ever written (and the customers) into the topics."""
        return sum(end_offsets(self.settings).values()) >= self.written + CUSTOMERS

    def applied(self) -> bool:
        """Whether all of it is in the tables too."""
        return self.sent() and caught_up(self.settings)


def run_capture(block: int = 300_000, repetitions: int = 3) -> Result:
    """Debezium alone, then the whole way; each warmed up by one block."""
    rates: dict[str, list[float]] = {}
    with own_stack(capture=True) as stack:
        with connect(stack.settings, "owner") as connection:
            connection.execute(sql("freshness.customers", SQL), {"count": CUSTOMERS})
        shop = Shop(stack.settings, block)
        rates[DEBEZIUM] = [debezium_rate(shop) for _ in range(repetitions + 1)][1:]
        rates[WHOLE] = whole_rates(shop, repetitions)
        rates[WHOLE_2] = whole_rates(shop, repetitions, processes=2)
        rates[ONLINE] = whole_rates(shop, 1, online=True)
        if wrong := verify(stack.settings, names=None):
            raise StackError(f"{len(wrong)} differences at the end, the first: {wrong[0]}", "This is a fault.")
    return judge(block, rates)


def debezium_rate(shop: Shop) -> float:
    """Rows a second from the commit to the last message."""
    begun = shop.copy()
    wait_until(shop.sent, "Debezium has sent all", LOOK_EVERY_S)
    rate = shop.block / (time.monotonic() - begun)
    logger.info("Debezium: %.0f/s", rate, extra={"action": "capture"})
    return rate


def whole_rates(shop: Shop, repetitions: int, processes: int = 1, online: bool = False) -> list[float]:
    """Rows a second from the commit to the last row, with consumers that were idle before."""
    variables = {f"{ENV_PREFIX}CONSUMER__ONLINE__ENABLED": str(online).lower()}
    if processes > 1:
        with process(shop.settings, ["consumer"], variables):
            return whole_rates(shop, repetitions, processes - 1, online)
    rates = []
    with process(shop.settings, ["consumer"], variables):
        wait_until(shop.applied, "the consumer has caught up")
        for _ in range(repetitions):
            begun = shop.copy()
            wait_until(shop.applied, "all is applied", LOOK_EVERY_S)
            rates.append(shop.block / (time.monotonic() - begun))
            logger.info("Whole way (online %s): %.0f/s", online, rates[-1], extra={"action": "capture"})
    return rates


def judge(block: int, rates: dict[str, list[float]]) -> Result:
    """The medians; the whole way can't be quicker than Debezium, and should not be much slower."""
    medians = {name: median(each) for name, each in rates.items()}
    table = [(name, f"{rate:,.0f}", str(len(rates[name]))) for name, rate in medians.items()]
    return Result(
        "capture",
        "Debezium's own rate, and the whole way",
        f"Blocks of {block:,} rows, each one COPY and one commit in `shop.transactions`; the clock runs from the "
        "moment that the commit has returned. Everything runs on the one machine. At the end `retentioncast verify` "
        "found no difference.",
        ("what", "rows a second, median", "runs"),
        table,
        [
            Claim(
                "Whole way: time of shop → customer_rfm / time of shop → topic", medians[DEBEZIUM] / medians[WHOLE], 2.0
            )
        ],
        {"kind": "rates", "ours": [WHOLE, WHOLE_2, ONLINE], "rates": rates},
    )
