"""Keeps the running Debezium connector equal to debezium/connector.json, and says when it is not or has failed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import uuid4

from psycopg import sql as composed

from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.errors import InvalidInput, Retry, StackError
from retentioncast.core.shop import ROLES, ShopNames
from retentioncast.infra.connect_rest import ConnectRest
from retentioncast.infra.connector_config import SIGNAL_TABLE, qualified, render_connector
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

__all__ = [
    "ConnectorChange",
    "ConnectorStatus",
    "Difference",
    "connector_status",
    "drift",
    "ensure_connector",
    "render_connector",
    "resnapshot",
]

logger = logging.getLogger(__name__)

RUNNING, FAILED, MISSING = "RUNNING", "FAILED", "MISSING"
_POLL_S = 0.25
#: A restart is asynchronous: for so long a FAILED may still be the old one.
_RESTART_GRACE_S = 5.0
_SECRET = "database.password"
_LONGEST_LINE = 300
#: What Debezium says when its stored offset lies before the slot's, or the slot is gone.
_LOST = "no longer available on the server"


class ConnectorChange(StrEnum):
    """What `ensure_connector` had to do."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting whose running value is not the one we want; None: not set. Shows no password."""

    setting: str
    running: str | None
    wanted: str | None

    def __str__(self) -> str:
        running, wanted = ("not set" if value is None else value for value in (self.running, self.wanted))
        if self.setting == _SECRET:
            return f"running config differs in {self.setting} (not shown)"
        return f"running config differs in {self.setting}: {running} instead of {wanted}"


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """The state of the connector and of its tasks in Connect's words, MISSING when it is not registered."""

    state: str
    tasks: tuple[str, ...] = ()
    problem: str = ""

    @property
    def running(self) -> bool:
        """Whether the connector and at least one task run, and none does not."""
        return bool(self.tasks) and {self.state, *self.tasks} == {RUNNING}

    @property
    def failed(self) -> bool:
        """Whether the connector or a task has given up."""
        return FAILED in (self.state, *self.tasks)


def connector_status(settings: Settings) -> ConnectorStatus:
    """What Connect says now. Errors: Retry when it does not answer."""
    return _status(ConnectRest(settings))


def drift(settings: Settings) -> list[Difference]:
    """Where the running configuration is not what the settings ask for; StackError when none runs."""
    rest = ConnectRest(settings)
    running = rest.get("config")
    if running is None:
        raise StackError(f"Connector {rest.name} is not registered.", "Run `retentioncast connector`.")
    return _differences(running, render_connector(settings))


def ensure_connector(settings: Settings, deadline_s: float = 90.0, clock: Clock | None = None) -> ConnectorChange:
    """Register or correct the connector and wait until it runs; a failed one is restarted once.

    Errors: Retry when Connect does not answer within the deadline; StackError when the connector is refused,
    fails, or does not run by then.
    """
    clock = clock or SystemClock()
    give_up = clock.monotonic_s() + deadline_s
    rest, wanted = ConnectRest(settings), render_connector(settings)
    change = _patiently(lambda: _put(rest, wanted), clock, give_up)
    _wait_running(rest, wanted, clock, give_up)
    logger.info("Connector %s runs (%s).", rest.name, change, extra={"action": "ensure_connector"})
    return change


def resnapshot(settings: Settings, roles: Sequence[str] = ROLES, names: ShopNames | None = None) -> str:
    """Ask Debezium to read these tables again while it streams on (an incremental snapshot); returns the signal's id.

    Errors: InvalidInput for an unknown role; Retry when the database does not answer.
    """
    names = names or ShopNames()
    unknown = [role for role in roles if role not in names.tables]
    if unknown or not roles:
        raise InvalidInput(
            f"There is no table {', '.join(unknown) or '(none given)'}.", f"Choose of: {', '.join(ROLES)}."
        )
    signal = str(uuid4())
    data = json.dumps({"type": "incremental", "data-collections": qualified(names, tuple(roles))})
    statement = composed.SQL(sql("connector.ask_for_snapshot"))
    table = composed.Identifier(names.schema, SIGNAL_TABLE)
    with connect(settings, "debezium") as connection:
        connection.execute(statement.format(table=table), {"id": signal, "data": data})
    logger.info("Asked for a snapshot of %s.", ", ".join(roles), extra={"action": "resnapshot", "signal": signal})
    return signal


