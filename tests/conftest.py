"""What integration and end-to-end tests stand on: a real Postgres with a database a test, a whole native stack."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from retentioncast.infra.migrate import migrate
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ENV_PREFIX, Settings
from retentioncast.stack.bring_up import prepare_pipeline
from retentioncast.stack.native import NativeStack
from tests.private_stack import JAVA_OPTIONS, private_stack
from tests.side_by_side import make_scheduler

TEMPLATE = "retentioncast_template"
_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Asked to end (a CI's deadline, `timeout`), stop the stacks that were started, as after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _nobody_elses_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither the environment nor the home of a demo reaches the tests; Java starts quickly."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
            patch.delenv(name)
        patch.setenv(f"{ENV_PREFIX}HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("JDK_JAVA_OPTIONS", JAVA_OPTIONS)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Settings]:
    """A Postgres server, started when the first test asks for it; the settings that lead to it as the owner."""
    with private_stack() as stack:
        stack.ensure([stack.postgres])
        yield stack.settings


@pytest.fixture(scope="session")
def template(postgres: Settings) -> Settings:
    """A migrated database on that server that nobody writes to."""
    settings = _at(postgres, TEMPLATE)
    _execute(postgres, "create database {}", TEMPLATE)
    migrate(settings)
    return settings


@pytest.fixture
def database(template: Settings) -> Iterator[Settings]:
    """A database of the test's own, a copy of the template: migrated and empty."""
    with _copy(template) as settings:
        yield settings


@pytest.fixture
def another_database(template: Settings) -> Iterator[Settings]:
    """A second one, for tests that compare two."""
    with _copy(template) as settings:
        yield settings


@pytest.fixture(scope="session")
def stack() -> Iterator[NativeStack]:
    """Postgres, Kafka and Connect with schema, topics and a running connector; `stack.settings` leads to them.

    Our services are not started: `stack.ensure(stack.services())` does it, or a test runs them itself with
    `stack.variables` as their environment.
    """
    with private_stack() as running:
        running.ensure(running.infrastructure())
        prepare_pipeline(running)
        yield running


@contextlib.contextmanager
def _copy(template: Settings) -> Iterator[Settings]:
    name = f"test_{next(_numbers)}"
    _execute(template, f"create database {{}} template {TEMPLATE}", name)
    try:
        yield _at(template, name)
    finally:
        _execute(template, "drop database {} with (force)", name)


def _at(settings: Settings, database: str) -> Settings:
    return settings.model_copy(update={"postgres": settings.postgres.model_copy(update={"database": database})})


def _execute(settings: Settings, statement: str, name: str) -> None:
    with connect(settings, "owner", dbname="postgres", autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What stands below tests/integration and tests/e2e carries that mark."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        if folder in ("integration", "e2e"):
            item.add_marker(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run two at a time."""
    return make_scheduler(config, log)
