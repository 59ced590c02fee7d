"""`retentioncast watch` on the real pipeline: who, what, before -> after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from retentioncast.infra.postgres import connect
from retentioncast.stack.native import NativeStack

pytestmark = pytest.mark.e2e

CHANGES = """
insert into shop.customers values (900001, 'Ann [a]', 'a', 'US', 'web', '2026-01-01Z');
insert into shop.customers values (900002, 'Bob', 'b', 'US', 'web', '2026-01-01Z');
insert into shop.transactions values (900001, 900001, null, 'purchase', 10.00, 'USD', '2026-01-02Z', null, null);
insert into shop.transactions values (900002, 900001, null, 'purchase', 10.00, 'USD', '2026-01-02Z', null, null);
update shop.transactions set amount = 12.50 where transaction_id = 900001;
update shop.transactions set customer_id = 900002 where transaction_id = 900002;
delete from shop.transactions where transaction_id = 900001;
"""


KEYS = (900001, 900002)


def told(change: dict[str, Any]) -> tuple[str, int, dict[str, list[Any]]]:
    """What was done, to whom, and before -> after of what changed."""
    pairs = {name: [change["before"][name], change["after"][name]] for name in change["changed"]}
    return change["what"], change["customer_id"], pairs


def test_changes_pass_with_their_before_and_after(stack: NativeStack) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-c", "from retentioncast.cli import main; main()", "watch", "--json", "--limit", "7"],
        env={**os.environ, **stack.variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert watching.stderr is not None
        assert watching.stderr.readline().startswith("Watching")
        with connect(stack.settings, "simulator", autocommit=True) as connection:
            for statement in CHANGES.split(";")[:-1]:
                connection.execute(statement)
        output, errors = watching.communicate(timeout=120)
    finally:
        watching.kill()
        watching.wait()
    assert watching.returncode == 0, errors
    seen = [json.loads(line) for line in output.splitlines()]
    # The changes of one row keep their order; those of different rows may overtake each other.
    of_row = {
        key: [change for change in seen if change["key"] == key and change["table"] == "transactions"] for key in KEYS
    }
    assert [told(change) for change in of_row[900001]] == [
        ("insert", 900001, {}),
        ("update", 900001, {"amount": ["10.00", "12.50"]}),
        ("delete", 900001, {}),
    ]
    assert of_row[900001][-1]["before"]["amount"] == "12.50"
    moved = [told(change) for change in of_row[900002] if change["what"] == "update"]
    assert moved == [("update", 900002, {"customer_id": [900001, 900002]})]
