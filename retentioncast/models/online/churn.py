"""The online learner of one Kafka partition: predict at once, learn when labels mature, remember as JSON."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable

from retentioncast.models.online.config import DAY_S, OnlineConfig
from retentioncast.models.online.customer import Customer, Pending
from retentioncast.models.online.delta import Drift, OnlineDelta, Progress, Score
from retentioncast.models.online.events import Event, OrderPlaced, SessionStarted, SubscriptionChanged
from retentioncast.models.online.features import extract, plan_bucket
from retentioncast.models.online.regression import Regression
from retentioncast.models.online.state import SCHEMA_VERSION, Json, refuse_unless
from retentioncast.models.online.validation import DriftAlarm, Validation

#: The year 10000; a time beyond it (or NaN) is no time.
_LATEST_S = 253_402_300_800.0
#: Horizons before drift is watched: in the first, only label 0 can mature; what the second brings
#: was predicted by a model that knew nothing else, and so was some of the third.
_UNWATCHED = 3.0
_COUNTED = ("orders", "sessions", "subscriptions", "ignored")


class OnlineChurn:
    """P(no order within 30 days of event time), live for each customer of one partition.

    *Prediction.* Each order or session is counted, then scored at once with the model as it stands.
    Nothing happens at the end of a batch, so scores do not depend on how the stream is cut.

    *Examples.* An order, and the first session of a customer and UTC day, opens an example: features,
    prediction, time. An order of the customer later than the opening decides it: 0 if within the horizon,
    else 1; so does the stream's time (the latest order or session seen) once it is past the horizon: 1.
    Then the prediction made at opening is judged, and the model learns. At most `max_pending` examples of
    a customer wait; while so many wait, sessions open none (orders always find room, as they decide those
    before).

    *History in bulk.* A snapshot may bring customer after customer, so an example may be opened when the
    stream's time is already past its horizon. It then waits for the customer's next order or for one more
    day of stream time (`late_grace_days`), whichever is first: its label is right either way. A score
    never moves back in time: an event older than the customer's score is counted, but neither scored nor
    opened.

    *Replays.* The learner is monotone: an order not later than the customer's latest order is ignored,
    likewise a session, and a subscription older than the one known. So replays and re-snapshots change
    nothing. The price: an order that comes late behind a newer one of the same customer is not learned
    from (the RFM table has it). Subscriptions do not move the stream's time, because ends are often dated
    ahead.

    *Bad values.* An event whose time is not finite (or beyond the year 9999) is ignored; an amount that
    is not finite counts as an order without an amount; plans are hashed, so an unknown one is nothing
    special.

    There is no rollback: after a batch that failed, restore from the last state that was saved.
    """

    def __init__(self, config: OnlineConfig, state: Json | None = None) -> None:
        """A new learner, or with `state` (from `model_state`) the saved model without its customers.

        Raises:
            OnlineStateUnusable: the state was saved by another version or under other settings.
        """
        self._config = config
        self._horizon_s = config.horizon_s
        self._regression = Regression(config)
        self._validation = Validation()
        self._alarm = DriftAlarm(config)
        self._customers: dict[int, Customer] = {}
        self._due: list[tuple[float, int, float]] = []
        self._stream_time = -math.inf
        self._started = -math.inf
        self._reported = 0
        self._counts = dict.fromkeys(_COUNTED, 0)
        self._collect()
        if state is not None:
            self._load_model(state)

    @classmethod
    def restore(cls, config: OnlineConfig, model_state: Json, customers: Iterable[tuple[int, Json]]) -> OnlineChurn:
        """The learner as it was when `model_state` and the customers were saved, bit for bit.

        Raises:
            OnlineStateUnusable: a state was saved by another version or under other settings.
        """
        learner = cls(config, model_state)
        learner.load_customers(customers)
        return learner

    def load_customers(self, customers: Iterable[tuple[int, Json]]) -> None:
        """Take over saved customers.

        Those with waiting examples (a non-empty `p` in the state) must be loaded before the next event; a
        quiet one may wait until just before its own next event.
        """
        for customer_id, state in customers:
            customer = self._customers[customer_id] = Customer.from_json(state)
            for pending in customer.pending:
                heapq.heappush(self._due, (pending.expires, customer_id, pending.opened))

    @property
    def stream_time(self) -> float | None:
        """The latest order or session seen, in epoch seconds."""
        return self._stream_time if math.isfinite(self._stream_time) else None

    @property
    def n_matured(self) -> int:
        """Examples learned from."""
        return self._validation.n_matured

    def observe(self, event: Event) -> None:
        """Take in one event: count, score, open an example, learn from those that it lets mature."""
        customer = self._customers.get(event.customer_id)
        if customer is None:
            customer = Customer()
        if not abs(event.at) < _LATEST_S:
            taken = False
        elif isinstance(event, OrderPlaced):
            taken = self._take_order(customer, event)
        elif isinstance(event, SessionStarted):
            taken = self._take_session(customer, event)
        else:
            taken = self._take_subscription(customer, event)
        if taken:
            self._customers[event.customer_id] = customer
            self._dirty.add(event.customer_id)
        else:
            self._counts["ignored"] += 1

    def dirty_customers(self) -> dict[int, Json]:
        """The states of the customers that changed since the drain before, in the order of their numbers."""
        return {customer_id: self._customers[customer_id].to_json() for customer_id in sorted(self._dirty)}

    def model_state(self) -> Json:
        """All but the customers: model, validation, drift test, the stream's clock, counts; as JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "horizon_days": self._config.horizon_days,
            "plan_buckets": self._config.plan_buckets,
            "regression": self._regression.to_json(),
            "validation": self._validation.to_json(),
            "drift": self._alarm.to_json(),
            "stream_time": self.stream_time,
            "started": self._started if math.isfinite(self._started) else None,
            "reported": self._reported,
            "counts": dict(self._counts),
        }

    def drain(self) -> OnlineDelta:
        """Hand over what changed since the drain before; only collects, so it may be called at any time."""
        delta = OnlineDelta(
            customers=self.dirty_customers(),
            scores=[Score(i, p, at) for i, (p, at) in sorted(self._scores.items())],
            metrics=self._metrics,
            drift=self._drift,
            model_state=self.model_state(),
        )
        self._collect()
        return delta

    def _collect(self) -> None:
        self._dirty: set[int] = set()
        self._scores: dict[int, tuple[float, float]] = {}
        self._metrics: list[Progress] = []
        self._drift: list[Drift] = []

    def _take_order(self, customer: Customer, event: OrderPlaced) -> bool:
        if customer.latest_order is not None and event.at <= customer.latest_order:
            return False
        self._counts["orders"] += 1
        self._advance(event.at)
        self._decide(customer, event.at)
        customer.place_order(event.at, event.amount)
        if customer.as_of is None or event.at >= customer.as_of:
            self._score(event.customer_id, customer, event.at, opens=True, by_order=True)
        return True

    def _take_session(self, customer: Customer, event: SessionStarted) -> bool:
        if customer.latest_session is not None and event.at <= customer.latest_session:
            return False
        self._counts["sessions"] += 1
        self._advance(event.at)
        customer.start_session(event.at, event.pages)
        if customer.as_of is None or event.at >= customer.as_of:
            day = int(event.at // DAY_S)
            opens = day != customer.session_day and len(customer.pending) < self._config.max_pending
            customer.session_day = day if opens else customer.session_day
            self._score(event.customer_id, customer, event.at, opens=opens, by_order=False)
        return True

    def _take_subscription(self, customer: Customer, event: SubscriptionChanged) -> bool:
        if customer.plan_at is not None and event.at < customer.plan_at:
            return False
        bucket = plan_bucket(event.plan, self._config.plan_buckets)
        after = (event.at, bucket, bool(event.active))
        if (customer.plan_at, customer.plan_bucket, customer.active) == after:
            return False
        self._counts["subscriptions"] += 1
        customer.plan_at, customer.plan_bucket, customer.active = after
        return True

    def _score(self, customer_id: int, customer: Customer, now: float, *, opens: bool, by_order: bool) -> None:
        features = extract(customer, now)
        probability = self._regression.predict(features, customer.plan_bucket)
        customer.probability, customer.as_of = probability, now
        self._scores[customer_id] = (probability, now)
        waiting = customer.pending
        if opens and not (waiting and waiting[-1].opened >= now):
            expires = self._expiry(now)
            waiting.append(Pending(now, expires, probability, by_order, customer.plan_bucket, features))
            heapq.heappush(self._due, (expires, customer_id, now))

    def _expiry(self, opened: float) -> float:
        due = opened + self._horizon_s
        return due if due >= self._stream_time else self._stream_time + self._config.late_grace_days * DAY_S

    def _decide(self, customer: Customer, ordered: float) -> None:
        """An order decides the customer's examples that were opened before it."""
        if not customer.pending:
            return
        decided = [p for p in customer.pending if p.opened < ordered]
        customer.pending = [p for p in customer.pending if p.opened >= ordered]
        for pending in decided:
            self._learn(pending, ordered > pending.opened + self._horizon_s)

    def _advance(self, now: float) -> None:
        """Move the stream's time: examples whose horizon has passed mature with label 1, earliest first."""
        before = self._stream_time
        if now <= before:
            return
        self._stream_time = now
        if before == -math.inf:
            self._started = now
        while self._due and self._due[0][0] < now:
            self._expire(*heapq.heappop(self._due))
        if now // DAY_S > before // DAY_S:
            self._report()

    def _expire(self, expires: float, customer_id: int, opened: float) -> None:
        """An entry whose example an order has decided meanwhile finds nothing, and nothing happens."""
        customer = self._customers[customer_id]
        for index, pending in enumerate(customer.pending):
            if pending.opened == opened and pending.expires == expires:
                del customer.pending[index]
                self._dirty.add(customer_id)
                self._learn(pending, True)
                return

    def _learn(self, pending: Pending, label: bool) -> None:
        """Judge the prediction made at opening, then learn.

        Drift is watched on the examples that orders opened: those of one customer's sessions mature together,
        and a few customers who leave would raise an alarm.
        """
        validation = self._validation
        validation.update(label, pending.probability)
        if pending.by_order and self._stream_time >= self._started + _UNWATCHED * self._horizon_s:
            alarm = self._alarm.update(label, pending.probability, self._stream_time, validation.n_matured)
            if alarm is not None:
                self._drift.append(alarm)
        self._regression.learn(pending.features, pending.plan_bucket, label)
        if validation.n_matured - self._reported >= self._config.metrics_every:
            self._report()

    def _report(self) -> None:
        if self._validation.n_matured > self._reported:
            self._reported = self._validation.n_matured
            self._metrics.append(self._validation.progress(self._stream_time))

    def _load_model(self, state: Json) -> None:
        wanted = {
            "schema_version": SCHEMA_VERSION,
            "horizon_days": self._config.horizon_days,
            "plan_buckets": self._config.plan_buckets,
        }
        for name, value in wanted.items():
            refuse_unless(state.get(name) == value, name, state.get(name), value)
        self._regression.load(state["regression"])
        self._validation.load(state["validation"])
        self._alarm.load(state["drift"])
        self._stream_time = -math.inf if state["stream_time"] is None else state["stream_time"]
        self._started = -math.inf if state["started"] is None else state["started"]
        self._reported = state["reported"]
        self._counts = dict(state["counts"])
