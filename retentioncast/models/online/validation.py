"""Progressive validation and drift: how good the predictions turned out, judged before learning from them."""

from __future__ import annotations

import math

from river import drift, metrics, stats

from retentioncast.models.online.auc import BinnedAuc
from retentioncast.models.online.config import OnlineConfig
from retentioncast.models.online.delta import Drift, Progress
from retentioncast.models.online.state import Json


class Validation:
    """Log loss, AUC and base rate over all matured examples (Dawid 1984: predict, then look, then learn)."""

    def __init__(self) -> None:
        self._loss = metrics.LogLoss()
        self._auc = BinnedAuc()
        self._base = stats.Mean()
        self.n_matured = 0

    def update(self, label: bool, probability: float) -> None:
        """Judge one prediction by its label."""
        self.n_matured += 1
        self._loss.update(label, probability)
        self._auc.update(label, probability)
        self._base.update(float(label))

    def progress(self, stream_time: float) -> Progress:
        """The state of things as one row."""
        base = float(self._base.get())
        return Progress(stream_time, self.n_matured, float(self._loss.get()), self._auc.get(), base, _entropy(base))

    def to_json(self) -> Json:
        """Counts and running means."""
        loss = self._loss._mean
        return {
            "n_matured": self.n_matured,
            "log_loss": [loss.n, loss.get()],
            "base_rate": [self._base.n, self._base.get()],
            "auc": [list(counts) for counts in self._auc.counts],
        }

    def load(self, state: Json) -> None:
        """Take over what `to_json` saved."""
        self.n_matured = state["n_matured"]
        self._loss._mean = stats.Mean._from_state(*state["log_loss"])
        self._base = stats.Mean._from_state(*state["base_rate"])
        self._auc.counts = [list(counts) for counts in state["auc"]]


class DriftAlarm:
    """Page-Hinkley (Page 1954) on the log loss of matured examples, upwards: the world has changed.

    ADWIN is not used because river keeps its window in compiled objects that do not become JSON; this test is
    seven numbers. It starts afresh after each alarm.
    """

    def __init__(self, config: OnlineConfig) -> None:
        self._test = drift.PageHinkley(
            min_instances=config.drift_min_examples,
            delta=config.drift_delta,
            threshold=config.drift_threshold,
            mode="up",
        )

    def update(self, label: bool, probability: float, stream_time: float, n_matured: int) -> Drift | None:
        """The alarm that this example raises, if it does."""
        loss = _log_loss(label, probability)
        self._test.update(loss)
        if not self._test.drift_detected:
            return None
        statistic = self._test._sum_increase - self._test._min_increase
        mean = float(self._test._x_mean.get())
        return Drift(stream_time, n_matured, loss, mean, float(statistic), float(self._test.threshold))

    def to_json(self) -> Json:
        """The seven numbers; JSON knows no infinity, so a minimum not yet seen is null."""
        test = self._test
        lowest = test._min_increase
        return {
            "mean": [test._x_mean.n, test._x_mean.get()],
            "sums": [test._sum_increase, test._sum_decrease],
            "min_increase": lowest if math.isfinite(lowest) else None,
            "max_decrease": test._max_decrease,
            "detected": test.drift_detected,
        }

    def load(self, state: Json) -> None:
        """Take over what `to_json` saved."""
        test, lowest = self._test, state["min_increase"]
        test._x_mean = stats.Mean._from_state(*state["mean"])
        test._sum_increase, test._sum_decrease = state["sums"]
        test._min_increase = math.inf if lowest is None else lowest
        test._max_decrease = state["max_decrease"]
        test._drift_detected = state["detected"]


def _log_loss(label: bool, probability: float) -> float:
    likelihood = probability if label else 1.0 - probability
    return -math.log(max(likelihood, 1e-15))


def _entropy(rate: float) -> float:
    """Log loss of predicting `rate` for everybody, in hindsight: no constant does better."""
    if rate <= 0.0 or rate >= 1.0:
        return 0.0
    return -rate * math.log(rate) - (1.0 - rate) * math.log1p(-rate)
