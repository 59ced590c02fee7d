"""A simulated shop whose rows stand in the mirror, and who its subscribers truly are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from retentioncast.core.clock import SystemClock
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.specification import Specification
from simulator.bootstrap import simulate
from simulator.options import Options
from simulator.population_files import read_population

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def quiet(file: Path) -> Specification:
    """The file's population, whose customers subscribe and do nothing else: quick to write."""
    whole: dict[str, Any] = json.loads(read_population(file).text)
    for each in whole["populations"]:
        each |= {"purchase_rate": 0, "session_rate": 0, "first_order": 0}
    return Mixture(whole).specification


def fill(database: Settings, specification: Specification, customers: int, seed: int = 42) -> pd.Series:
    """Two years of the shop, copied into the mirror; each subscription's true segment."""
    options = Options(customers, "2y", "flood", None, None, seed, NOW, None, True, False, specification.text)
    simulate(options, database, SystemClock(), lambda: False)
    with connect(database, "owner") as connection:
        for name in ("customers", "subscriptions"):
            connection.execute(sql(f"fill_mirror.{name}", HERE))
        connection.execute(sql("fill_mirror.clock", HERE), (NOW,))
        rows = connection.execute(sql("fill_mirror.truth", HERE)).fetchall()
    return pd.Series(dict(rows), name="segment")
