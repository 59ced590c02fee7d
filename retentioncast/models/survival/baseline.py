"""A cumulative hazard as steps, with what to say beyond the ages at which too few are left to judge by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from retentioncast.models.arrays import Floats

#: The steps count up to the last age that so many (or a fifth of a small number) have reached.
MIN_AT_RISK = 20


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Steps of the cumulative hazard: after days[i] it is hazard[i], its variance variance[i], at_risk[i] were there.

    Beyond `supported_days` it grows by `tail_per_day`, the rate over the second half of the supported ages (over all
    of them where that half saw no cancellation), which rests on `tail_events` cancellations.
    """

    days: Floats
    hazard: Floats
    variance: Floats
    at_risk: Floats
    supported_days: float
    tail_per_day: float
    tail_events: float

    def increase(self, age_days: Floats, horizon_days: float) -> tuple[Floats, Floats]:
        """Increase of the cumulative hazard from each age (m,) over the horizon, and its variance (m,)."""
        until = age_days + horizon_days
        supported = np.minimum([age_days, until], self.supported_days)
        beyond = np.maximum([age_days, until], self.supported_days)
        start, end = (np.searchsorted(self.days, edge, side="right") - 1 for edge in supported)
        tail = (beyond[1] - beyond[0]) * self.tail_per_day
        within_variance = self._at(self.variance, end) - self._at(self.variance, start)
        variance = within_variance + tail**2 / self.tail_events
        return self._at(self.hazard, end) - self._at(self.hazard, start) + tail, variance

    def watched(self, age_days: Floats) -> Floats:
        """How many were at risk at each age (at least 1)."""
        step = np.searchsorted(self.days, np.minimum(age_days, self.supported_days), side="right") - 1
        return np.maximum(self.at_risk[np.clip(step, 0, None)], 1.0)

    @staticmethod
    def _at(values: Floats, step: np.ndarray[Any, np.dtype[np.intp]]) -> Floats:
        return np.asarray(np.where(step >= 0, values[np.clip(step, 0, None)], 0.0))

    def to_dict(self) -> dict[str, Any]:
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        fields: dict[str, Any] = {
            name: np.array(v, dtype=np.float64) if isinstance(v, list) else v for name, v in content.items()
        }
        return cls(**fields)


def build_baseline(days: Floats, hazard: Floats, events: Floats, at_risk: Floats, variance: Floats) -> Baseline:
    """A baseline from the steps at distinct days, each with the cancellations and the number at risk at that day."""
    enough = min(MIN_AT_RISK, max(1.0, at_risk[0] / 5))
    last = int(np.flatnonzero(at_risk >= enough)[-1])
    end = slice(None, last + 1)
    tail_per_day, tail_events = _tail(days[end], hazard[end], events[end])
    return Baseline(days[end], hazard[end], variance[end], at_risk[end], float(days[last]), tail_per_day, tail_events)


def _tail(days: Floats, hazard: Floats, events: Floats) -> tuple[float, float]:
    half = int(np.searchsorted(days, days[-1] / 2, side="right")) - 1
    for start in (half, -1):
        begin_days, begin = (days[start], hazard[start]) if start >= 0 else (0.0, 0.0)
        seen = float(events[start + 1 :].sum())
        if seen > 0 and days[-1] > begin_days:
            return float((hazard[-1] - begin) / (days[-1] - begin_days)), seen
    return 0.0, 1.0
