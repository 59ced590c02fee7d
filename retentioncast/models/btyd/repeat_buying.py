"""What all models of repeat buying share: their columns, their time unit, and how `fit` takes them."""

from __future__ import annotations

from typing import Any, ClassVar, Self, Unpack

import numpy as np
import pandas as pd

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.grouping import Groups, group_rows
from retentioncast.models.btyd.likelihood_model import LikelihoodModel
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS, from_frame, read_purchases, read_weights
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT, TimeUnit, require_unit
from retentioncast.models.columns import refuse, same_length
from retentioncast.models.uncertainty.fitting import Fitting, method_of

MIN_CUSTOMERS = 10
MIN_REPEAT_BUYERS = 5
#: One purchase a minute for two years, and three centuries: what lies beyond would drag all parameters after it.
MOST_PURCHASES, LONGEST_DAYS = 1e6, 110_000.0


class RepeatBuyingModel(LikelihoodModel):
    """A model of frequency, recency and T in `time_unit`. A family adds names, likelihood and predictions.

    Predictions take numbers or columns of m customers, or with `parameters` (n, k) of `draw_parameters` give (n, m).
    """

    #: The family's name in prose and in tables, e.g. BG/NBD.
    family: ClassVar[str]
    #: Checks the columns: frequency, recency and T as floats, or InvalidColumn.
    read_columns = staticmethod(read_purchases)

    def __init__(self, time_unit: TimeUnit = "week") -> None:
        super().__init__()
        self.time_unit: TimeUnit = time_unit

    def settings(self) -> dict[str, Any]:
        return {"time_unit": self.time_unit}

    def fit(
        self,
        frequency: Column | pd.DataFrame,
        recency: Column | None = None,
        T: Column | None = None,
        weights: Column | None = None,
        **how: Unpack[Fitting],
    ) -> Self:
        """Fit to columns (n,), or to a frame that holds them by name; see `Fitting` for method, priors, start, seed.

        By maximum likelihood, raises NotEnoughData below 10 customers or 5 repeat buyers, FitFailed when there is no
        maximum to be trusted. With priors any number of repeat buyers will do, and below 10 customers the priors are
        all there is (`prior_only_`). Always raises InvalidColumn (a ValueError) for bad values.
        """
        return self._fit_columns(self._read_rows(frequency, recency, T), weights, **how)

    def _read_rows(
        self, frequency: Column | pd.DataFrame, recency: Column | None, T: Column | None
    ) -> tuple[Floats, ...]:
        if isinstance(frequency, pd.DataFrame):
            require_unit(frequency, self.time_unit)
            frequency, recency, T = from_frame(frequency, PURCHASE_COLUMNS)
        if recency is None or T is None:
            raise TypeError("fit takes frequency, recency and T, or one frame with these columns")
        columns = tuple(np.atleast_1d(column) for column in self.read_columns(frequency, recency, T))
        same_length(frequency=columns[0], recency=columns[1], T=columns[2])
        refuse("frequency", frequency, columns[0], columns[0] > MOST_PURCHASES, "is more than any customer buys")
        refuse("T", T, columns[2], columns[2] > self.longest_age(), "is more than any shop is old")
        return columns

    def _fit_columns(self, columns: tuple[Floats, ...], weights: Column | None, **how: Unpack[Fitting]) -> Self:
        """Fit to checked columns (n,), of which frequency, recency and T are the last."""
        groups = group_rows(columns, read_weights(weights, columns[0].size))
        if missing := _not_enough(self.family, groups, MIN_REPEAT_BUYERS if method_of(how) == "mle" else 0):
            return self._fit_priors(missing, **how)
        return self._fit_groups(groups, **how)

    def longest_age(self) -> float:
        """The largest T that a fit takes: beyond it something is wrong with the data."""
        return LONGEST_DAYS / self.days_per_unit()

    def days_per_unit(self) -> float:
        return DAYS_PER_UNIT[self.time_unit]


def _not_enough(family: str, groups: Groups, repeaters_needed: int) -> NotEnoughData | None:
    """What is missing, if anything is."""
    n, repeaters = float(groups.weights.sum()), float(groups.weights[groups.columns[-3] > 0].sum())
    if n >= MIN_CUSTOMERS and repeaters >= repeaters_needed:
        return None
    return NotEnoughData(
        f"{family} needs {MIN_CUSTOMERS} customers and {MIN_REPEAT_BUYERS} repeat buyers; "
        f"there are {n:g} and {repeaters:g}.",
        "Wait for more purchases.",
    )
