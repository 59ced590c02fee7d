"""How the online learner labels, scores, ignores and judges."""

from __future__ import annotations

import json
import math
import random

import pytest

from retentioncast.core.errors import InvalidSettings
from retentioncast.models.online import (
    Event,
    OnlineChurn,
    OnlineConfig,
    OnlineDelta,
    OrderPlaced,
    Progress,
    Score,
    SessionStarted,
    SubscriptionChanged,
)
from retentioncast.models.online.config import DAY_S
from tests.unit.models.online.streams import START, shop


def _learner(*events: Event, config: OnlineConfig | None = None) -> OnlineChurn:
    learner = OnlineChurn(config or OnlineConfig())
    for event in events:
        learner.observe(event)
    return learner


def _order(customer_id: int, day: float, amount: float | None = 20.0) -> OrderPlaced:
    return OrderPlaced(customer_id, START + day * DAY_S, amount)


def _session(customer_id: int, day: float, pages: int | None = 3) -> SessionStarted:
    return SessionStarted(customer_id, START + day * DAY_S, pages)


def _labels(learner: OnlineChurn) -> tuple[int, float]:
    """How many examples matured, and with how many labels 1."""
    state = learner.model_state()["validation"]
    matured, share = state["base_rate"]
    return int(matured), round(matured * share)


def _waiting(learner: OnlineChurn, customer_id: int) -> int:
    return len(learner.dirty_customers()[customer_id]["p"])


def test_an_order_within_thirty_days_makes_the_label_0() -> None:
    assert _labels(_learner(_order(1, 0), _order(1, 30.0))) == (1, 0)


def test_stream_time_past_thirty_days_makes_the_label_1() -> None:
    assert _labels(_learner(_order(1, 0), _order(2, 30.0))) == (0, 0)
    assert _labels(_learner(_order(1, 0), _order(2, 30.001))) == (1, 1)


def test_an_order_after_the_horizon_does_not_take_the_label_1_back() -> None:
    assert _labels(_learner(_order(1, 0), _order(2, 31), _order(1, 32))) == (1, 1)


def test_the_customers_own_late_order_matures_the_example_with_1() -> None:
    assert _labels(_learner(_order(1, 0), _order(1, 40))) == (1, 1)


def test_an_order_decides_the_sessions_before_it_too() -> None:
    learner = _learner(_order(1, 0), _session(1, 1), _session(1, 2), _order(1, 3))
    assert _labels(learner) == (3, 0)
    assert _waiting(learner, 1) == 1


def test_only_the_first_session_of_a_day_opens_an_example_but_each_is_scored() -> None:
    learner = _learner(_session(1, 0.9), _session(1, 0.95), _session(1, 0.96))
    assert _waiting(learner, 1) == 1
    assert [score.as_of for score in learner.drain().scores] == [START + 0.96 * DAY_S]


def test_the_examples_that_wait_are_bounded() -> None:
    learner = _learner(*(_session(1, day) for day in range(20)), config=OnlineConfig(max_pending=5))
    assert _waiting(learner, 1) == 5


def test_a_quiet_customer_keeps_only_counters() -> None:
    learner = _learner(_order(1, 0), _session(1, 1), _order(2, 100))
    assert _waiting(learner, 1) == 0


def test_a_history_read_customer_by_customer_gets_the_same_labels() -> None:
    learner = _learner(_order(1, 0), _order(1, 500), _order(2, 0), _order(3, 500.1), _order(2, 10), _order(2, 60))
    assert _labels(learner) == (3, 2)  # 1: 1; 2: 0 (10 days), then 1 (50 days)
    learner.observe(_order(4, 501.5))
    assert _labels(learner) == (4, 3)  # the last of customer 2, whose horizon had long passed


def test_the_order_of_customers_in_a_history_does_not_change_the_labels() -> None:
    events = [event for event in shop(5, 60, 200) if isinstance(event, OrderPlaced)]
    by_customer = sorted(events, key=lambda event: (event.customer_id, event.at))
    end = OrderPlaced(999, START + 400 * DAY_S, 1.0)
    much_later = OrderPlaced(999, START + 440 * DAY_S, 1.0)
    assert _labels(_learner(*events, end, much_later)) == _labels(_learner(*by_customer, end, much_later))


