"""One call from fitted models and a summary to everything that is published of a repeat buyer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.grouping import Groups, group_rows
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS, from_frame, read_purchases, read_spend
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT, require_unit
from retentioncast.models.clv.over_draws import over_draws
from retentioncast.models.clv.ports import PurchaseModel, SpendModel
from retentioncast.models.clv.predictive import Futures, value_interval
from retentioncast.models.clv.residual_value import discounted_purchases

#: Expected orders and spend are given for this horizon.
ORDERS_HORIZON_DAYS = 90


def score_repeat_buyers(
    purchase_model: PurchaseModel,
    spend_model: SpendModel | None,
    summary: pd.DataFrame,
    horizons_days: Sequence[int] = (30, 60, 90),
    value_horizon_days: float = 364,
    discount_rate: float = 0.10,
    interval: float = 0.8,
    draws: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores of each customer of a summary in lifetimes' shape, on the summary's index, in its order.

    Columns: probability_alive, no_purchase_{30,60,90}d (probabilities, each with _low and _high: parameter
    uncertainty), expected_orders_90d, expected_spend_90d, residual_value with residual_value_low and _high (bounds
    of what will happen, see `value_interval`). Without a spend model the three money columns are NaN.
    Same seed and customers, same numbers, whatever the order of the rows.
    """
    require_unit(summary, purchase_model.time_unit)
    columns = [np.atleast_1d(c) for c in read_purchases(*from_frame(summary, PURCHASE_COLUMNS))]
    groups = group_rows((columns[0], columns[1], columns[2]))
    table = _probabilities(purchase_model, groups, horizons_days, interval, draws, seed)
    unit = DAYS_PER_UNIT[purchase_model.time_unit]
    rows = (groups.columns[0], groups.columns[1], groups.columns[2])
    orders = purchase_model.expected_purchases(ORDERS_HORIZON_DAYS / unit, *rows)
    table[f"expected_orders_{ORDERS_HORIZON_DAYS}d"] = orders
    discounted = discounted_purchases(purchase_model, *rows, value_horizon_days, discount_rate)
    scores = {name: values[groups.group_of_row] for name, values in table.items()}
    asked = Futures(value_horizon_days, discount_rate, draws, interval, seed)
    scores |= _money(purchase_model, spend_model, summary, columns, orders[groups.group_of_row],
                     discounted[groups.group_of_row], asked)  # fmt: skip
    return pd.DataFrame(scores, index=summary.index)


def _probabilities(
    model: PurchaseModel, groups: Groups, horizons_days: Sequence[int], interval: float, draws: int, seed: int
) -> dict[str, Floats]:
    """Probabilities of the distinct rows, with their intervals."""
    unit = DAYS_PER_UNIT[model.time_unit]
    parameters = model.draw_parameters(draws, seed)
    table: dict[str, Floats] = {}
    rows = (groups.columns[0], groups.columns[1], groups.columns[2])

    def add(name: str, of: Callable[..., Floats]) -> None:
        table[name] = of(*rows)
        told = over_draws(of, rows, parameters, interval)
        table[f"{name}_low"], table[f"{name}_high"] = told.low, told.high

    add("probability_alive", model.probability_alive)
    for days in horizons_days:
        add(f"no_purchase_{days}d", _within(model, days / unit))
    return table


def _within(model: PurchaseModel, t: float) -> Callable[..., Floats]:
    def no_purchase(x: Floats, t_x: Floats, age: Floats, parameters: Floats | None = None) -> Floats:
        return model.probability_no_purchase(t, x, t_x, age, parameters)

    return no_purchase


def _money(
    purchase_model: PurchaseModel,
    spend_model: SpendModel | None,
    summary: pd.DataFrame,
    columns: list[Floats],
    orders: Floats,
    discounted: Floats,
    asked: Futures,
) -> dict[str, Floats]:
    names = (f"expected_spend_{ORDERS_HORIZON_DAYS}d", "residual_value", "residual_value_low", "residual_value_high")
    if spend_model is None:
        return {name: np.full(len(summary), np.nan) for name in names}
    x, m = read_spend(*from_frame(summary, ("frequency", "monetary_value")))
    spend = spend_model.expected_spend(x, m)
    groups = group_rows((columns[0], columns[1], columns[2], np.atleast_1d(m)))
    rows = (groups.columns[0], groups.columns[1], groups.columns[2], groups.columns[3])
    low, high = value_interval(purchase_model, spend_model, rows, asked)
    values = (orders * spend, discounted * spend, low[groups.group_of_row], high[groups.group_of_row])
    return dict(zip(names, values, strict=True))
