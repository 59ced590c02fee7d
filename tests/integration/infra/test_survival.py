"""Curves and the triangle as people ask for them, and why there are none."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from retentioncast.cli import make_app
from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.infra import settings as settings_module
from retentioncast.infra.settings import Settings
from retentioncast.infra.survival import read_curves, read_triangle
from tests.integration.scorer.mirror import START, Subscribed, add_subscriptions, set_stream_time


@pytest.fixture
def shop(database: Settings) -> Settings:
    rows = [Subscribed(n, 1.0, 20.0 * n if n <= 4 else None, "basic" if n % 2 else "pro") for n in range(1, 11)]
    add_subscriptions(database, rows)
    set_stream_time(database, 100)
    return database


def test_curves_come_by_plan_and_as_of_another_time(shop: Settings) -> None:
    now = read_curves(shop, "plan")
    assert list(now.by_label()) == ["basic", "pro"] and now.as_of == START + timedelta(days=100)
    assert now.by_label()["basic"][-1]["survival"] == pytest.approx(0.6)
    then = read_curves(shop, as_of=START + timedelta(days=30))
    assert then.rows[-1]["survival"] == pytest.approx(0.9) and then.as_of == START + timedelta(days=30)


def test_the_triangle_without_a_run_says_that_there_was_none(shop: Settings) -> None:
    rows, reason = read_triangle(shop)
    assert [(row["month"], row["retained"]) for row in rows] == [(0, 10.0), (1, 9.0), (2, 8.0)]
    assert reason == "No forecast: the scorer has not finished a run."


def test_without_a_subscription_that_is_said(database: Settings) -> None:
    with pytest.raises(NotEnoughData, match="no subscription yet"):
        read_curves(database)
    with pytest.raises(NotEnoughData, match="no subscription yet"):
        read_triangle(database)
    with pytest.raises(InvalidInput, match="no survival curve by 'age'"):
        read_curves(database, "age")


def test_the_commands_print_json(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "load_settings", lambda: shop)
    survival = CliRunner().invoke(make_app(), ["survival", "--by", "plan", "--as-of", "2026-02-01", "--json"])
    assert survival.exit_code == 0, survival.output
    assert {row["label"] for row in json.loads(survival.output)["survival"]} == {"basic", "pro"}
    retention = CliRunner().invoke(make_app(), ["retention", "--json"])
    assert retention.exit_code == 0, retention.output
    assert json.loads(retention.output)["retention"][1]["rate"] == 0.9
