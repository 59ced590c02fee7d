"""The formulas in SQL are the models': to 1e-9, at any size, mixed by weight and set right by what came of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb
from scipy.special import expit

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.models.arrays import Floats
from scorer.binary_copy import Kind, decode_rows, encode_rows
from scorer.part import Member, Recalibration
from tests.unit.models.test_laws import discovered_models

STATES: dict[str, Kind] = {"frequency": "double", "recency_days": "double", "age_days": "double"}
FOUND: dict[str, Kind] = {
    "probability_alive": "double", "p30": "double", "p60": "double", "p90": "double", "p": "double",
    "silence_if_alive": "double",
}  # fmt: skip
HORIZON_DAYS = 365

#: Parameters of each family that SQL has a formula for, usual ones and strange ones, in weeks; and how many customers
#: each is asked about: fewer where there is no closed form. The first two make the million.
PARAMETERS: dict[str, list[dict[str, float]]] = {
    "BG/NBD": [{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, {"r": 8.0, "alpha": 0.05, "a": 0.01, "b": 0.02}],
    "MBG/NBD": [{"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, {"r": 0.02, "alpha": 90.0, "a": 30.0, "b": 70.0}],
    "Pareto/NBD": [
        {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669},
        {"r": 5.0, "alpha": 0.5, "s": 0.05, "beta": 60.0},
        {"r": 0.1, "alpha": 40.0, "s": 4.0, "beta": 0.3},
    ],
    "Gamma-Gompertz/NBD": [
        {"r": 0.55, "alpha": 10.6, "b": 0.02, "s": 0.6, "beta": 0.3},
        {"r": 3.0, "alpha": 1.5, "b": 0.4, "s": 0.08, "beta": 20.0},
    ],
}
ROWS = {"BG/NBD": 400_000, "MBG/NBD": 100_000, "Pareto/NBD": 5_000, "Gamma-Gompertz/NBD": 1_500}
#: The same in Python.
MODELS: dict[str, Any] = {
    family: model for model in discovered_models() if (family := getattr(model, "family", "")) in PARAMETERS
}


@pytest.fixture
def connection(database: Settings) -> psycopg.Connection:
    return connect(database, "owner")


def states(n: int, seed: int) -> dict[str, Floats]:
    """Customers of up to eight years, most with few purchases, some with thousands."""
    rng = np.random.default_rng(seed)
    age = rng.integers(0, 3000, n)
    few = rng.poisson(rng.gamma(0.7, 4.0, n))
    x = np.minimum(np.where(rng.random(n) < 0.05, rng.integers(0, 5000, n), few), age)
    latest = np.where(x > 0, np.minimum(x + rng.integers(0, age + 1), age), 0)
    return {name: each.astype(np.float64) for name, each in zip(STATES, (x, latest, age), strict=True)}


def publish(connection: psycopg.Connection, members: list[Member], curves: list[Recalibration]) -> int:
    """A run in force with these models."""
    row = connection.execute(
        "insert into scores.model_runs (started_at, as_of, status, reason, duration_s, code_version)"
        " values (now(), now(), 'published', '', 1, '0') returning run_id"
    ).fetchone()
    assert row is not None
    for i, member in enumerate(members):
        values = (row[0], i, member.family, member.weight, member.time_unit, Jsonb(member.parameters))
        connection.execute("insert into scores.purchase_models values (%s, %s, %s, %s, %s, %s)", values)
    for curve in curves:
        fields = (row[0], curve.horizon_days, curve.method, Jsonb(curve.parameters))
        connection.execute("insert into scores.recalibrations values (%s, %s, %s, %s)", fields)
    return int(row[0])


def predict(
    connection: psycopg.Connection, run: int, columns: dict[str, Floats], function: str = "predict"
) -> dict[str, Floats]:
    """What SQL says of these customers."""
    connection.execute("create temporary table states (frequency float8, recency_days float8, age_days float8)")
    with connection.cursor().copy("copy states from stdin (format binary)") as copy:
        for piece in encode_rows(columns, STATES):
            copy.write(piece)
    asked = (
        f"copy (select p.* from (select scores.stack_of({run}) as stack offset 0) as run cross join states"
        f" cross join lateral scores.{function}(stack, frequency, recency_days, age_days, {HORIZON_DAYS}) as p)"
        " to stdout (format binary)"
    )
    with connection.cursor().copy(asked.encode()) as copy:
        found = decode_rows(map(bytes, copy), FOUND)
    connection.execute("drop table states")
    return found


def expected(member: Member, columns: dict[str, Floats]) -> dict[str, Floats]:
    """What Python says."""
    model = MODELS[member.family](member.time_unit)
    model.params_ = member.parameters
    days = {"day": 1.0, "week": 7.0, "month": 30.4375}[member.time_unit]
    x, t_x, age = columns["frequency"], columns["recency_days"] / days, columns["age_days"] / days
    told = {"probability_alive": model.probability_alive(x, t_x, age)}
    for name, horizon in (("p30", 30), ("p60", 60), ("p90", 90), ("p", HORIZON_DAYS)):
        told[name] = model.probability_no_purchase(horizon / days, x, t_x, age)
    r, alpha = member.parameters["r"], member.parameters["alpha"]
    told["silence_if_alive"] = np.exp((r + x) * np.log((alpha + t_x) / (alpha + age)))
    return told


@pytest.mark.parametrize("family", MODELS)
def test_predictions_are_those_of_the_models(connection: psycopg.Connection, family: str) -> None:
    for seed, parameters in enumerate(PARAMETERS[family]):
        member = Member(family, 1.0, "week", parameters)
        columns = states(ROWS[family], seed)
        found = predict(connection, publish(connection, [member], []), columns)
        for name, values in expected(member, columns).items():
            np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-9, err_msg=name)


def test_what_is_remembered_is_what_is_worked_out(connection: psycopg.Connection) -> None:
    """Of a stack of all families, for customers many of whom share x and T, and of those who never bought."""
    members = [Member(family, 0.1 * (i + 1), "week", PARAMETERS[family][0]) for i, family in enumerate(PARAMETERS)]
    columns = {name: np.tile(column, 3) for name, column in states(150, 4).items()}
    columns["age_days"][150:300] += 7
    run = publish(connection, members, [])
    found = predict(connection, run, columns, "predict_remembering")
    for name, values in predict(connection, run, columns).items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-12, err_msg=name)
    nobody = "select probability_alive, p30 from scores.predict_remembering(scores.stack_of(%s), null, null, 3, 30)"
    assert connection.execute(nobody, (run,)).fetchone() == (None, None)


@pytest.mark.parametrize("days", [30, 45])
def test_what_is_remembered_is_set_right_as_all_is(connection: psycopg.Connection, curved: int, days: int) -> None:
    asked = (
        "select said.* from scores.published_models as run"
        " cross join unnest(%s::float8[], %s::float8[], %s::float8[]) with ordinality as s (x, t_x, age, i)"
        " cross join lateral scores.{}(stack, recalibrated, d30, d60, d90, x, t_x, age, %s) as said"
        " where run_id = %s order by i"
    )
    how = (*(column.tolist() for column in states(50, 8).values()), days, curved)
    plain, remembered = (
        connection.execute(asked.format(name), how).fetchall()
        for name in ("predict_right", "predict_right_remembering")
    )
    np.testing.assert_allclose(np.array(remembered), np.array(plain), rtol=0, atol=1e-12)


def test_a_stack_mixes_predictions_by_weight_each_in_its_own_unit(connection: psycopg.Connection) -> None:
    members = [
        Member("BG/NBD", 0.5, "week", PARAMETERS["BG/NBD"][0]),
        Member("BG/NBD", 0.3, "day", {"r": 0.4, "alpha": 50.0, "a": 0.9, "b": 2.0}),
        Member("BG/NBD", 0.2, "month", {"r": 0.6, "alpha": 2.0, "a": 0.5, "b": 3.0}),
    ]
    columns = states(2000, 5)
    found = predict(connection, publish(connection, members, []), columns)
    parts = [expected(member, columns) for member in members]
    for name in FOUND:
        mixed = sum(member.weight * part[name] for member, part in zip(members, parts, strict=True))
        np.testing.assert_allclose(found[name], mixed, rtol=0, atol=1e-9, err_msg=name)


def test_a_family_without_a_formula_is_an_error_not_a_number(connection: psycopg.Connection) -> None:
    run = publish(connection, [Member("Tea leaves", 1.0, "week", {"r": 1.0, "alpha": 1.0})], [])
    with pytest.raises(psycopg.errors.RaiseException, match="no formula for a Tea leaves model"):
        predict(connection, run, states(1, 1))


BETA = {"a": 1.3, "b": 0.8, "c": -0.2}
POINTS: dict[str, float | list[float]] = {"x": [0.0, 0.2, 0.2, 0.7, 1.0], "y": [0.0, 0.1, 0.3, 0.8, 1.0]}
LINEAR: dict[str, float | list[float]] = {"a": 0.5, "b": 0.5, "c": 1.0}


@pytest.fixture
def curved(connection: psycopg.Connection) -> int:
    """A run whose three horizons are set right, so differently that the curves would cross."""
    curves = [
        Recalibration(30, "beta", dict(BETA)), Recalibration(60, "isotonic", POINTS), Recalibration(90, "beta", LINEAR),
    ]  # fmt: skip
    return publish(connection, [Member("BG/NBD", 1.0, "week", PARAMETERS["BG/NBD"][0])], curves)


def said(connection: psycopg.Connection, run: int, days: int, columns: dict[str, Floats]) -> Floats:
    """Recalibrated no_purchase_30d, _60d, _90d and that of so many days, (4, n)."""
    rows = connection.execute(
        "select no_purchase_30d, no_purchase_60d, no_purchase_90d, no_purchase from scores.published_models as run"
        " cross join unnest(%s::float8[], %s::float8[], %s::float8[]) with ordinality as s (x, t_x, age, i)"
        " cross join lateral scores.predict_right(stack, recalibrated, d30, d60, d90, x, t_x, age, %s)"
        " where run_id = %s order by i",
        (*(columns[name].tolist() for name in STATES), days, run),
    ).fetchall()
    return np.array(rows).T


def test_probabilities_are_set_right_as_the_run_says_and_never_rise_with_the_horizon(
    connection: psycopg.Connection, curved: int
) -> None:
    columns = states(500, 9)
    raw = predict(connection, curved, columns)
    q30, q60, q90, _ = said(connection, curved, 1, columns)
    inside = np.clip(raw["p30"], 1e-9, 1 - 1e-9)
    right = expit(BETA["a"] * np.log(inside) - BETA["b"] * np.log1p(-inside) + BETA["c"])
    np.testing.assert_allclose(q30, np.where((raw["p30"] > 0) & (raw["p30"] < 1), right, raw["p30"]), atol=1e-9)
    np.testing.assert_allclose(q60, np.minimum(q30, np.interp(raw["p60"], POINTS["x"], POINTS["y"])), atol=1e-9)
    assert np.all(q90 <= q60) and np.any(q90 == q60) and np.any(q90 < q60)


def test_other_horizons_lie_between_and_fall_with_the_days(connection: psycopg.Connection, curved: int) -> None:
    columns = states(300, 10)
    days = [0, 1, 29, 30, 31, 45, 60, 75, 90, 91, 200, 5000]
    by_days = {each: said(connection, curved, each, columns) for each in days}
    for place, horizon in enumerate((30, 60, 90)):
        np.testing.assert_allclose(by_days[horizon][3], by_days[horizon][place], atol=1e-12)
    np.testing.assert_array_equal(by_days[0][3], 1.0)
    for earlier, later in pairwise(days):
        assert np.all(by_days[later][3] <= by_days[earlier][3] + 1e-15)
        assert np.all(by_days[later][3] >= 0)
