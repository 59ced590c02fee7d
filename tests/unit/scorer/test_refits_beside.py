"""Refits of segment values are started when due, never waited for, and ended when they take too long."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from retentioncast.core.clock import ManualClock
from scorer.hierarchical.beside import FIRST_S, Refits


@dataclass
class FakeProcess:
    """Runs until it is told to end, or until `status` is set."""

    status: int | None = None
    told: list[str] = field(default_factory=list)

    def poll(self) -> int | None:
        return self.status

    def terminate(self) -> None:
        self.told.append("terminate")
        self.status = -15

    def kill(self) -> None:
        self.told.append("kill")

    def wait(self, timeout: float | None = None) -> int:
        return self.status or 0


@dataclass
class Setup:
    clock: ManualClock = field(default_factory=lambda: ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    ready: bool = True
    started: list[FakeProcess] = field(default_factory=list)

    def refits(self) -> Refits:
        def start() -> FakeProcess:
            self.started.append(FakeProcess())
            return self.started[-1]

        return Refits(start, lambda: self.ready, self.clock, period_s=900, budget_s=600)

    def look(self, refits: Refits, seconds: float) -> None:
        self.clock.sleep(seconds)
        refits.look()


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_the_first_comes_after_the_first_scores_and_the_next_a_period_later(setup: Setup) -> None:
    refits, setup.ready = setup.refits(), False
    setup.look(refits, 1000)
    setup.ready = True
    setup.look(refits, 1)
    assert not setup.started
    setup.look(refits, FIRST_S)
    assert len(setup.started) == 1
    setup.started[0].status = 0
    setup.look(refits, 10)
    setup.look(refits, 880)
    assert len(setup.started) == 1
    setup.look(refits, 20)
    assert len(setup.started) == 2


def test_there_is_never_a_second_beside_the_first_and_one_that_takes_too_long_is_ended(setup: Setup) -> None:
    refits = setup.refits()
    setup.look(refits, 0)
    setup.look(refits, FIRST_S)
    setup.look(refits, 1000)
    assert len(setup.started) == 1 and not setup.started[0].told
    setup.look(refits, 300)
    assert setup.started[0].told == ["terminate"]
    setup.look(refits, 1)
    assert len(setup.started) == 2


def test_at_the_end_none_goes_on(setup: Setup) -> None:
    refits = setup.refits()
    setup.look(refits, 0)
    setup.look(refits, FIRST_S)
    refits.end()
    assert setup.started[0].told == ["terminate"]
