"""Every query and every command of the README and of operations.md, run on a stack with a small shop.

That is: blocks marked `sql` and `sh`. Blocks of operations.md without a mark are procedures that need a disaster first
(a lost slot, a new home); what can be done without one is done in a test of its own below.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from retentioncast.infra.postgres import connect
from retentioncast.stack.bring_up import await_consumers, prepare_pipeline
from retentioncast.stack.native import NativeStack
from retentioncast.stack.queries import scored_customers
from retentioncast.stack.waiting import wait_until_empty
from tests.markdown import Block, blocks, page
from tests.private_stack import private_stack
from tests.ranking import auc

#: Lines that no test can run here, by how they begin, and why.
NOT_RUN = {
    "./setup.sh": "makes the environment that this test runs in; tests/unit/stack/test_setup_scripts.py is about it",
    "./test.sh": "runs this test",
    "docker compose": "needs a container engine; tests/e2e/test_compose.py runs it where one answers",
    "cp .env.example": "goes with docker compose",
    "export PATH": "the test sets the same path for every line",
}
PSQL = "psql"
SEGMENTS = """
    select s.subscription_id, t.segment, s.cancelled_at is not null
    from shop.subscriptions as s join truth.customers as t using (customer_id)
"""
WAIT_S = 180.0
README, OPERATIONS = blocks(page("README.md")), blocks(page("docs/operations.md"))


def ident(block: Block) -> str:
    return f"line {block.line}"


def of_language(found: list[Block], language: str) -> list[Block]:
    return [block for block in found if block.language == language]


def commands(found: list[Block]) -> list[str]:
    lines = [line.strip() for block in of_language(found, "sh") for line in block.text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def reason_not_to_run(line: str) -> str:
    return next((reason for beginning, reason in NOT_RUN.items() if line.startswith(beginning)), "")


def has_psql() -> bool:
    return any((Path(folder) / PSQL).exists() for folder in os.environ["PATH"].split(os.pathsep))


@pytest.fixture(scope="module")
def demo() -> Iterator[NativeStack]:
    """A stack of this module's own (it imports and empties tables): a small past, all services, the live simulator."""
    sections = {
        "stack": {"demo": True},
        "simulator": {"customers": 300, "history": "6mo", "seed": 1},
        "scorer": {"period_s": 600.0, "min_customers": 50},
    }
    with private_stack(**sections) as stack:
        stack.ensure(stack.infrastructure())
        prepare_pipeline(stack)
        stack.ensure(stack.services())
        fill(stack)
        await_consumers(stack)
        stack.ensure([stack.simulator])
        await_scores(stack)
        yield stack


