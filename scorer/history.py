"""Read within the snapshot: the log that backtests look at, what is in force, what became of earlier predictions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import psycopg

from retentioncast.infra.settings import JudgingSettings
from retentioncast.infra.sql import sql
from retentioncast.models.judging.recalibration import Curve
from scorer.binary_copy import decode_rows
from scorer.columns import MATURED, PURCHASE_DAYS
from scorer.part import Member
from scorer.snapshot import InForce

SQL = Path(__file__).parent / "sql"
#: Customers are sampled by hash, in steps of 1/4096: the same ones each time.
_BUCKETS = 4096


def read_in_force(connection: psycopg.Connection) -> InForce | None:
    """The run in force with its models; None before the first."""
    row = connection.execute(sql("snapshot.in_force", SQL)).fetchone()
    if row is None:
        return None
    found = InForce(*row)
    members = connection.execute(sql("judging.members", SQL), {"run_id": found.run_id}).fetchall()
    curve = connection.execute(sql("judging.recalibration", SQL), {"run_id": found.run_id}).fetchone()
    return replace(
        found,
        members=tuple(Member(*member) for member in members),
        recalibration=None if curve is None else Curve(*curve),
    )


def read_purchase_days(
    connection: psycopg.Connection, as_of: datetime, customers: int, settings: JudgingSettings
) -> pd.DataFrame:
    """Purchase days up to `as_of`, of about so many of the shop's `customers` as the settings ask for."""
    fields = {"as_of": as_of, "buckets": buckets(settings.customers, customers)}
    with connection.cursor().copy(sql("judging.purchase_days", SQL), fields) as copy:
        return pd.DataFrame(decode_rows(map(bytes, copy), PURCHASE_DAYS))


def read_matured(connection: psycopg.Connection, as_of: datetime) -> pd.DataFrame:
    """Predictions made before `as_of` whose outcome is known."""
    rows = connection.execute(sql("judging.matured", SQL), {"as_of": as_of}).fetchall()
    return pd.DataFrame(rows, columns=MATURED)


def buckets(wanted: int, customers: int) -> int:
    """Of 4096 buckets of customers, how many hold about so many of them."""
    return max(1, min(_BUCKETS, -(-_BUCKETS * wanted // max(customers, 1))))
