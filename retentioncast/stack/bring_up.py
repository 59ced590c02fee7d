"""The order in which the native stack comes up, from three empty servers to a live shop."""

from __future__ import annotations

import subprocess
import sys

from retentioncast.core.errors import StackError
from retentioncast.infra.connector import ensure_connector
from retentioncast.infra.migrate import migrate
from retentioncast.infra.topics import ensure_topics
from retentioncast.stack.native import NativeStack
from retentioncast.stack.queries import not_arrived, shop_is_empty
from retentioncast.stack.waiting import wait_until_empty


def bring_up(stack: NativeStack, services: bool = True) -> None:
    """Servers, schema, topics, connector, our services, the demo shop. Whatever runs already is left alone."""
    stack.ensure(stack.infrastructure())
    prepare_pipeline(stack)
    if not services:
        return
    stack.forget_surplus()
    stack.ensure(stack.consumers())
    if stack.settings.stack.demo and shop_is_empty(stack.settings):
        fill_shop(stack)
        await_consumers(stack)
    # After the past has arrived, so that the first fit sees all of it.
    stack.ensure([stack.scorer])
    if stack.settings.stack.demo:
        stack.ensure([stack.simulator])


def prepare_pipeline(stack: NativeStack) -> None:
    """Database, schema, topics and connector; each is made once and only checked afterwards."""
    settings, progress = stack.settings, stack.progress
    with progress.step("Migrate the database") as step:
        stack.postgres.create_database()
        migrate(settings)
        step.result = f"The schema of {settings.postgres.database} is up to date"
    with progress.step("Make the Kafka topics") as step:
        made = ensure_topics(settings)
        step.result = f"{len(made)} topics made" if made else "The topics are there"
    with progress.step("Register the Debezium connector") as step:
        ensure_connector(settings)
        step.result = f"The connector {settings.connect.connector} captures the shop"


def fill_shop(stack: NativeStack) -> None:
    """Give an empty shop a past."""
    demo = stack.settings.simulator
    with stack.progress.step(f"Give the shop a past: {demo.customers} customers, {demo.history}") as step:
        command = [
            sys.executable, "-m", "simulator", "--customers", str(demo.customers), "--history", demo.history,
            "--seed", str(demo.seed), "--only-history",
        ]  # fmt: skip
        done = subprocess.run(command, env=stack.variables, check=False)
        if done.returncode:
            raise StackError(
                f"The simulator could not write the shop's past (exit code {done.returncode}).",
                "What it said stands above; run `retentioncast up` again, or --no-demo for an empty shop.",
            )
        step.result = "The shop has a past"


def await_consumers(stack: NativeStack, deadline_s: float = 300) -> None:
    """Wait until what has been written to the shop stands in the analytics tables."""
    with stack.progress.step("Bring the changes through Debezium and Kafka") as step:
        if left := wait_until_empty(lambda: not_arrived(stack.settings), deadline_s, step.note):
            raise StackError(
                f"The consumers are not there after {deadline_s:.0f} s: {left}.",
                "See `retentioncast status`, `retentioncast logs consumer` and `retentioncast connector status`.",
            )
        step.result = "The analytics tables hold what the shop holds"
