"""A refit of segment values begins where the last one ended, and so has less to search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from benchmarks.segment_speed import draw_customers
from retentioncast.core.clock import ManualClock
from retentioncast.infra.settings import ScorerSettings, SegmentsSettings
from retentioncast.models.clv import hierarchical
from retentioncast.models.clv.segment_value import Valued
from retentioncast.models.pooling import empirical, marginal
from scorer.hierarchical.refit import CONFIG, Refit
from scorer.hierarchical.store import Population, SegmentSnapshot
from scorer.runs import Run

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class FakeStore:
    """Customers in memory; what was published last is where the next snapshot says that the population lay."""

    before: Population | None = None
    runs: list[Run] = field(default_factory=list)

    def read(self, by: SegmentsSettings) -> SegmentSnapshot:
        customers = draw_customers(6, 720, 5)
        customers.attrs["time_unit"] = "week"
        return SegmentSnapshot(NOW, customers, NOW, NOW, self.before)

    def publish(self, run: Run, valued: Valued, elapsed_s: Callable[[], float]) -> Run:
        assert run.parameters is not None
        self.before = run.parameters["population"]
        return self.record(run)

    def record(self, run: Run) -> Run:
        self.runs.append(run)
        return run


@dataclass
class Search:
    """Where each part's search began, and how often a segment's mode was looked for in both."""

    starts: list[Any] = field(default_factory=list)
    modes: int = 0


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Search:
    seen, find_population, find_mode = Search(), empirical.find_population, empirical.find_mode

    def begun(likelihoods: Any, prior: Any, start: Any = None) -> Any:
        seen.starts.append(start)
        return find_population(likelihoods, prior, start)

    def counted(*asked: Any) -> Any:
        seen.modes += 1
        return find_mode(*asked)

    monkeypatch.setattr(marginal, "CLOUD_DRAWS", 500)
    monkeypatch.setattr(marginal, "_POINTS", 800)
    monkeypatch.setattr(hierarchical, "DRAWS", 200)
    monkeypatch.setattr(marginal, "find_population", begun)
    monkeypatch.setattr(empirical, "find_mode", counted)
    return seen


def test_the_second_refit_searches_from_where_the_first_ended(search: Search) -> None:
    store, refit = FakeStore(), Refit(ScorerSettings(draws=20), ManualClock(NOW), "test")
    assert refit.run(store).status == "published", store.runs
    cold, before = search.modes, store.before
    assert search.starts == [None, None] and before is not None
    search.modes, search.starts = 0, []
    assert refit.run(store).status == "published"
    assert None not in search.starts, "the search began anew"
    money = np.log(CONFIG.rescale_factor)
    for start, part, unit in zip(search.starts, ("purchases", "spend"), (0.0, np.array([0, 0, money])), strict=True):
        np.testing.assert_allclose(start[0], np.array(before[part]["mu"]) - unit)
        np.testing.assert_allclose(start[1], before[part]["tau"])
    assert search.modes <= 0.7 * cold
