"""An explanation on a terminal, and as JSON."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from rich.console import Console

from retentioncast.commands.explain import plain, show
from retentioncast.core.explaining import Level, Part
from retentioncast.core.rfm import Transaction
from retentioncast.infra.explain import Explanation

SINCE = datetime(2026, 5, 1, 9, tzinfo=UTC)
BOUGHT = Transaction(77, 5, "purchase", Decimal("19.90"), SINCE + timedelta(days=9))


def at(no_purchase: str, alive: str) -> Level:
    return Level(Decimal(no_purchase), Decimal(alive))


PARTS = [
    Part("time", BOUGHT.occurred_at, None, Decimal("0.0625"), Decimal("-0.0500"), at("0.5625", "0.8500")),
    Part("purchase", BOUGHT.occurred_at, BOUGHT, Decimal("-0.2000"), Decimal("0.1000"), at("0.3625", "0.9500")),
    Part("refund", SINCE + timedelta(days=10), BOUGHT, Decimal(0), Decimal(0), None),
    Part("refit", SINCE + timedelta(days=12), None, Decimal("0.0100"), Decimal(0), at("0.3725", "0.9500")),
]
EXPLANATION = Explanation(
    5, SINCE, SINCE + timedelta(days=12), 3, 8, at("0.5000", "0.9000"), PARTS, at("0.3725", "0.9500")
)


def test_each_part_is_a_line_and_the_kinds_add_up() -> None:
    out = io.StringIO()
    show(EXPLANATION, Console(file=out, width=80))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["2026-05-01", "09:00", "by", "run", "3", "50.00%", "90.00%"] in lines
    assert ["2026-05-10", "09:00", "time", "passing", "+6.25", "56.25%", "-5.00", "85.00%"] in lines
    assert ["2026-05-10", "09:00", "purchase", "of", "19.90", "-20.00", "36.25%", "+10.00", "95.00%"] in lines
    assert ["2026-05-13", "09:00", "refit:", "run", "8", "+1.00", "37.25%", "+0.00", "95.00%"] in lines
    assert "no purchase" in out.getvalue() and "…" not in out.getvalue()
    assert [line for line in lines if line[:1] in (["time"], ["purchase"], ["refit"])] == [
        ["time", "+6.25"], ["purchase", "-20.00"], ["refit", "+1.00"],
    ]  # fmt: skip
    assert lines[-1][:3] == ["in", "all", "-12.75"]


def test_json_has_every_part_with_what_it_left() -> None:
    told = json.loads(json.dumps(plain(EXPLANATION)))
    assert [part["what"] for part in told["parts"]] == ["time", "purchase", "refund", "refit"]
    assert told["parts"][1] == {
        "what": "purchase", "at": "2026-05-10T09:00:00+00:00", "transaction_id": 77, "amount": "19.90",
        "no_purchase_30d": -0.2, "probability_alive": 0.1,
        "after": {"no_purchase_30d": 0.3625, "probability_alive": 0.95},
    }  # fmt: skip
    assert told["parts"][2]["after"] is None
    assert (told["run_then"], told["run_now"], told["start"]["no_purchase_30d"]) == (3, 8, 0.5)