def test_the_prediction_that_is_judged_is_the_one_made_at_opening() -> None:
    learner, made, judged = OnlineChurn(OnlineConfig()), {1: 0.5, 2: 0.5}, []
    for day in range(20):
        for customer_id in made:
            judged.append(made[customer_id])
            learner.observe(_order(customer_id, day + customer_id / 4))
            made[customer_id] = learner.drain().scores[0].probability
    expected = sum(-math.log(1.0 - probability) for probability in judged[2:]) / 38
    assert learner.model_state()["validation"]["log_loss"] == [38, pytest.approx(expected, rel=1e-12)]
    assert made[2] < judged[4] < 0.5


def test_a_session_older_than_the_score_is_counted_but_not_scored() -> None:
    learner = _learner(_order(1, 10))
    before = learner.drain().scores
    learner.observe(_session(1, 5))
    delta = learner.drain()
    assert delta.scores == []
    assert list(delta.customers) == [before[0].customer_id]


def test_a_replay_of_everything_changes_nothing() -> None:
    events = shop(3, 40, 120)
    learner = _learner(*events)
    before = learner.drain()
    for event in events:
        learner.observe(event)
    after = learner.drain()
    assert (after.scores, after.metrics, after.drift) == ([], [], [])
    assert all(before.customers[i] == state for i, state in after.customers.items())
    assert _without_counts(before) == _without_counts(after)


def _without_counts(delta: OnlineDelta) -> dict[str, object]:
    return {name: value for name, value in delta.model_state.items() if name != "counts"}


def test_how_the_stream_is_cut_into_batches_changes_nothing() -> None:
    events, rng = shop(4, 60, 200), random.Random(4)
    whole = _learner(*events).drain()
    learner = OnlineChurn(OnlineConfig())
    metrics: list[Progress] = []
    scores: dict[int, Score] = {}
    for event in events:
        learner.observe(event)
        if rng.random() < 0.05:
            delta = learner.drain()
            metrics += delta.metrics
            scores |= {score.customer_id: score for score in delta.scores}
    last = learner.drain()
    assert last.model_state == whole.model_state
    assert metrics + last.metrics == whole.metrics
    assert scores | {score.customer_id: score for score in last.scores} == {
        score.customer_id: score for score in whole.scores
    }


def test_drain_hands_over_only_what_changed_since_the_drain_before() -> None:
    learner = _learner(_order(1, 0), _order(2, 1))
    assert list(learner.drain().customers) == [1, 2]
    learner.observe(_order(2, 2))
    delta = learner.drain()
    assert list(delta.customers) == [2]
    assert [score.customer_id for score in delta.scores] == [2]
    assert learner.drain().customers == {}


def test_an_example_that_matures_by_time_makes_its_customer_dirty() -> None:
    learner = _learner(_order(1, 0))
    learner.drain()
    learner.observe(_order(2, 31))
    assert list(learner.drain().customers) == [1, 2]


def test_rows_of_progress_come_by_count_and_by_day() -> None:
    config = OnlineConfig(metrics_every=10)
    orders = [_order(1, hour / 24) for hour in range(49)]
    rows = _learner(*orders, config=config).drain().metrics
    assert [row.n_matured for row in rows] == [10, 11, 21, 31, 35, 45]  # 11 and 35: midnight in UTC


def test_a_delta_once_drained_does_not_change_any_more() -> None:
    learner = _learner(*shop(1, 10, 60))
    delta = learner.drain()
    text = json.dumps([delta.customers, delta.model_state])
    for event in shop(2, 10, 60, start=START + 100 * DAY_S):
        learner.observe(event)
    assert json.dumps([delta.customers, delta.model_state]) == text


@pytest.mark.parametrize(
    "event",
    [_order(1, math.nan), _order(1, math.inf), _session(1, -math.inf), _order(1, 1e300)],
    ids=["nan", "inf", "minus inf", "absurd"],
)
def test_a_time_that_is_no_time_is_ignored(event: Event) -> None:
    learner = _learner(_order(2, 0), event)
    assert list(learner.drain().customers) == [2]
    assert learner.stream_time == START
    assert learner.model_state()["counts"]["ignored"] == 1