def fill(stack: NativeStack) -> None:
    options = ["--customers", "300", "--history", "6mo", "--seed", "1", "--only-history"]
    command = [sys.executable, "-m", "simulator", *options]
    done = subprocess.run(command, env=stack.variables, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def await_scores(stack: NativeStack) -> None:
    def missing() -> str:
        return "" if scored_customers(stack.settings) > 100 else "no scores yet"

    assert wait_until_empty(missing, WAIT_S, lambda _: None) == ""


def await_segment_values(stack: NativeStack) -> None:
    """They follow the first scores, refitted in a process of their own."""

    def missing() -> str:
        with connect(stack.settings, "reader") as reader:
            return "" if reader.execute("select from scores.segment_values").fetchall() else "no segment values yet"

    assert wait_until_empty(missing, WAIT_S, lambda _: None) == ""


def shown_columns(found: list[Block], query: Block) -> list[str]:
    """The columns of the output that stands below a query."""
    header = found[found.index(query) + 1].text.splitlines()[0]
    return [name.strip() for name in header.split("|")]


@pytest.mark.parametrize("query", of_language(README, "sql"), ids=ident)
def test_a_query_of_the_readme_answers_with_the_columns_shown(demo: NativeStack, query: Block) -> None:
    if "segment_values" in query.text:
        await_segment_values(demo)
    with connect(demo.settings, "reader") as reader:
        answer = reader.execute(query.text.encode())
        assert answer.description is not None
        rows = answer.fetchall()
        columns = [column.name for column in answer.description]
    assert columns == shown_columns(README, query)
    assert rows or "dead_letters" in query.text or "customer_id = " in query.text


@pytest.mark.parametrize("line", [line for line in commands(README) if not reason_not_to_run(line)])
def test_a_command_of_the_readme_works(demo: NativeStack, line: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if line.startswith(PSQL) and not has_psql():
        pytest.skip("there is no psql on PATH")
    if line == "retentioncast segments":
        await_segment_values(demo)
    folder = tmp_path_factory.getbasetemp() / "readme"
    folder.mkdir(exist_ok=True)
    done = run(demo, line, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_shops_segments_are_found_again(demo: NativeStack, tmp_path: Path) -> None:
    """Its mix within its own intervals; who cancelled early and who forgot to, told apart from all that are over."""
    done = run(demo, "retentioncast population infer --json --probabilities who.csv", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    with connect(demo.settings, "owner") as owner:
        truth: dict[int, tuple[str, bool]] = {key: rest for key, *rest in owner.execute(SEGMENTS).fetchall()}  # type: ignore[misc]
    who = pd.read_csv(tmp_path / "who.csv")
    real = np.array([truth[key][0] for key in who["subscription_id"]])
    over = np.array([truth[key][1] for key in who["subscription_id"]])
    for found in json.loads(done.stdout)["shares"]:
        sd = (found["high"] - found["low"]) / 3.76  # a 94 % interval
        assert abs(found["mean"] - (real == found["segment"]).mean()) < 4 * sd + 0.01, found
    for name in ("early_cancellers", "forgot_to_cancel"):
        assert auc(who[name][over], real[over] == name) > 0.9, name


def test_what_is_not_run_is_on_the_pages() -> None:
    lines = commands(README) + commands(OPERATIONS)
    assert [beginning for beginning in NOT_RUN if not any(line.startswith(beginning) for line in lines)] == []


@pytest.mark.parametrize("query", of_language(OPERATIONS, "sql"), ids=ident)
def test_a_statement_of_the_operations_page_is_valid(demo: NativeStack, query: Block) -> None:
    with connect(demo.settings, "owner") as owner:
        for statement in filter(str.strip, query.text.split(";")):
            owner.execute(statement.encode())
        owner.rollback()


def test_the_tables_can_be_filled_anew_from_the_shop(demo: NativeStack, tmp_path: Path) -> None:
    for line in ("retentioncast stop simulator", "retentioncast verify", "retentioncast stop consumer"):
        assert run(demo, line, tmp_path).returncode == 0
    with connect(demo.settings, "owner") as owner:
        owner.execute(emptying().text.encode())
    assert count(demo, "analytics.customer_rfm") == 0
    for line in ("retentioncast start consumer", "retentioncast connector resnapshot"):
        assert run(demo, line, tmp_path).returncode == 0

    def differing() -> str:
        done = run(demo, "retentioncast verify --wait 5", tmp_path)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    assert wait_until_empty(differing, WAIT_S, lambda _: None) == ""
    assert count(demo, "analytics.customer_rfm") > 100


@pytest.mark.parametrize("line", [line for line in commands(OPERATIONS) if not reason_not_to_run(line)])
def test_a_command_of_the_operations_page_works(demo: NativeStack, line: str, tmp_path: Path) -> None:
    done = run(demo, line, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def emptying() -> Block:
    """The statement of the first way: all tables, but not the offsets."""
    found = [block for block in of_language(OPERATIONS, "sql") if re.match("truncate analytics.customers", block.text)]
    assert len(found) == 1
    return found[0]


def count(stack: NativeStack, table: str) -> int:
    with connect(stack.settings, "reader") as reader:
        row: tuple[int] | None = reader.execute(psycopg.sql.SQL(f"select count(*) from {table}")).fetchone()
    assert row is not None
    return row[0]


def run(stack: NativeStack, line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line], env={**stack.variables, "PATH": path}, cwd=folder,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
