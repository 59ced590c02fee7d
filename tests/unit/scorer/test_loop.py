from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from retentioncast.core.clock import ManualClock
from scorer.loop import Loop


class Service:
    """A loop on a clock that only moves when waited for; it is stopped at a given second."""

    def __init__(self, growth: Callable[[float], tuple[int, int]], stop_at_s: float, publishes: bool = True) -> None:
        self.clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.runs: list[float] = []
        self.stop_at_s = stop_at_s
        self.publishes = publishes
        self.loop = Loop(self.score, lambda: growth(self.clock.elapsed_s), self.wait, self.clock, 60.0, enough=100)
        self.loop.run()

    def score(self) -> bool:
        self.runs.append(self.clock.elapsed_s)
        self.clock.sleep(3)
        return self.publishes

    def wait(self, seconds: float) -> bool:
        self.clock.sleep(min(seconds, self.stop_at_s - self.clock.elapsed_s))
        return self.clock.elapsed_s >= self.stop_at_s


def test_the_first_run_comes_as_soon_as_the_stream_has_settled_then_one_a_period() -> None:
    service = Service(lambda s: (100, 5000), stop_at_s=130)
    assert service.runs == [2, 62, 122]


def test_while_the_past_still_pours_in_the_first_run_waits() -> None:
    service = Service(lambda s: (100, int(1000 * 2 ** min(s, 10))), stop_at_s=30)
    assert service.runs == [12]


def test_with_too_few_customers_there_is_a_run_a_period_that_says_so_until_there_are_enough() -> None:
    service = Service(lambda s: (100 if s > 90 else 3, 50), stop_at_s=100, publishes=False)
    assert service.runs == [60, 91]


def test_when_much_has_come_since_the_last_run_the_next_does_not_wait_for_its_period() -> None:
    service = Service(lambda s: (100, 5000 if s < 20 else 6500), stop_at_s=60)
    assert service.runs == [2, 22]


def test_a_fit_that_fails_is_tried_again_after_a_period_not_at_once() -> None:
    service = Service(lambda s: (100, 5000), stop_at_s=130, publishes=False)
    assert service.runs == [2, 62, 122]


def test_a_stop_while_waiting_ends_the_loop_without_another_run() -> None:
    assert Service(lambda s: (0, 0), stop_at_s=10).runs == []


def test_a_run_longer_than_the_period_is_followed_by_the_next_and_can_still_be_stopped() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    runs: list[float] = []

    def score() -> bool:
        runs.append(clock.elapsed_s)
        clock.sleep(100)
        return True

    def wait(seconds: float) -> bool:
        clock.sleep(seconds)
        return len(runs) == 3

    Loop(score, lambda: (100, 1), wait, clock, 60.0, enough=100).run()
    assert runs == [2, 102, 202]
