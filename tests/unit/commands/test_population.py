"""What `retentioncast population infer` prints fits a terminal of 80 columns and says what is not known."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from retentioncast.commands.population import infer, show
from retentioncast.core.errors import InvalidInput
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.summary import Summary, summarise
from tests.unit.models.populations.cases import lone


@pytest.fixture(scope="module")
def summary() -> Summary:
    mixture: Mixture = lone(name="A population with quite a long name")
    mixture.observe(mixture.sample(20, seed=1)).fit(draws=100, seed=1)
    return summarise(mixture, [1.0, 3.0, 6.0])


def test_the_tables_fit_and_what_is_only_as_stated_is_marked(summary: Summary) -> None:
    written = io.StringIO()
    show(summary, datetime(2026, 12, 5, tzinfo=UTC), "month", Console(file=written, width=80))
    text = written.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "20 subscriptions" in text and "Only 20 subscriptions" in text and "Waiting times, in months" in text
    untold = [each for each in summary.parameters if each.overlap >= 0.7]
    assert text.count("as stated") == len(untold)


def test_the_numbers_are_plain_and_lie_in_their_intervals(summary: Summary) -> None:
    told = summary.as_json()
    assert told["customers"] == 20 and told["interval"] == 0.94
    assert all(each["low"] <= each["mean"] <= each["high"] for each in told["shares"] + told["parameters"])
    assert {row["metric"] for row in told["forecast"]} == {"active", "churned", "mrr", "retention"}


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        infer(file=tmp_path / "none.yaml")
