"""The CDNOW sample (6,919 purchases of 2,357 customers), read from the data files of lifetimes without importing it."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, files

import pandas as pd
import pytest

from retentioncast.models import summary_from_transactions

CALIBRATION_END = datetime(1997, 9, 30)  # noqa: DTZ001 - the log knows days only


@cache
def read_transactions() -> pd.DataFrame:
    """customer_id, occurred_at, amount: one row a purchase."""
    try:
        path = next(file for file in files("lifetimes") or [] if file.name == "CDNOW_sample.txt").locate()
    except PackageNotFoundError:
        pytest.skip("lifetimes (its data files) is not installed: pip install 'retentioncast[cdnow]'")
    names = ["master_id", "customer_id", "day", "cds", "amount"]
    log = pd.read_csv(str(path), sep=r"\s+", header=None, names=names)
    return log.assign(occurred_at=pd.to_datetime(log["day"].astype(str)))[["customer_id", "occurred_at", "amount"]]


@cache
def read_calibration() -> pd.DataFrame:
    """The summary of the first 39 weeks, in weeks."""
    return summary_from_transactions(read_transactions(), observed_until=CALIBRATION_END)


def holdout_purchases() -> pd.Series:
    """Purchase days of each customer in weeks 40 to 78."""
    log = read_transactions()
    days = log[log["occurred_at"] > CALIBRATION_END].drop_duplicates(["customer_id", "occurred_at"])
    return days.groupby("customer_id").size().reindex(read_calibration().index, fill_value=0)
