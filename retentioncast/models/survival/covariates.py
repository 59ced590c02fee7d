"""Turns plan, billing period, channel and price into numbers, and says which of them cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Self

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats

#: A level with fewer cancellations joins the reference: its own effect would run off to infinity.
MIN_EVENTS_PER_LEVEL = 5
_COLLINEAR = 1e-8


@dataclass(frozen=True, slots=True)
class Term:
    """One column of the design: a number (level None), or 1 where the covariate has this level; and its mean."""

    covariate: str
    level: str | None
    mean: float

    @property
    def name(self) -> str:
        return self.covariate if self.level is None else f"{self.covariate}={self.level}"


@dataclass(frozen=True, slots=True)
class Design:
    """Which columns the model sees, and what was left out and why."""

    terms: tuple[Term, ...]
    notes: tuple[str, ...] = ()

    def encode(self, frame: pd.DataFrame) -> Floats:
        """Centred columns (n, terms). A value that is missing, or a level never seen, counts as the average."""
        columns = [_raw_column(frame, term) - term.mean for term in self.terms]
        return np.nan_to_num(np.column_stack(columns)) if columns else np.empty((len(frame), 0))

    def to_dict(self) -> dict[str, Any]:
        return {"terms": [asdict(term) for term in self.terms], "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        return cls(tuple(Term(**term) for term in content["terms"]), tuple(content["notes"]))


def choose_design(frame: pd.DataFrame, covariates: Sequence[str], events: Floats) -> Design:
    """The columns that vary and are no combination of others; a note for each that was left out."""
    terms: list[Term] = []
    notes: list[str] = []
    kept = np.ones((len(frame), 1))
    for term, note in _candidates(frame, covariates, events):
        if term is None:
            notes.append(note)
            continue
        column = np.nan_to_num(_raw_column(frame, term) - term.mean)
        if _adds_nothing(kept, column):
            notes.append(f"{term.name} left out: constant, or a combination of the others")
            continue
        terms.append(term)
        kept = np.column_stack([kept, column / np.linalg.norm(column)])
    return Design(tuple(terms), tuple(notes))


def _candidates(
    frame: pd.DataFrame, covariates: Sequence[str], events: Floats
) -> list[tuple[Term, str] | tuple[None, str]]:
    found: list[tuple[Term, str] | tuple[None, str]] = []
    for covariate in covariates:
        if covariate not in frame.columns:
            found.append((None, f"{covariate} left out: the data do not have it"))
        elif _is_number(frame[covariate]):
            mean = float(np.nanmean(_raw_column(frame, Term(covariate, None, 0.0))))
            found.append((Term(covariate, None, mean), ""))
        else:
            found.extend(_levels(frame, covariate, events))
    return found


def _levels(frame: pd.DataFrame, covariate: str, events: Floats) -> list[tuple[Term, str] | tuple[None, str]]:
    """A term for each level but the commonest, which is the reference."""
    values = frame[covariate].dropna().astype(str)
    counts = values.value_counts()
    ordered = sorted(counts.index, key=lambda level: (-counts[level], level))
    cancelled = values[events[frame[covariate].notna().to_numpy()] > 0].value_counts()
    if len(ordered) < 2:
        return [(None, f"{covariate} left out: constant")]
    found: list[tuple[Term, str] | tuple[None, str]] = []
    for level in ordered[1:]:
        if cancelled.get(level, 0) < MIN_EVENTS_PER_LEVEL:
            found.append((None, f"{covariate}={level} joins {ordered[0]}: under {MIN_EVENTS_PER_LEVEL} cancellations"))
        else:
            found.append((Term(covariate, level, float(counts[level] / len(values))), ""))
    return found


def _is_number(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return True
    present = column.dropna()
    return bool(len(present)) and all(isinstance(value, Decimal) for value in present.head(10))


def _raw_column(frame: pd.DataFrame, term: Term) -> Floats:
    column = frame[term.covariate] if term.covariate in frame.columns else pd.Series(np.nan, index=frame.index)
    if term.level is None:
        return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    is_level = (column.astype(str) == term.level).to_numpy(dtype=np.float64)
    return np.where(column.isna(), np.nan, is_level)


def _adds_nothing(kept: Floats, column: Floats) -> bool:
    norm = float(column @ column)
    if norm == 0:
        return True
    solution = np.linalg.lstsq(kept, column, rcond=None)[0]
    rest = column - kept @ solution
    return float(rest @ rest) < _COLLINEAR * norm
