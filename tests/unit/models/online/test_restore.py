"""A learner that was saved as JSON and restored is, bit for bit, the one that ran through."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from retentioncast.models.online import (
    Json,
    OnlineChurn,
    OnlineConfig,
    OnlineDelta,
    OnlineStateUnusable,
    OrderPlaced,
)
from tests.unit.models.online.streams import START, shop

_CONFIG = OnlineConfig(metrics_every=37, drift_threshold=2.0, drift_min_examples=20)


class _Database:
    """Keeps what a consumer would commit, as text."""

    def __init__(self) -> None:
        self.model = ""
        self.customers: dict[int, str] = {}
        self.rows: list[Any] = []

    def commit(self, delta: OnlineDelta) -> None:
        self.model = json.dumps(delta.model_state, allow_nan=False)
        self.customers |= {i: json.dumps(s, allow_nan=False) for i, s in delta.customers.items()}
        self.rows += [*delta.metrics, *delta.drift]

    def saved(self, order: random.Random) -> list[tuple[int, Json]]:
        """The customers in no particular order, as a database gives them."""
        rows = [(i, json.loads(text)) for i, text in self.customers.items()]
        order.shuffle(rows)
        return rows


def _jumbled(state: Json, rng: random.Random) -> Json:
    """The same JSON object with other places for its keys, as jsonb stores it."""
    items = [(k, _jumbled(v, rng) if isinstance(v, dict) else v) for k, v in state.items()]
    rng.shuffle(items)
    return dict(items)


@pytest.mark.parametrize("seed", range(5))
def test_a_learner_restored_at_random_points_gives_every_score_and_row_exactly(seed: int) -> None:
    events, rng, database = shop(seed, 60, 250), random.Random(seed), _Database()
    through, restarted = OnlineChurn(_CONFIG), OnlineChurn(_CONFIG)
    rows: list[Any] = []
    for event in events:
        through.observe(event)
        restarted.observe(event)
        if rng.random() < 0.03:
            expected, found = through.drain(), restarted.drain()
            assert found == expected
            rows += [*expected.metrics, *expected.drift]
            database.commit(found)
            model = _jumbled(json.loads(database.model), rng)
            restarted = OnlineChurn.restore(_CONFIG, model, database.saved(rng))
    assert restarted.drain() == through.drain()
    assert database.rows == rows
    assert {type(row).__name__ for row in rows} == {"Progress", "Drift"}


def test_work_lost_with_a_failed_batch_is_done_again_exactly() -> None:
    events, database = shop(9, 60, 200), _Database()
    learner, half = OnlineChurn(_CONFIG), len(events) // 2
    for event in events[:half]:
        learner.observe(event)
    database.commit(learner.drain())
    for event in events[half:]:
        learner.observe(event)
    again = OnlineChurn.restore(_CONFIG, json.loads(database.model), database.saved(random.Random(1)))
    for event in events[half:]:
        again.observe(event)
    assert again.drain() == learner.drain()


def test_quiet_customers_may_be_loaded_when_they_come_back() -> None:
    events = shop(6, 80, 200)
    learner, half = OnlineChurn(_CONFIG), len(events) // 2
    for event in events[:half]:
        learner.observe(event)
    delta = learner.drain()
    waiting = [(i, state) for i, state in delta.customers.items() if state["p"]]
    lazy = OnlineChurn.restore(_CONFIG, delta.model_state, waiting)
    absent = {i: state for i, state in delta.customers.items() if not state["p"]}
    assert absent
    for event in events[half:]:
        learner.observe(event)
        if event.customer_id in absent:
            lazy.load_customers([(event.customer_id, absent.pop(event.customer_id))])
        lazy.observe(event)
    assert lazy.drain() == learner.drain()


def test_a_learner_that_saw_nothing_can_be_saved() -> None:
    empty = OnlineChurn(_CONFIG).drain()
    restored = OnlineChurn.restore(_CONFIG, json.loads(json.dumps(empty.model_state, allow_nan=False)), [])
    assert restored.drain() == empty


@pytest.mark.parametrize(("name", "value"), [("schema_version", 99), ("horizon_days", 60.0), ("plan_buckets", 3)])
def test_a_state_of_another_version_or_setting_is_refused_with_the_next_step(name: str, value: object) -> None:
    state = OnlineChurn(_CONFIG).model_state() | {name: value}
    with pytest.raises(OnlineStateUnusable, match=f"{name}.*delete the partition's online state"):
        OnlineChurn(_CONFIG, state)


def test_a_customer_of_another_version_is_refused() -> None:
    learner = OnlineChurn(_CONFIG)
    learner.observe(OrderPlaced(1, START, 5.0))
    delta = learner.drain()
    with pytest.raises(OnlineStateUnusable, match="customer of schema version"):
        OnlineChurn.restore(_CONFIG, delta.model_state, [(1, delta.customers[1] | {"v": 99})])
