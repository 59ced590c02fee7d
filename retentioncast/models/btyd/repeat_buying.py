"""What all models of repeat buying share: their columns, their time unit, and how `fit` takes them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.grouping import Groups, group_rows
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.likelihood_model import LikelihoodModel
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS, from_frame, read_purchases, read_weights
from retentioncast.models.btyd.time_unit import TimeUnit, require_unit
from retentioncast.models.columns import same_length

MIN_CUSTOMERS = 10
MIN_REPEAT_BUYERS = 5


class RepeatBuyingModel(LikelihoodModel):
    """A model of frequency, recency and T in `time_unit`. A family adds names, likelihood and predictions.

    Predictions take numbers or columns of m customers, or with `parameters` (n, k) of `draw_parameters` give (n, m).
    """

    #: The family's name in prose and in tables, e.g. BG/NBD.
    family: ClassVar[str]

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
    ) -> Self:
        """Fit by maximum likelihood to columns (n,), or to a frame that holds them by name.

        Raises InvalidColumn (a ValueError) for bad values, NotEnoughData below 10 customers or 5 repeat buyers,
        FitFailed when there is no maximum to be trusted.
        """
        if isinstance(frequency, pd.DataFrame):
            require_unit(frequency, self.time_unit)
            frequency, recency, T = from_frame(frequency, PURCHASE_COLUMNS)
        if recency is None or T is None:
            raise TypeError("fit takes frequency, recency and T, or one frame with these columns")
        columns = tuple(np.atleast_1d(column) for column in read_purchases(frequency, recency, T))
        same_length(frequency=columns[0], recency=columns[1], T=columns[2])
        groups = group_rows(columns, read_weights(weights, columns[0].size))
        _require_enough(self.family, groups.columns[0], groups.weights)
        return self._fit_likelihood(self._likelihood(groups))

    @abstractmethod
    def _likelihood(self, groups: Groups) -> Likelihood:
        """The family's likelihood of distinct (x, t_x, T) rows with weights."""


def _require_enough(family: str, x: Floats, weights: Floats) -> None:
    n, repeaters = float(weights.sum()), float(weights[x > 0].sum())
    if n < MIN_CUSTOMERS or repeaters < MIN_REPEAT_BUYERS:
        raise NotEnoughData(
            f"{family} needs {MIN_CUSTOMERS} customers and {MIN_REPEAT_BUYERS} repeat buyers; "
            f"there are {n:g} and {repeaters:g}.",
            "Wait for more purchases.",
        )
