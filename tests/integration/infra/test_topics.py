"""The topics on a real Kafka: made once, with the partitions of the settings, kept for ever."""

from __future__ import annotations

from itertools import count
from time import monotonic, sleep

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from retentioncast.core.errors import Retry, StackError
from retentioncast.infra.settings import KafkaSettings, Settings
from retentioncast.infra.topics import change_topics, ensure_topics, heartbeat_topic, signal_topic
from retentioncast.stack.native import NativeStack

pytestmark = pytest.mark.e2e

_numbers = count(1)


@pytest.fixture
def settings(stack: NativeStack) -> Settings:
    """The stack's Kafka under a topic prefix that nobody else uses."""
    kafka = stack.settings.kafka.model_copy(update={"topic_prefix": f"topics-test-{next(_numbers)}", "partitions": 3})
    return stack.settings.model_copy(update={"kafka": kafka})


def _with(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update=changes)})


def _admin(settings: Settings) -> AdminClient:
    return AdminClient({"bootstrap.servers": settings.kafka.bootstrap})


def _delete(settings: Settings, topic: str) -> None:
    admin = _admin(settings)
    admin.delete_topics([topic])[topic].result()
    give_up = monotonic() + 30
    while topic in admin.list_topics(timeout=10).topics and monotonic() < give_up:
        sleep(0.05)


def test_each_role_gets_a_topic_with_the_partitions_of_the_settings(settings: Settings) -> None:
    made = ensure_topics(settings)

    found = _admin(settings).list_topics(timeout=10).topics
    assert set(made) == {*change_topics(settings).values(), heartbeat_topic(settings), signal_topic(settings)}
    assert {len(found[topic].partitions) for topic in change_topics(settings).values()} == {3}


def test_changes_are_never_thrown_away(settings: Settings) -> None:
    ensure_topics(settings)
    resource = ConfigResource(ResourceType.TOPIC, change_topics(settings)["transactions"])

    admin = _admin(settings)
    config = admin.describe_configs([resource])[resource].result()

    kept = {name: config[name].value for name in ("cleanup.policy", "retention.ms", "retention.bytes")}
    assert kept == {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


def test_a_second_call_makes_nothing(settings: Settings) -> None:
    ensure_topics(settings)

    assert ensure_topics(settings) == []


def test_a_missing_topic_is_made_beside_the_others(settings: Settings) -> None:
    ensure_topics(settings)
    gone = change_topics(settings)["sessions"]
    _delete(settings, gone)

    assert ensure_topics(settings) == [gone]


def test_another_partition_count_is_refused_with_the_topic_and_both_numbers(settings: Settings) -> None:
    ensure_topics(settings)

    with pytest.raises(StackError, match=r"shop\.customers has 3 partitions; kafka\.partitions is 4\..*PARTITIONS=3"):
        ensure_topics(_with(settings, partitions=4))


def test_a_refused_topic_says_why(settings: Settings) -> None:
    with pytest.raises(StackError, match=r"refuses to make topic .*replication factor of 2.*kafka\.replication_factor"):
        ensure_topics(_with(settings, replication_factor=2))


def test_a_name_that_is_too_long_says_so(settings: Settings) -> None:
    with pytest.raises(StackError, match=r"refuses to make topic .*249.*kafka\.topic_prefix"):
        ensure_topics(_with(settings, topic_prefix="x" * 240))


def test_a_kafka_that_does_not_answer_is_named() -> None:
    with pytest.raises(Retry, match=r"Kafka at 127\.0\.0\.1:1 does not answer.*retentioncast up"):
        ensure_topics(Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:1")), timeout_s=1)
