"""What one model brings to a generation of scores, and what stops a generation from being published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from retentioncast.core.errors import InvalidInput, NotEnoughData, RetentionCastError

Status = Literal["published", "refused", "failed"]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Columns of scores by customer_id, what was fitted, and what a reader of the run should know."""

    scores: pd.DataFrame
    parameters: dict[str, Any]
    notes: tuple[str, ...] = ()
    log_likelihood: float | None = None
    has_money: bool = False


class Refused(RetentionCastError):
    """These scores must not replace the ones in force."""


def status_of(error: RetentionCastError) -> Status:
    """Refused: there was nothing sensible to publish. Failed: something did not work."""
    return "refused" if isinstance(error, Refused | NotEnoughData | InvalidInput) else "failed"
