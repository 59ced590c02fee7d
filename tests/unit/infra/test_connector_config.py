"""debezium/connector.json is filled completely, and says what the consumer relies on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from retentioncast.core.errors import StackError
from retentioncast.core.shop import ROLES, UNAVAILABLE
from retentioncast.infra import connector_config
from retentioncast.infra.connector_config import TEMPLATE, render_connector
from retentioncast.infra.settings import ConnectSettings, KafkaSettings, PostgresSettings, Settings
from retentioncast.infra.topics import change_topics, heartbeat_topic, signal_topic


def test_no_placeholder_is_left() -> None:
    assert not [value for value in render_connector(Settings()).values() if "${" in value]


def test_every_value_is_text_as_connect_wants_it() -> None:
    assert {type(value) for value in render_connector(Settings()).values()} == {str}


def test_connect_reaches_the_database_at_the_address_of_the_settings() -> None:
    config = render_connector(Settings(postgres=PostgresSettings(host="db.example", port=6000)))

    assert (config["database.hostname"], config["database.port"]) == ("db.example", "6000")
    assert config["database.user"] == "retentioncast_debezium"


def test_connect_may_see_the_database_at_another_address_than_we_do() -> None:
    config = render_connector(Settings(connect=ConnectSettings(database_host="postgres", database_port=5432)))

    assert (config["database.hostname"], config["database.port"]) == ("postgres", "5432")


def test_routing_counts_the_partitions_of_the_settings() -> None:
    config = render_connector(Settings(kafka=KafkaSettings(partitions=12)))

    assert config["transforms.byCustomer.partition.topic.num"] == "12"


def test_routing_applies_to_the_change_topics_and_to_no_other() -> None:
    settings = Settings(kafka=KafkaSettings(topic_prefix="my.shop-1"))
    pattern = re.compile(render_connector(settings)["predicates.ofCustomers.pattern"])

    assert all(pattern.fullmatch(topic) for topic in change_topics(settings).values())
    others = (heartbeat_topic(settings), signal_topic(settings), "myxshop-1.shop.customers")
    assert not any(pattern.fullmatch(topic) for topic in others)


def test_only_the_tables_of_the_roles_are_captured() -> None:
    captured = render_connector(Settings())["table.include.list"].split(",")

    assert len(captured) == len(ROLES)
    assert all(re.fullmatch(one, f"shop.{role}") for one, role in zip(captured, ROLES, strict=True))


def test_the_toast_placeholder_is_the_one_that_the_mirror_knows() -> None:
    assert render_connector(Settings())["unavailable.value.placeholder"] == UNAVAILABLE


def test_the_readme_gives_a_reason_for_each_setting() -> None:
    readme = (TEMPLATE.parent / "README.md").read_text(encoding="utf-8")
    template = json.loads(TEMPLATE.read_text(encoding="utf-8"))

    assert [setting for setting in template if f"`{setting}`" not in readme] == []


def test_an_unknown_placeholder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = tmp_path / "connector.json"
    template.write_text('{"a": "${nobody_knows}"}')
    monkeypatch.setattr(connector_config, "TEMPLATE", template)

    with pytest.raises(StackError, match=r"nobody_knows.*Known are: .*topic_prefix"):
        render_connector(Settings())
