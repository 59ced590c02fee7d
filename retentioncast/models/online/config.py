"""The numbers that the online learner is run with, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from retentioncast.core.errors import InvalidSettings

DAY_S = 86_400.0

_MAY_BE_ZERO = ("learning_rate_power", "learning_rate_floor", "l2", "drift_delta", "late_grace_days")


@dataclass(frozen=True, slots=True)
class OnlineConfig:
    """Settings of one `OnlineChurn`.

    The defaults were chosen on simulated shops (see the tests), not on any real shop. `horizon_days` and
    `plan_buckets` are part of the saved state: a state saved under other values is refused.

    Raises:
        InvalidSettings: a value is not finite or not positive.
    """

    #: Days without an order that make the label 1.
    horizon_days: float = 30.0
    #: Examples of one customer that may wait for their label; while so many wait, sessions open none.
    max_pending: int = 8
    #: Wait (days of stream time) for the next order of a history that is read when its horizon has passed.
    late_grace_days: float = 1.0
    #: Plans are hashed into so many one-hot features, so a plan never seen before is no special case.
    plan_buckets: int = 8
    #: SGD step: `max(learning_rate_floor, learning_rate / (t + 1) ** learning_rate_power)` at step t.
    learning_rate: float = 0.3
    learning_rate_power: float = 0.3
    learning_rate_floor: float = 0.01
    #: L2 penalty on the weights; 0 saves a tenth of a step, and bounded features do without.
    l2: float = 0.0
    #: A row of progress each so many matured examples (and at each new day of the stream).
    metrics_every: int = 500
    #: Page-Hinkley on the log loss: tolerated rise, alarm level, fewest examples before an alarm.
    drift_delta: float = 0.05
    drift_threshold: float = 50.0
    drift_min_examples: int = 200

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0 or (value == 0 and name not in _MAY_BE_ZERO):
                wanted = "of at least 0" if name in _MAY_BE_ZERO else "above 0"
                raise InvalidSettings(
                    f"online.{name} is {value!r}, it must be a finite number {wanted}.",
                    f"Correct online.{name}; nothing was started.",
                )

    @property
    def horizon_s(self) -> float:
        """The horizon in seconds."""
        return self.horizon_days * DAY_S
