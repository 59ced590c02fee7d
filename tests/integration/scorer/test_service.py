"""The process itself: starts by itself when there is enough, ends cleanly, and says in one line what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ENV_PREFIX, Settings
from tests.integration.scorer.mirror import add_transactions, plausible_shop, set_stream_time

DEADLINE_S = 120.0


def environment(settings: Settings, **variables: str) -> dict[str, str]:
    """What leads a process to this database."""
    own = {"HOME": str(settings.home), "POSTGRES__DATABASE": settings.postgres.database, "SCORER__DRAWS": "50"}
    return os.environ | {ENV_PREFIX + name: value for name, value in (own | variables).items()}


def scorer(settings: Settings, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scorer", *arguments]
    env = environment(settings, **variables)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=DEADLINE_S, check=False)


@pytest.fixture
def shop(database: Settings) -> Settings:
    add_transactions(database, plausible_shop())
    set_stream_time(database, 300)
    with connect(database, "consumer") as connection:
        connection.execute(
            "insert into analytics.customer_totals select customer_id, min(occurred_at), max(occurred_at), count(*),"
            " sum(amount) from analytics.transactions group by 1"
        )
    return database


@pytest.fixture
def service(shop: Settings) -> Iterator[subprocess.Popen[str]]:
    """A scorer whose period is longer than any test."""
    env = environment(shop, SCORER__PERIOD_S="86400")
    with subprocess.Popen([sys.executable, "-m", "scorer"], env=env, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def wait_for_run(settings: Settings) -> str:
    give_up = time.monotonic() + DEADLINE_S
    with connect(settings, "reader", autocommit=True) as connection:
        while time.monotonic() < give_up:
            row = connection.execute("select status from scores.model_runs").fetchone()
            if row is not None:
                return str(row[0])
            time.sleep(0.1)
    pytest.fail("there was no run in time")


def test_the_first_scores_come_without_waiting_for_the_period_and_sigterm_ends_it_cleanly(
    shop: Settings, service: subprocess.Popen[str]
) -> None:
    assert wait_for_run(shop) == "published"
    service.send_signal(signal.SIGTERM)
    _, told = service.communicate(timeout=DEADLINE_S)
    assert service.returncode == 0
    assert told.splitlines()[-1].endswith("Stopped.")


def test_once_prints_the_row_of_its_run_for_a_machine(shop: Settings) -> None:
    done = scorer(shop, "--once", "--as-of", "2026-06-30", "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert (run["status"], run["as_of"]) == ("published", "2026-06-30T23:59:59.999999+00:00")
    with connect(shop, "reader") as connection:
        rows = connection.execute("select run_id, parameters from scores.model_runs").fetchall()
    assert rows == [(run["run_id"], run["parameters"])]
    models = {"purchase", "spend", "subscription", "retention"}
    assert set(run["parameters"]) == {*models, "judgement", "settings", "schema_version"}


def test_once_on_an_empty_shop_ends_with_1_and_says_why(database: Settings) -> None:
    done = scorer(database, "--once")
    assert done.returncode == 1
    assert done.stdout.startswith("Run 1: refused. The stream has no time yet")


def test_no_database_is_one_clear_line(database: Settings) -> None:
    done = scorer(database, "--once", POSTGRES__PORT="1")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "Postgres at 127.0.0.1:1/" in line and "retentioncast up" in line


def test_a_time_that_is_none_is_one_clear_line(database: Settings) -> None:
    done = scorer(database, "--once", "--as-of", "soon")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "--as-of 'soon' is not a time." in line
