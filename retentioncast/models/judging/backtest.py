"""Backtest on rolling origins: every family refitted at each origin on what was known, and the baselines beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.judging.baselines import baselines
from retentioncast.models.judging.purchase_days import Cut, PurchaseDays
from retentioncast.models.judging.told import Told, Window

Families = Mapping[str, type[RepeatBuyingModel]]


@dataclass(frozen=True, slots=True)
class Backtest:
    """Windows, oldest origin first; the families that could be fitted at each origin, and why others could not."""

    windows: list[Window]
    families: list[str]
    failed: dict[str, str] = field(default_factory=dict)


def backtest(log: PurchaseDays, cuts: list[Cut], families: Families) -> Backtest:
    """What each family and baseline would have told at each cut. Families are fitted by maximum likelihood."""
    windows = {
        (cut.day, days): Window(cut.day, days, cut.customer, came)
        for cut in cuts
        for days, came in cut.happened.items()
    }
    failed: dict[str, str] = {}
    for name, family in families.items():
        try:
            start = None
            for cut in reversed(cuts):
                model = fit_family(family, cut, start)
                start = model.params_
                for days in cut.happened:
                    windows[cut.day, days].told[name] = tell(cast(PurchaseModel, model), cut, days)
        except (FitFailed, NotEnoughData) as error:
            failed[name] = str(error)
    for cut in cuts:
        for days in cut.happened:
            windows[cut.day, days].told.update(baselines(log, cut, days))
    return Backtest(list(windows.values()), [name for name in families if name not in failed], failed)


def fit_family(family: type[RepeatBuyingModel], cut: Cut, start: dict[str, float] | None = None) -> RepeatBuyingModel:
    """The family fitted to what was known at the cut, in weeks: by maximum likelihood, and where young data do not
    determine it, by the mode of the posterior. The search begins at `start`, the fit at the next origin."""
    groups = cut.groups
    x, t_x, age = groups.columns
    try:
        return family(time_unit="week").fit(x, t_x, age, weights=groups.weights, start=start)
    except FitFailed:
        return family(time_unit="week").fit(x, t_x, age, weights=groups.weights, method="map", start=start)


def tell(model: PurchaseModel, cut: Cut, horizon_days: int) -> Told:
    """A model's forecast for a cut, made once for equal customers."""
    t = horizon_days / DAYS_PER_UNIT[model.time_unit]
    scale = DAYS_PER_UNIT["week"] / DAYS_PER_UNIT[model.time_unit]
    x, t_x, age = cut.groups.columns
    row = cut.groups.group_of_row

    def each(values: Floats) -> Floats:
        return np.asarray(values)[row]

    rows = (x, t_x * scale, age * scale)
    return Told(each(model.probability_no_purchase(t, *rows)), each(model.expected_purchases(t, *rows)))
