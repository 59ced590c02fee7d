"""What is known of customers beside their purchases moves the parameters: Fader & Hardie (2007), note 19.

"Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models": alpha_i = alpha0 exp(-gamma1'z_i) and
beta_i = beta0 exp(-gamma2'z_i), for BG/NBD a_i = a0 exp(gamma2'z_i) and b_i = b0 exp(gamma3'z_i). A coefficient is kept
as the ratio e^gamma, positive as the other parameters are: a unit more of z multiplies what is moved by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Floats
from retentioncast.models.columns import InvalidColumn, read_column, refuse

#: A frame of columns by name, or an array (m, c) of the columns in the order of the fit; (m,) of a single one.
Covariates = pd.DataFrame | Floats
#: Beyond this a unit of the covariate is too small a step for a ratio, and e^(gamma z) overflows.
LARGEST = 20.0


class UnsuitableCovariates(InvalidInput, ValueError):
    """The covariates cannot be used as they are. Change the columns as told; nothing was fitted or predicted."""


@dataclass(frozen=True, slots=True)
class Effect:
    """`name`[column] multiplies the parameter by its `power` (1 or -1) for a unit more of the column."""

    name: str
    parameter: str
    power: int


@dataclass(frozen=True, slots=True)
class Design:
    """Which columns move which of the k parameters of a family: a ratio for each effect and column, in that order."""

    columns: tuple[str, ...]
    effects: tuple[Effect, ...]
    parameters: tuple[str, ...]

    @property
    def ratios(self) -> tuple[str, ...]:
        """The names of the ratios, e.g. rate[web]."""
        return tuple(f"{effect.name}[{column}]" for effect in self.effects for column in self.columns)

    def of_customers(self, parameters: Floats, z: Floats) -> Floats:
        """Each customer's own parameters (..., m, k), of parameters and ratios (..., k + ratios) and z (m, c)."""
        k = len(self.parameters)
        gamma = np.log(parameters[..., k:]).reshape(*parameters.shape[:-1], len(self.effects), len(self.columns))
        moved = np.repeat(parameters[..., None, :k], len(z), axis=-2)
        for i, effect in enumerate(self.effects):
            moved[..., self.parameters.index(effect.parameter)] *= np.exp(effect.power * gamma[..., i, :] @ z.T)
        return moved

    def gradient(self, parameters: Floats, z: Floats, moved: Floats, of_moved: Floats) -> Floats:
        """Gradient (k + ratios,) in parameters and ratios, from that (m, k) in each customer's own parameters."""
        of_logs = of_moved * moved
        of_gamma = [effect.power * (of_logs[:, self.parameters.index(effect.parameter)] @ z) for effect in self.effects]
        return np.concatenate([of_logs.sum(axis=0), *of_gamma]) / parameters

    def read(self, covariates: Covariates | None, customers: int = 1) -> Floats:
        """The columns (m, c) as floats; else InvalidColumn or UnsuitableCovariates (ValueErrors)."""
        if covariates is None:
            told = f"the model was fitted with the covariates {', '.join(self.columns)}."
            raise UnsuitableCovariates(told, "Pass them: covariates=.")
        frame = _as_frame(covariates, self.columns)
        for name in self.columns:
            if name not in frame.columns:
                raise InvalidColumn(name, None, None, f"is missing; the covariates have {list(frame.columns)}")
        if len(frame) != customers and len(frame) != 1 != customers:
            told = f"there are covariates of {len(frame)} customers, and purchases of {customers}."
            raise UnsuitableCovariates(told, "Pass a row for each customer.")
        return np.column_stack([_read(name, frame[name]) for name in self.columns])


def column_names(covariates: Covariates, customers: int) -> tuple[str, ...]:
    """The names of the columns to fit to, z1, z2 and so on for an array."""
    frame = _as_frame(covariates, ())
    names = tuple(frame.columns)
    if len(set(names)) < len(names) or not names or not all(isinstance(name, str) for name in names):
        raise UnsuitableCovariates(f"the covariates have the columns {list(names)}.", "Give each a name of its own.")
    if len(frame) != customers:
        told = f"there are covariates of {len(frame)} customers, and purchases of {customers}."
        raise UnsuitableCovariates(told, "Pass a row for each customer.")
    return names


def same_customers(purchases: object, covariates: object) -> None:
    """Refuse two frames whose rows have names, but not the same in the same order: rows are taken as they stand."""
    indexes = [getattr(table, "index", None) for table in (purchases, covariates)]
    named = [index for index in indexes if isinstance(index, pd.Index) and not isinstance(index, pd.RangeIndex)]
    if len(named) == 2 and len(named[0]) == len(named[1]) > 1 and not named[0].equals(named[1]):
        raise UnsuitableCovariates(
            "the rows of the covariates are not those of the purchases: their indexes differ.",
            "Put them in the same order, e.g. covariates.loc[purchases.index].",
        )


def require_rank(z: Floats, names: tuple[str, ...]) -> None:
    """Refuse, of z (m, c), a column that follows from those before it or is the same for all."""
    for place, name in enumerate(names):
        if np.linalg.matrix_rank(np.column_stack([np.ones(len(z)), z[:, : place + 1]])) < place + 2:
            raise UnsuitableCovariates(
                f"column {name!r} is the same for all customers, or follows from the columns before it.",
                "Leave it out; of the indicators of one property leave out one (get_dummies(..., drop_first=True)).",
            )


def _as_frame(covariates: Covariates, names: tuple[str, ...]) -> pd.DataFrame:
    if isinstance(covariates, pd.DataFrame):
        return covariates
    table = np.asarray(covariates)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or (names and table.shape[1] != len(names)):
        told = f"the covariates have the shape {np.shape(covariates)}."
        raise UnsuitableCovariates(told, f"Pass a row a customer{' of ' * bool(names)}{', '.join(names)}.")
    return pd.DataFrame(table, columns=list(names) or [f"z{i}" for i in range(1, table.shape[1] + 1)])


def _read(name: str, column: pd.Series) -> Floats:
    values = np.atleast_1d(read_column(name, column))
    refuse(name, column, values, np.abs(values) > LARGEST, "is far from 0; scale the column, e.g. to mean 0 and sd 1")
    return values
