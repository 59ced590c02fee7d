"""Sampling gives events that end at the earlier of wish and natural end; reading them gives back what was sampled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.populations.events import Calendar, Events, SubscriptionEvent
from retentioncast.models.populations.observed import CANCELLED, ENDED, OVER, RUNNING, InvalidEvents, read_events
from tests.unit.models.populations.cases import issue, lone

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30.4375)


def subscribed(customer: int, months_ago: float) -> SubscriptionEvent:
    return SubscriptionEvent(customer, "subscribe", NOW - months_ago * MONTH)


def cancelled(customer: int, months_ago: float, reason: str | None = None) -> SubscriptionEvent:
    return SubscriptionEvent(customer, "cancel", NOW - months_ago * MONTH, reason)


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    first, again, other = (issue().sample(200, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert not first.frame.equals(other.frame)


def test_nothing_is_seen_after_the_date_of_observation() -> None:
    events = issue().sample(3000, seed=1, calendar=Calendar(observed=6.0))
    assert events.frame["at"].max() <= pd.Timestamp(events.observed_at)
    assert 1200 < (events.frame["event"] == "subscribe").sum() < 1800  # half of a year's arrivals


def test_segments_cancel_as_described_and_say_why() -> None:
    events = issue().sample(20_000, seed=1, calendar=Calendar(observed=200.0))
    read = read_events(events, None, "month")
    assert events.truth is not None
    early = events.truth["segment"].to_numpy() == "EarlyCancel"
    assert early.mean() == pytest.approx(0.3, abs=0.015)
    assert np.allclose(read.duration[early & (read.outcome == CANCELLED)], 2.0, atol=1e-9)
    assert read.duration[early & (read.outcome == ENDED)].max() < 2.0
    assert (read.outcome[early] == CANCELLED).mean() == pytest.approx(np.exp(-2 / 12), abs=0.02)


def test_events_as_a_list_read_the_same_as_the_frame() -> None:
    events = issue().sample(50, seed=3)
    listed = events.to_list()
    assert all(isinstance(event, SubscriptionEvent) for event in listed)
    assert [event.at for event in listed] == sorted(event.at for event in listed)
    by_list, by_frame = (read_events(each, events.observed_at, "month") for each in (listed, events.frame))
    np.testing.assert_array_equal(by_list.duration, by_frame.duration)
    np.testing.assert_array_equal(by_list.outcome, by_frame.outcome)


def test_one_segment_samples_by_itself() -> None:
    (segment,) = lone().segments
    events = segment.sample(40, np.random.default_rng(1))
    assert isinstance(events, Events) and (events.frame["event"] == "subscribe").sum() == 40


def test_a_month_is_a_twelfth_of_a_year_on_the_calendar() -> None:
    assert Calendar(origin=NOW, observed=12.0).observed_at - NOW == timedelta(days=365.25)


def test_outcomes_follow_from_what_is_known_at_the_date_of_observation() -> None:
    events = [
        subscribed(1, 5), subscribed(2, 5), subscribed(3, 5), subscribed(4, 5), subscribed(5, 5), subscribed(6, -1),
        cancelled(2, 3, "cancel"), cancelled(3, 3, "natural_end"), cancelled(4, 3), cancelled(5, -1, "cancel"),
    ]  # fmt: skip
    read = read_events(events, NOW, "month")
    assert read.outcome.tolist() == [RUNNING, CANCELLED, ENDED, OVER, RUNNING]
    assert read.duration == pytest.approx([5, 2, 2, 2, 5])


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([subscribed(1, 2), subscribed(1, 1)], "customer_id 1 subscribed twice"),
        ([subscribed(1, 3), cancelled(1, 2), cancelled(1, 1)], "customer_id 1 cancelled twice"),
        ([subscribed(1, 2), cancelled(7, 1)], "customer_id 7 cancelled and never subscribed"),
        ([subscribed(1, 1), cancelled(1, 2)], "customer 1 cancelled before subscribing"),
        ([subscribed(1, 1), SubscriptionEvent(1, "pause", NOW)], "'pause' is no subscription event"),
    ],
)
def test_events_that_contradict_each_other_are_refused(events: list[SubscriptionEvent], says: str) -> None:
    with pytest.raises(InvalidEvents, match=says):
        read_events(events, NOW, "month")


def test_no_events_and_no_date_are_said() -> None:
    with pytest.raises(NotEnoughData, match="no subscription events"):
        read_events([], NOW, "month")
    with pytest.raises(NotEnoughData, match="no subscription had begun"):
        read_events([subscribed(1, -2), subscribed(2, 3)], NOW - 9 * MONTH, "month")
    with pytest.raises(InvalidEvents, match="date of observation"):
        read_events([subscribed(1, 1)], None, "month")
    with pytest.raises(InvalidEvents, match="no column at"):
        read_events(pd.DataFrame({"customer_id": [1], "event": ["subscribe"]}), NOW, "month")


def test_a_subscription_id_lets_a_customer_come_back() -> None:
    frame = pd.DataFrame([subscribed(1, 9), cancelled(1, 8), subscribed(1, 3)], columns=SubscriptionEvent._fields)
    read = read_events(frame.assign(subscription_id=[10, 10, 11]), NOW, "month")
    assert read.customer_id.tolist() == [1, 1] and read.key.tolist() == [10, 11]
    assert read.outcome.tolist() == [OVER, RUNNING]
