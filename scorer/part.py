"""What one model brings to a generation of scores, and what stops a generation from being published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pandas as pd

from retentioncast.core.errors import InvalidInput, NotEnoughData, RetentionCastError
from retentioncast.models.btyd.leaving_curves import LeavingCurves
from retentioncast.models.btyd.time_unit import TimeUnit
from retentioncast.models.judging.recalibration import Curve
from retentioncast.models.judging.stack import Stack

Status = Literal["published", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Member:
    """One model of the stack that predicts repeat buying: its family in prose, and its share of the prediction."""

    family: str
    weight: float
    time_unit: TimeUnit
    parameters: dict[str, float]


class Storable(Protocol):
    """A fitted model that the model store can keep."""

    def to_json(self) -> str:
        """The model as JSON, with its schema version and hash."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Columns of scores by customer_id, what was fitted, and what a reader of the run should know."""

    scores: pd.DataFrame
    parameters: dict[str, Any]
    notes: tuple[str, ...] = ()
    log_likelihood: float | None = None
    has_money: bool = False
    members: tuple[Member, ...] = ()
    #: How P(no purchase within any number of days) is set right, if it is: see scores.recalibrations.
    recalibration: Curve | None = None
    #: For each member, what SQL need not integrate; None where there is nothing to integrate.
    leaving: tuple[LeavingCurves | None, ...] = ()
    #: What goes into the model store, by name: `purchase`, `spend`, `subscription`.
    models: Mapping[str, Storable] = field(default_factory=dict)
    #: What predicts repeat buying, and its P(no purchase) before recalibration, in the columns of `scores`.
    model: Stack | None = None
    uncalibrated: pd.DataFrame | None = None


class Refused(RetentionCastError):
    """These scores must not replace the ones in force."""


def status_of(error: RetentionCastError) -> Status:
    """Refused: there was nothing sensible to publish. Failed: something did not work."""
    return "refused" if isinstance(error, Refused | NotEnoughData | InvalidInput) else "failed"
