"""What `retentioncast status` tells: the parts, the lag, the slot, the last refit; for people and for machines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from rich.console import Console
from rich.table import Table

from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.connector import connector_status
from retentioncast.infra.settings import Settings
from retentioncast.infra.topics import change_topics
from retentioncast.stack.part import PartStatus, Stack
from retentioncast.stack.queries import rows

COLOURS = {"running": "green", "starting": "yellow", "backoff": "red", "fatal": "red", "exited": "red"}


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the analytics tables are behind the topics; None: nobody can tell now."""

    events: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `status` tells."""

    home: str
    kind: str
    parts: list[PartStatus]
    endpoints: dict[str, str]
    #: running, or what is wrong with it.
    connector: str
    lag: Lag
    stream_time: datetime | None
    slot: dict[str, Any] | None
    last_refit: dict[str, Any] | None


def describe_stack(stack: Stack, settings: Settings) -> Status:
    """Ask everybody; who does not answer leaves a gap, never an error."""
    endpoints = {
        "postgres": f"{settings.postgres.host}:{settings.postgres.port}",
        "kafka": settings.kafka.bootstrap,
        "connect": settings.connect.url,
    }
    parts, offsets = stack.parts(), rows(settings, "applied_offsets")
    ends = {} if _stopped("kafka", parts) else end_offsets(settings)
    clock = rows(settings, "stream_time")
    return Status(
        home=str(settings.home),
        kind=settings.stack.kind,
        parts=parts,
        endpoints=endpoints,
        connector=describe_connector(settings),
        lag=measure_lag(ends, offsets),
        stream_time=clock[0]["stream_time"] if clock else None,
        slot=_first(rows(settings, "slot", slot=settings.connect.slot)),
        last_refit=_first(rows(settings, "last_run")),
    )


def _stopped(name: str, parts: list[PartStatus]) -> bool:
    """Of such a part no answer needs to be waited for."""
    return any(part.name == name and part.state == "stopped" for part in parts)


def describe_connector(settings: Settings) -> str:
    """What Connect says of the connector: without it nothing arrives, however small the lag behind Kafka is."""
    try:
        status = connector_status(settings)
    except RetentionCastError as error:
        return error.message
    if status.running:
        return "running"
    state = "failed" if status.failed else status.state.lower()
    return f"{state}: {status.problem or 'no task runs'}"


def measure_lag(ends: dict[tuple[str, int], int], offsets: list[dict[str, Any]]) -> Lag:
    """Events that wait in all partitions, and the age in seconds of the oldest position that something waits behind."""
    if not ends:
        return Lag()
    applied = {(row["topic"], row["partition"]): row for row in offsets}
    waiting = {key: end - _next_offset(applied.get(key)) for key, end in ends.items()}
    ages = [applied[key]["age_s"] for key, events in waiting.items() if events > 0 and key in applied]
    return Lag(sum(max(events, 0) for events in waiting.values()), max(ages, default=0.0))


def end_offsets(settings: Settings, timeout_s: float = 3) -> dict[tuple[str, int], int]:
    """Where each partition of the change topics ends; nothing when Kafka does not answer."""
    client = AdminClient({"bootstrap.servers": settings.kafka.bootstrap, "log_level": 0})
    try:
        found = client.list_topics(timeout=timeout_s).topics
        ours = [name for name in change_topics(settings).values() if name in found]
        asked = {
            TopicPartition(topic, partition): OffsetSpec.latest()
            for topic in ours
            for partition in found[topic].partitions
        }
        if not asked:
            return {}
        answers = client.list_offsets(asked, request_timeout=timeout_s)
        return {(key.topic, key.partition): answer.result().offset for key, answer in answers.items()}
    except KafkaException:
        return {}


def to_json(status: Status) -> str:
    """One JSON object; times in ISO 8601."""
    return json.dumps(asdict(status), default=lambda value: value.isoformat(), indent=2)


def show_status(status: Status, console: Console) -> None:
    """A table of the parts, and a line for each of the rest."""
    table = Table("part", "state", "pid", "since", "")
    for part in status.parts:
        colour = COLOURS.get(part.state, "dim")
        since = _ago(part.since) if part.since else ""
        table.add_row(part.name, f"[{colour}]{part.state}[/]", str(part.pid or ""), since, part.detail)
    console.print(table)
    for name, text in _lines(status):
        console.print(f"{name:<12} {text}", highlight=False, markup=False, soft_wrap=True)


def _lines(status: Status) -> list[tuple[str, str]]:
    lag, slot, refit = status.lag, status.slot, status.last_refit
    behind = "unknown" if lag.events is None else f"{lag.events} events, {lag.seconds or 0:.1f} s"
    retained = f"{slot['retained_bytes'] / 2**20:.1f} MB of WAL retained, {slot['wal_status']}" if slot else "none"
    fitted = f"{refit['status']} {_ago(refit['started_at'])}: {refit['reason']}" if refit else "none yet"
    return [
        ("connector", status.connector),
        ("lag", behind),
        ("stream time", status.stream_time.isoformat(timespec="seconds") if status.stream_time else "no event yet"),
        ("slot", retained),
        ("last refit", fitted),
        *status.endpoints.items(),
        ("home", status.home),
    ]


def _next_offset(row: dict[str, Any] | None) -> int:
    return int(row["next_offset"]) if row else 0


def _first(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    return found[0] if found else None


def _ago(moment: datetime) -> str:
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