@pytest.mark.parametrize("amount", [math.nan, math.inf, -5.0, 1e308, None])
def test_an_amount_that_is_none_still_counts_as_an_order(amount: float | None) -> None:
    learner = _learner(_order(1, 0, amount), _order(1, 1, amount), _order(2, 40))
    delta = learner.drain()
    assert _labels(learner) == (2, 1)
    assert all(0.0 < score.probability < 1.0 for score in delta.scores)
    json.dumps([delta.customers, delta.model_state], allow_nan=False)


@pytest.mark.parametrize("pages", [None, -1, 0, 10**400])
def test_absurd_pages_do_no_harm(pages: int | None) -> None:
    delta = _learner(_session(1, 0, pages), _session(1, 1, pages), _order(2, 40)).drain()
    json.dumps([delta.customers, delta.model_state], allow_nan=False)


def test_a_plan_never_seen_before_is_scored_like_any_other() -> None:
    learner = _learner(SubscriptionChanged(1, START, "plan Ω \ud800", True), _order(1, 1))
    assert [score.customer_id for score in learner.drain().scores] == [1]


def test_a_subscription_older_than_the_known_one_is_ignored() -> None:
    learner = _learner(SubscriptionChanged(1, START + 5, "gold", True))
    before = learner.drain().customers[1]
    learner.observe(SubscriptionChanged(1, START, "basic", False))
    assert learner.drain().customers == {}
    learner.observe(SubscriptionChanged(1, START + 6, None, False))
    assert learner.drain().customers[1] != before


def test_a_subscription_that_ends_in_the_future_does_not_move_the_clock() -> None:
    learner = _learner(_order(1, 0), SubscriptionChanged(1, START + 400 * DAY_S, None, False))
    assert learner.stream_time == START


def test_learning_beats_the_base_rate_on_a_mixed_population() -> None:
    last = _learner(*shop(11, 300, 300)).drain().metrics[-1]
    assert last.n_matured > 3_000
    assert last.log_loss < 0.9 * last.base_rate_log_loss
    assert last.auc is not None
    assert last.auc > 0.7


def test_a_fast_customer_is_less_at_risk_than_a_slow_one() -> None:
    learner = _learner(*shop(12, 200, 300))
    learner.drain()
    for day in range(301, 340, 3):
        learner.observe(_order(9_001, day))
    for day in (301, 420):
        learner.observe(_order(9_002, day))
    scores = {score.customer_id: score.probability for score in learner.drain().scores}
    assert scores[9_001] < scores[9_002]


@pytest.mark.parametrize("seed", [2, 3])
def test_a_switched_population_raises_an_alarm_and_a_steady_one_none(seed: int) -> None:
    switch = START + 300 * DAY_S
    steady = [event for event in shop(seed, 700, 500) if event.at < switch]
    learner = _learner(*steady)
    assert learner.drain().drift == []
    for event in _strangers(shop(seed + 50, 700, 150, start=switch, slowdown=6.0)):
        learner.observe(event)
    alarms = learner.drain().drift
    assert alarms
    assert switch < alarms[0].stream_time < switch + 60 * DAY_S
    assert alarms[0].statistic > alarms[0].threshold


def _strangers(events: list[Event]) -> list[Event]:
    """The same events by customers whom nobody knows."""
    moved: list[Event] = []
    for event in events:
        if isinstance(event, OrderPlaced):
            moved.append(OrderPlaced(event.customer_id + 100_000, event.at, event.amount))
        elif isinstance(event, SessionStarted):
            moved.append(SessionStarted(event.customer_id + 100_000, event.at, event.pages))
        else:
            moved.append(SubscriptionChanged(event.customer_id + 100_000, event.at, event.plan, event.active))
    return moved


@pytest.mark.parametrize(
    ("name", "value"), [("horizon_days", 0.0), ("learning_rate", math.nan), ("l2", -1.0), ("max_pending", 0)]
)
def test_a_setting_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InvalidSettings, match=f"online.{name}"):
        OnlineConfig(**{name: value})  # type: ignore[arg-type]
