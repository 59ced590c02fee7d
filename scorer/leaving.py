"""Curves of P(leaves before the next purchase), with which `scores.risk_now` need not integrate for every customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psycopg

from retentioncast.infra.sql import sql
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.leaving_curves import LeavingCurves, leaving_curves
from retentioncast.models.btyd.lifetime import LifetimeModel
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT

SQL = Path(__file__).parent / "sql"
#: Numbers of purchases that get a curve, the most common ones; for others SQL works the formula out.
MOST_FREQUENCIES = 1_000
#: Ages are followed up to twice the oldest customer's and so many days more.
DAYS_TO_COME = 730.0


def curves_of(members: Sequence[object], frequency: Floats, T: Floats) -> tuple[LeavingCurves | None, ...]:
    """For each model whose customers leave at a time of their own, its curves for customers (n,); None for others."""
    values, counts = np.unique(frequency, return_counts=True)
    common = np.sort(values[np.argsort(-counts, kind="stable")[:MOST_FREQUENCIES]])
    return tuple(
        leaving_curves(model, common, 2 * float(T.max()) + DAYS_TO_COME / DAYS_PER_UNIT[model.time_unit])
        if isinstance(model, LifetimeModel)
        else None
        for model in members
    )


def write_curves(connection: psycopg.Connection, run_id: int, members: Sequence[LeavingCurves | None]) -> None:
    """The curves of the run in force, in place of the last one's."""
    connection.execute(sql("publish.forget_curves", SQL))
    with connection.cursor().copy(sql("publish.copy_curves", SQL)) as copy:
        for number, curves in enumerate(members):
            for row in _rows(curves) if curves else ():
                copy.write_row((run_id, number, *row))


def _rows(curves: LeavingCurves) -> Iterator[tuple[int, list[float], list[float]]]:
    """Frequency, breaks and coefficients, piece by piece."""
    breaks = curves.breaks.tolist()
    for frequency, pieces in zip(curves.frequency, curves.coefficients, strict=True):
        yield int(frequency), breaks, pieces.ravel().tolist()