def _put(rest: ConnectRest, wanted: dict[str, str]) -> ConnectorChange:
    running = rest.get("config")
    if running is None:
        rest.put_config(wanted)
        return ConnectorChange.CREATED
    differences = _differences(running, wanted)
    if not differences:
        return ConnectorChange.UNCHANGED
    for difference in differences:
        logger.warning("Connector %s: %s.", rest.name, difference, extra={"action": "drift"})
    rest.put_config(wanted)
    return ConnectorChange.UPDATED


def _differences(running: dict[str, str], wanted: dict[str, str]) -> list[Difference]:
    return [
        Difference(setting, running.get(setting), wanted.get(setting))
        for setting in sorted({*running, *wanted} - {"name"})
        if running.get(setting) != wanted.get(setting)
    ]


def _wait_running(rest: ConnectRest, wanted: dict[str, str], clock: Clock, give_up: float) -> None:
    restarted_at: float | None = None
    while True:
        status = _patiently(lambda: _status(rest), clock, give_up)
        now = clock.monotonic_s()
        if status.running and _patiently(lambda: _tasks_know(rest, wanted), clock, give_up):
            return
        if status.failed and restarted_at is None:
            logger.warning("%s Restarting it once.", status.problem, extra={"action": "restart_connector"})
            _patiently(rest.restart_failed, clock, give_up)
            restarted_at = now
        elif status.failed and restarted_at is not None and now - restarted_at > _RESTART_GRACE_S:
            raise StackError(f"Connector {rest.name} fails: {status.problem}", _next_step(status.problem))
        elif now > give_up:
            raise StackError(
                f"Connector {rest.name} does not run in time: it is {status.state}, its tasks "
                f"{', '.join(status.tasks) or 'not there yet'}. {status.problem}".rstrip(),
                "See `retentioncast logs connect`.",
            )
        clock.sleep(_POLL_S)


def _status(rest: ConnectRest) -> ConnectorStatus:
    said = rest.get("status")
    if said is None:
        return ConnectorStatus(MISSING)
    parts = [said["connector"], *said["tasks"]]
    traces = [part.get("trace", "") for part in parts if part["state"] == FAILED]
    problem = next((_reason(trace) for trace in traces if trace), "")
    return ConnectorStatus(parts[0]["state"], tuple(part["state"] for part in parts[1:]), problem)


def _tasks_know(rest: ConnectRest, wanted: dict[str, str]) -> bool:
    """After a change the tasks of the old configuration run on for a moment."""
    tasks: list[dict[str, Any]] = rest.get("tasks") or []
    return bool(tasks) and all(wanted.items() <= task["config"].items() for task in tasks)


def _reason(trace: str) -> str:
    """The first line of a Java stack trace and its innermost cause, without the connector's inner life."""
    if _LOST in trace:
        return "The replication slot no longer holds the changes after the last one read: some are lost."
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return " ".join(line[:_LONGEST_LINE] for line in dict.fromkeys([*lines[:1], *causes[-1:]]))


def _next_step(problem: str) -> str:
    if "slot" in problem.lower():
        return (
            "Nothing more is read until you decide: delete the connector's offsets, make the slot anew and "
            "re-snapshot (debezium/README.md, When the slot was lost)."
        )
    return "See `retentioncast logs connect`; correct the cause, then run `retentioncast connector`."


def _patiently[T](step: Callable[[], T], clock: Clock, give_up: float) -> T:
    while True:
        try:
            return step()
        except Retry:
            if clock.monotonic_s() > give_up:
                raise
            clock.sleep(_POLL_S)
