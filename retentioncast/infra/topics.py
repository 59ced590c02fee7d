"""Makes the Kafka topics before Debezium first writes to them, because their partition count decides who sees what."""

from __future__ import annotations

import logging
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.errors import Retry, StackError
from retentioncast.core.shop import ROLES, ShopNames
from retentioncast.infra.settings import Settings

logger = logging.getLogger(__name__)

#: Every change is kept: a replay from the first offset must give the same tables.
_KEPT_FOREVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
#: Nobody replays heartbeats or signals.
_KEPT_A_DAY = {"cleanup.policy": "delete", "retention.ms": "86400000"}


def change_topics(settings: Settings, names: ShopNames | None = None) -> dict[str, str]:
    """The topic of each role's changes: role -> topic."""
    names = names or ShopNames()
    return {role: names.topic(settings.kafka.topic_prefix, role) for role in ROLES}


def heartbeat_topic(settings: Settings) -> str:
    """Where Debezium's heartbeats go."""
    return f"__debezium-heartbeat.{settings.kafka.topic_prefix}"


def signal_topic(settings: Settings, names: ShopNames | None = None) -> str:
    """Where Debezium copies its signals; nobody reads it."""
    return f"{settings.kafka.topic_prefix}.{(names or ShopNames()).schema}.debezium_signals"


def ensure_topics(settings: Settings, timeout_s: float = 30.0, clock: Clock | None = None) -> list[str]:
    """Make the topics that are missing, wait until the broker shows them, and return their names.

    A second call makes nothing. Errors: Retry when no broker answers; StackError when a topic has another
    partition count, or is refused.
    """
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap, "log_level": 0, "logger": _librdkafka()})
    wanted = {topic.topic: topic for topic in _topics(settings)}
    found = _partition_counts(admin, settings, timeout_s)
    _check_partitions(wanted, found)
    missing = [topic for name, topic in wanted.items() if name not in found]
    made = [name for name, future in _create(admin, missing, timeout_s) if _made(name, future)]
    if missing:
        _check_partitions(wanted, _wait_until_shown(admin, settings, set(wanted), timeout_s, clock or SystemClock()))
    if made:
        logger.info("Made %d topics: %s.", len(made), ", ".join(made), extra={"action": "ensure_topics"})
    return made


def _topics(settings: Settings) -> list[NewTopic]:
    kafka = settings.kafka

    def topic(name: str, partitions: int, config: dict[str, str]) -> NewTopic:
        return NewTopic(name, partitions, kafka.replication_factor, config=config)

    changes = [topic(name, kafka.partitions, _KEPT_FOREVER) for name in change_topics(settings).values()]
    own = [topic(name, 1, _KEPT_A_DAY) for name in (heartbeat_topic(settings), signal_topic(settings))]
    return changes + own


def _partition_counts(admin: AdminClient, settings: Settings, timeout_s: float) -> dict[str, int]:
    try:
        metadata = admin.list_topics(timeout=timeout_s)
    except KafkaException as error:
        raise Retry(
            f"Kafka at {settings.kafka.bootstrap} does not answer: {error.args[0].str()}.",
            "Check kafka.bootstrap, see `retentioncast status`; start it with `retentioncast up`.",
        ) from error
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def _wait_until_shown(
    admin: AdminClient, settings: Settings, wanted: set[str], timeout_s: float, clock: Clock
) -> dict[str, int]:
    """The broker confirms a topic some time before it tells of it."""
    give_up = clock.monotonic_s() + timeout_s
    while not wanted <= (found := _partition_counts(admin, settings, timeout_s)).keys():
        if clock.monotonic_s() > give_up:
            raise Retry(
                f"Kafka at {settings.kafka.bootstrap} does not show {', '.join(sorted(wanted - found.keys()))} yet.",
                "See `retentioncast logs kafka`.",
            )
        clock.sleep(0.05)
    return found


def _check_partitions(wanted: dict[str, NewTopic], found: dict[str, int]) -> None:
    for name, topic in wanted.items():
        if found.get(name, topic.num_partitions) != topic.num_partitions:
            raise StackError(
                f"Topic {name} has {found[name]} partitions; kafka.partitions is {topic.num_partitions}. With another "
                "count, the changes of one customer would lie in two partitions.",
                f"Set RETENTIONCAST_KAFKA__PARTITIONS={found[name]}, or choose another kafka.topic_prefix "
                "and re-snapshot.",
            )


def _create(admin: AdminClient, topics: list[NewTopic], timeout_s: float) -> list[tuple[str, Future[None]]]:
    if not topics:
        return []
    futures: dict[str, Future[None]] = admin.create_topics(topics, operation_timeout=timeout_s)
    return list(futures.items())


def _made(name: str, future: Future[None]) -> bool:
    try:
        future.result()
    except KafkaException as error:
        reason = error.args[0]
        if reason.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False  # Somebody else was faster; its partitions are checked as well.
        raise StackError(
            f"Kafka refuses to make topic {name}: {reason.str().rstrip('.')}.",
            "Check kafka.topic_prefix, kafka.partitions and kafka.replication_factor.",
        ) from error
    return True


def _librdkafka() -> logging.Logger:
    """librdkafka reports each failed connection; the one error raised says it better."""
    quiet = logging.getLogger(f"{__name__}.librdkafka")
    quiet.setLevel(logging.CRITICAL)
    return quiet
