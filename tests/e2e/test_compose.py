"""`docker compose up` gives the whole system: changes flow, and what is counted equals what the shop holds."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from testcontainers.compose import DockerCompose

from retentioncast.infra.connector import connector_status, drift
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ConnectSettings, PostgresSettings, Settings
from retentioncast.infra.sql import load_sql
from retentioncast.stack.compose import engine_missing
from retentioncast.stack.paths import CHECKOUT
from retentioncast.stack.ports import free_ports

# An image is built and eight containers start, perhaps beside other tests.
pytestmark = [pytest.mark.docker, pytest.mark.timeout(1500)]

STATEMENTS: dict[str, LiteralString] = load_sql(Path(__file__).parent / "compose.sql")
DEADLINE_S = 300.0


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Free ones, so that a demo on the usual ports is not touched."""
    with free_ports(3) as spare:
        return dict(zip(("POSTGRES_PORT", "KAFKA_PORT", "CONNECT_PORT"), spare, strict=True))


@pytest.fixture(scope="module")
def compose(ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerCompose]:
    """The project under a name of its own, healthy; everything of it is removed afterwards."""
    if missing := engine_missing():
        pytest.skip(f"docker compose cannot run here: {missing}")
    values = {
        "COMPOSE_PROJECT_NAME": f"retentioncast-test-{uuid4().hex[:8]}",
        "RETENTIONCAST_SIMULATOR__CUSTOMERS": 800,
        "RETENTIONCAST_SCORER__PERIOD_S": 15,
        **ports,
    }
    file = tmp_path_factory.mktemp("compose") / "env"
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
    with DockerCompose(CHECKOUT, build=True, env_file=str(file)) as project:
        yield project


@pytest.fixture
def settings(compose: DockerCompose, ports: dict[str, int]) -> Settings:
    """What leads to the published ports."""
    return Settings(
        postgres=PostgresSettings(port=ports["POSTGRES_PORT"]),
        connect=ConnectSettings(
            url=f"http://127.0.0.1:{ports['CONNECT_PORT']}", database_host="postgres", database_port=5432
        ),
    )


def test_customers_are_scored_without_anybody_doing_anything(settings: Settings) -> None:
    with connect(settings, "reader", autocommit=True) as connection:
        assert _wait_for(connection, "scored_customers", lambda count: count > 0) > 0


def test_the_rfm_table_equals_a_recomputation_from_the_shop(compose: DockerCompose, settings: Settings) -> None:
    subprocess.run([*compose.compose_command_property, "stop", "simulator"], cwd=CHECKOUT, check=True)

    with connect(settings, "owner", autocommit=True) as connection:
        different = _wait_for(connection, "rfm_differences", lambda count: count == 0)
        compared = _one(connection, "rfm_rows")

    assert different == 0
    assert compared > 500


def test_no_message_was_refused(settings: Settings) -> None:
    with connect(settings, "reader", autocommit=True) as connection:
        assert _one(connection, "dead_letters") == 0


def test_the_running_connector_is_the_one_of_the_checkout(settings: Settings) -> None:
    assert connector_status(settings).running
    assert drift(settings) == []


def test_nothing_is_published_beyond_this_machine(compose: DockerCompose) -> None:
    published = [
        port.URL for container in compose.get_containers() for port in container.Publishers if port.PublishedPort
    ]

    assert published
    assert set(published) == {"127.0.0.1"}


def _one(connection: psycopg.Connection, statement: str) -> int:
    row = connection.execute(STATEMENTS[statement]).fetchone()
    assert row is not None
    return int(row[0])


def _wait_for(connection: psycopg.Connection, statement: str, enough: Callable[[int], bool]) -> int:
    give_up = time.monotonic() + DEADLINE_S
    while not enough(number := _one(connection, statement)) and time.monotonic() < give_up:
        time.sleep(1)
    return number
