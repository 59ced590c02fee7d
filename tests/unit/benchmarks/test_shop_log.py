"""The made-up log is one that Debezium could have written, and its last state is what it leads to."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from benchmarks.shop_log import ShopLog

CHANGES = 5000


def replayed(log: ShopLog) -> dict[int, dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for event in log.events():
        key, value = json.loads(event.key)["transaction_id"], json.loads(event.value)
        if value["op"] == "d":
            del rows[key]
        else:
            assert (value["op"] == "c") == (key not in rows)
            rows[key] = value["after"]
    return rows


def test_replaying_the_log_gives_the_rows_that_the_shop_holds_at_its_end() -> None:
    log = ShopLog(CHANGES, customers=300, seed=1)

    rows = replayed(log)

    assert rows.keys() == log.sales.keys()
    for key, sale in log.sales.items():
        assert (rows[key]["customer_id"], rows[key]["amount"]) == (sale.customer_id, sale.amount)


def test_the_log_has_every_kind_of_change() -> None:
    events = [json.loads(event.value) for event in ShopLog(CHANGES, customers=300, seed=1).events()]

    operations = Counter(event["op"] for event in events)
    kinds = Counter(event["after"]["kind"] for event in events if event["op"] == "c")
    re_keyed = [event for event in events if event["op"] == "u" and event["before"]]

    assert len(events) == CHANGES
    assert operations["u"] > 100 and operations["d"] > 20 and kinds["refund"] > 50 and kinds["renewal"] > 200
    assert re_keyed and all(each["before"]["customer_id"] != each["after"]["customer_id"] for each in re_keyed)


def test_the_same_seed_writes_the_same_log() -> None:
    first, second = (list(ShopLog(1000, 100, seed=3).events()) for _ in range(2))

    assert first == second


def test_a_refund_refers_to_a_row_that_is_never_deleted() -> None:
    log = ShopLog(CHANGES, customers=300, seed=1)

    rows = replayed(log)

    assert all(row["refers_to"] in rows for row in rows.values() if row["refers_to"] is not None)
