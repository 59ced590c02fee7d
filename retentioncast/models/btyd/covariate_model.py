"""A family whose parameters may differ between customers by what is known of them: how it is fitted and asked."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self, Unpack

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Column, Floats, Integers
from retentioncast.models.btyd.covariates import (
    Covariates,
    Design,
    Effect,
    UnsuitableCovariates,
    column_names,
    require_rank,
    same_customers,
)
from retentioncast.models.btyd.grouping import Groups
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import TimeUnit
from retentioncast.models.uncertainty.fitting import Fitting
from retentioncast.models.uncertainty.priors import RATIO, LogNormal, priors_of

#: Log likelihood and gradient (p, k) of scaled parameters (p, k), of customers in p runs of rows.
RunKernel = Callable[[Floats], tuple[float, Floats]]


class CovariateModel(RepeatBuyingModel):
    """A family in continuous time, and what covariates do to it.

    After `fit(..., covariates=)`: `covariates_` (names of the columns), and among `params_` a ratio e^gamma for each of
    the family's `effects` and each column, e.g. rate[web]. Predictions then take `covariates`: a frame with these
    columns (others are left alone), or an array (m, c) in their order.
    """

    #: What covariates multiply; see `Effect`.
    effects: ClassVar[tuple[Effect, ...]]
    #: Where a search begins: parameters, with time scaled to a mean T of 1.
    starts: ClassVar[tuple[tuple[float, ...], ...]]
    #: The power of time in each parameter's unit.
    powers_of_time: ClassVar[tuple[int, ...]]

    def __init__(self, time_unit: TimeUnit = "week") -> None:
        super().__init__(time_unit)
        self.covariates_: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.parameter_names, *self._design().ratios)

    def fit(
        self,
        frequency: Column | pd.DataFrame,
        recency: Column | None = None,
        T: Column | None = None,
        weights: Column | None = None,
        covariates: Covariates | None = None,
        **how: Unpack[Fitting],
    ) -> Self:
        """As every family of repeat buying, with what is known of each customer: a frame, or an array (n, c), of
        numbers that lie within 20 of 0.

        Raises InvalidColumn or UnsuitableCovariates (ValueErrors) for columns that no fit can use.
        """
        before = self.covariates_
        columns = self._read_rows(frequency, recency, T)
        same_customers(frequency, covariates)
        try:
            self.covariates_ = () if covariates is None else column_names(covariates, columns[0].size)
            z = [] if covariates is None else list(self._design().read(covariates, columns[0].size).T)
            return self._fit_columns((*z, *columns), weights, **how)
        except Exception:
            self.covariates_ = before
            raise

    def priors(self, chosen: Mapping[str, LogNormal] | None = None) -> dict[str, LogNormal]:
        ratios = dict.fromkeys(self._design().ratios, RATIO)
        return priors_of(type(self).__name__, self.names, {**ratios, **(chosen or {})})

    def coefficients(self) -> pd.DataFrame:
        """gamma of every effect and column, with its standard error: the logs of the ratios."""
        values, errors = np.log(self._fitted_values()), np.sqrt(np.diag(self.covariance_))
        table = pd.DataFrame({"coefficient": values, "standard_error": errors}, index=list(self.names))
        return table.loc[list(self._design().ratios)]

    @abstractmethod
    def _run_kernel(self, x: Floats, t_x: Floats, age: Floats, weights: Floats, edges: Integers) -> RunKernel:
        """The kernel for customers in p runs of rows, the i-th from edges[i] to edges[i + 1]; times are scaled."""

    def _likelihood_of(self, groups: Groups) -> Likelihood:
        design, c = self._design(), len(self.covariates_)
        purchases = Groups(groups.columns[c:], groups.weights, groups.group_of_row)
        if not c:
            return self._likelihood(purchases)
        z, edges = _runs(np.column_stack(groups.columns[:c]))
        require_rank(z, design.columns)
        base, run = self._likelihood_of_runs(purchases, edges)

        def kernel(scaled: Floats) -> tuple[float, Floats]:
            moved = design.of_customers(scaled, z)
            value, of_moved = run(moved)
            return value, design.gradient(scaled, z, moved, of_moved)

        ones = (1.0,) * len(design.ratios)
        starts = tuple((*start, *ones) for start in base.starts)
        return replace(base, kernel=kernel, starts=starts, units=np.append(base.units, ones))

    def _likelihood(self, groups: Groups) -> Likelihood:
        return self._likelihood_of_runs(groups, np.array([0, groups.size]))[0]

    def _likelihood_of_runs(self, groups: Groups, edges: Integers) -> tuple[Likelihood, RunKernel]:
        """The likelihood of customers who are all alike, and the kernel of runs of them who are not."""
        x, t_x, age = groups.columns
        w = groups.weights
        n = float(w.sum())
        unit = float(w @ age / n)
        run = self._run_kernel(x, t_x / unit, age / unit, w, edges)

        def kernel(scaled: Floats) -> tuple[float, Floats]:
            value, gradient = run(scaled[None, :])
            return value, gradient[0]

        units = unit ** np.array(self.powers_of_time, dtype=np.float64)
        return Likelihood(kernel, self.starts, units, float(w @ x) * math.log(unit), groups.size, n), run

    def _design(self) -> Design:
        return Design(self.covariates_, self.effects, self.parameter_names)

    def _columns(
        self, parameters: Floats | None, covariates: Covariates | None = None, frequency: Column = 0
    ) -> tuple[Floats, ...]:
        """As without covariates; else each parameter as (m,) or, of draws, as (n, m), for those with that frequency."""
        if not self.covariates_:
            if covariates is not None:
                raise UnsuitableCovariates("the model was fitted without covariates.", "Leave them out, or fit anew.")
            return super()._columns(parameters)
        values = self._fitted_values() if parameters is None else np.asarray(parameters, dtype=np.float64)
        same_customers(frequency, covariates)
        moved = self._design().of_customers(values, self._design().read(covariates, np.size(frequency)))
        return tuple(np.moveaxis(moved, -1, 0))

    def _more_content(self) -> dict[str, Any]:
        return {"covariates": list(self.covariates_)} if self.covariates_ else {}

    def _restore(self, content: Mapping[str, Any]) -> None:
        self.covariates_ = tuple(content.get("covariates", ()))


def _runs(z: Floats) -> tuple[Floats, Integers]:
    """The distinct rows (p, c) of sorted z, and where each begins, with the end (p + 1,)."""
    begins = np.flatnonzero(np.concatenate([[True], np.any(z[1:] != z[:-1], axis=1)]))
    return z[begins], np.append(begins, len(z))
