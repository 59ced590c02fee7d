"""What the learner hands over when it is drained: values to be written, nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from retentioncast.models.online.state import Json


class Score(NamedTuple):
    """A customer's live probability of no order within the horizon; `as_of` in epoch seconds."""

    customer_id: int
    probability: float
    as_of: float


class Progress(NamedTuple):
    """Progressive validation up to now, over all matured examples, with the predictions made at opening.

    `base_rate` is the share of label 1 and `base_rate_log_loss` what the best constant prediction would have
    lost in hindsight; `auc` is None until both labels were seen. `n_matured` is unique: a key.
    """

    stream_time: float
    n_matured: int
    log_loss: float
    auc: float | None
    base_rate: float
    base_rate_log_loss: float


class Drift(NamedTuple):
    """A Page-Hinkley alarm: the log loss rose; `mean_log_loss` is its mean since the alarm before."""

    stream_time: float
    n_matured: int
    log_loss: float
    mean_log_loss: float
    statistic: float
    threshold: float


@dataclass(frozen=True, slots=True)
class OnlineDelta:
    """All that changed since the drain before; `customers` and `model_state` are JSON, the rest are rows."""

    customers: dict[int, Json]
    scores: list[Score]
    metrics: list[Progress]
    drift: list[Drift]
    model_state: Json
