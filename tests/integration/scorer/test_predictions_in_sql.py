"""The formulas in SQL are the models': to 1e-9, at any size, mixed by weight and set right by what came of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.models.arrays import Floats
from retentioncast.models.judging.recalibration import Curve
from retentioncast.models.judging.stack import Stack
from scorer.binary_copy import Kind, decode_rows, encode_rows
from scorer.leaving import curves_of, write_curves
from scorer.part import Member
from tests.unit.models.test_laws import discovered_models

STATES: dict[str, Kind] = {"frequency": "double", "recency_days": "double", "age_days": "double"}
FOUND: dict[str, Kind] = {
    "probability_alive": "double", "p30": "double", "p90": "double", "p": "double",
    "silence_if_alive": "double",
}  # fmt: skip
HORIZON_DAYS = 365
#: States are of up to 3,000 days.
OLDEST_WEEKS = 430.0

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


def publish(
    connection: psycopg.Connection, members: list[Member], curve: Curve | None = None, frequency: Floats | None = None
) -> int:
    """A run in force with these models; with frequencies, with curves of leaving for them."""
    row = connection.execute(
        "insert into scores.model_runs (started_at, as_of, status, reason, duration_s, code_version)"
        " values (now(), now(), 'published', '', 1, '0') returning run_id"
    ).fetchone()
    assert row is not None
    for i, member in enumerate(members):
        values = (row[0], i, member.family, member.weight, member.time_unit, Jsonb(member.parameters))
        connection.execute("insert into scores.purchase_models values (%s, %s, %s, %s, %s, %s)", values)
    if curve is not None:
        fields = (row[0], curve.method, Jsonb(curve.parameters))
        connection.execute("insert into scores.recalibrations values (%s, %s, %s)", fields)
    if frequency is not None:
        models = [model_of(member) for member in members]
        write_curves(connection, int(row[0]), curves_of(models, frequency, np.full(frequency.size, OLDEST_WEEKS)))
    return int(row[0])


def predict(connection: psycopg.Connection, run: int, columns: dict[str, Floats]) -> dict[str, Floats]:
    """What SQL says of these customers, before any recalibration."""
    connection.execute("create temporary table states (frequency float8, recency_days float8, age_days float8)")
    with connection.cursor().copy("copy states from stdin (format binary)") as copy:
        for piece in encode_rows(columns, STATES):
            copy.write(piece)
    asked = (
        f"copy (select p.* from (select scores.stack_of({run}) as stack offset 0) as run cross join states"
        f" cross join lateral scores.predict(0, stack, {run}, frequency, recency_days, age_days, 30, 90,"
        f" {HORIZON_DAYS}) as p) to stdout (format binary)"
    )
    with connection.cursor().copy(asked.encode()) as copy:
        found = decode_rows(map(bytes, copy), FOUND)
    connection.execute("drop table states")
    return found


def model_of(member: Member) -> Any:
    model = MODELS[member.family](member.time_unit)
    model.params_ = member.parameters
    return model


def expected(member: Member, columns: dict[str, Floats]) -> dict[str, Floats]:
    """What Python says."""
    model = model_of(member)
    days = {"day": 1.0, "week": 7.0, "month": 30.4375}[member.time_unit]
    x, t_x, age = columns["frequency"], columns["recency_days"] / days, columns["age_days"] / days
    told = {"probability_alive": model.probability_alive(x, t_x, age)}
    for name, horizon in (("p30", 30), ("p90", 90), ("p", HORIZON_DAYS)):
        told[name] = model.probability_no_purchase(horizon / days, x, t_x, age)
    r, alpha = member.parameters["r"], member.parameters["alpha"]
    told["silence_if_alive"] = np.exp((r + x) * np.log((alpha + t_x) / (alpha + age)))
    return told


@pytest.mark.parametrize("family", MODELS)
def test_predictions_are_those_of_the_models(connection: psycopg.Connection, family: str) -> None:
    for seed, parameters in enumerate(PARAMETERS[family]):
        member = Member(family, 1.0, "week", parameters)
        columns = states(ROWS[family], seed)
        found = predict(connection, publish(connection, [member]), columns)
        for name, values in expected(member, columns).items():
            np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("family", ["Pareto/NBD", "Gamma-Gompertz/NBD"])
def test_curves_say_what_the_integral_does(connection: psycopg.Connection, family: str) -> None:
    """The integral alone, and the predictions that rest on it; also of whoever has no curve."""
    for seed, parameters in enumerate(PARAMETERS[family]):
        member = Member(family, 1.0, "week", parameters)
        columns = states(8_000, seed)
        x = columns["frequency"]
        curved = x[(x % 7 != 5) & ((x < 60) | (x > 4_700))]
        found = predict(connection, publish(connection, [member], frequency=curved), columns)
        for name, values in expected(member, columns).items():
            np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-9, err_msg=name)


def test_a_curve_is_read_where_there_is_one(connection: psycopg.Connection) -> None:
    """Seen by moving it; without it the formula is asked."""
    run = publish(
        connection, [Member("Pareto/NBD", 1.0, "week", PARAMETERS["Pareto/NBD"][0])], frequency=np.arange(3.0)
    )
    columns = {"frequency": np.full(2, 2.0), "recency_days": np.full(2, 10.0), "age_days": np.array([20.0, 90.0])}
    before = predict(connection, run, columns)["p30"]
    half = "array(select c / 2 from unnest(coefficients) with ordinality as u (c, i) order by i)"
    connection.execute(f"update scores.leaving_curves set coefficients = {half}".encode())
    assert np.all(np.abs(predict(connection, run, columns)["p30"] - before) > 1e-3)
    connection.execute("delete from scores.leaving_curves")
    np.testing.assert_allclose(predict(connection, run, columns)["p30"], before, rtol=0, atol=1e-10)


def test_who_never_bought_is_not_told(connection: psycopg.Connection) -> None:
    members = [Member(family, 0.25, "week", PARAMETERS[family][0]) for family in PARAMETERS]
    nobody = "select probability_alive, p1 from scores.predict(1, scores.stack_of(%s), %s, null, null, 3, 30, 60, 90)"
    run = publish(connection, members)
    assert connection.execute(nobody, (run, run)).fetchone() == (None, None)


def test_a_stack_of_all_families_mixes_their_predictions(connection: psycopg.Connection) -> None:
    members = [Member(family, 0.1 * (i + 1), "week", PARAMETERS[family][0]) for i, family in enumerate(PARAMETERS)]
    columns = states(500, 4)
    found = predict(connection, publish(connection, members, frequency=columns["frequency"]), columns)
    parts = [expected(member, columns) for member in members]
    for name in FOUND:
        mixed = sum(member.weight * part[name] for member, part in zip(members, parts, strict=True))
        np.testing.assert_allclose(found[name], mixed, rtol=0, atol=1e-9, err_msg=name)


def test_a_stack_mixes_predictions_by_weight_each_in_its_own_unit(connection: psycopg.Connection) -> None:
    members = [
        Member("BG/NBD", 0.5, "week", PARAMETERS["BG/NBD"][0]),
        Member("BG/NBD", 0.3, "day", {"r": 0.4, "alpha": 50.0, "a": 0.9, "b": 2.0}),
        Member("BG/NBD", 0.2, "month", {"r": 0.6, "alpha": 2.0, "a": 0.5, "b": 3.0}),
    ]
    columns = states(2000, 5)
    found = predict(connection, publish(connection, members), columns)
    parts = [expected(member, columns) for member in members]
    for name in FOUND:
        mixed = sum(member.weight * part[name] for member, part in zip(members, parts, strict=True))
        np.testing.assert_allclose(found[name], mixed, rtol=0, atol=1e-9, err_msg=name)


def test_a_family_without_a_formula_is_an_error_not_a_number(connection: psycopg.Connection) -> None:
    run = publish(connection, [Member("Tea leaves", 1.0, "week", {"r": 1.0, "alpha": 1.0})])
    with pytest.raises(psycopg.errors.RaiseException, match="no formula for a Tea leaves model"):
        predict(connection, run, states(1, 1))


CURVES = [
    Curve("beta", {"a": 1.3, "b": 0.8, "c": -0.2}),
    Curve("beta", {"a": 0.0, "b": 0.5, "c": 1.0}),
    Curve("isotonic", {"x": [0.0, 0.2, 0.2, 0.7, 1.0], "y": [0.0, 0.1, 0.3, 0.8, 1.0]}),
]


@pytest.mark.parametrize("curve", CURVES)
def test_one_curve_sets_every_horizon_right_in_sql_and_in_python_alike(
    connection: psycopg.Connection, curve: Curve
) -> None:
    """A stack that is set right, at 30, 60 and 90 days and at random ones: the two agree, and no horizon that is longer
    has the larger probability."""
    members = [Member(family, 0.5, "week", PARAMETERS[family][0]) for family in ("BG/NBD", "Pareto/NBD")]
    columns = states(300, 9)
    run = publish(connection, members, curve, columns["frequency"])
    stack = Stack([model_of(member) for member in members], [0.5, 0.5], curve)
    x, t_x, age = columns["frequency"], columns["recency_days"] / 7, columns["age_days"] / 7
    days = np.unique([0, 1, 30, 60, 90, 5000, *np.random.default_rng(3).integers(1, 700, 20)])
    before = np.ones(x.size)
    for horizon in days.tolist():
        told = said(connection, run, horizon, columns)
        np.testing.assert_allclose(told, stack.probability_no_purchase(horizon / 7, x, t_x, age), rtol=0, atol=1e-9)
        assert np.all(told <= before + 1e-12)
        before = told


def said(connection: psycopg.Connection, run: int, days: int, columns: dict[str, Floats]) -> Floats:
    """Recalibrated P(no purchase) within so many days, (n,)."""
    rows = connection.execute(
        "select scores.set_right(p1, curve) from scores.published_models as run"
        " cross join unnest(%s::float8[], %s::float8[], %s::float8[]) with ordinality as s (x, t_x, age, i)"
        " cross join lateral scores.predict(i, stack, run_id, x, t_x, age, %s, null, null)"
        " where run_id = %s order by i",
        (*(columns[name].tolist() for name in STATES), days, run),
    ).fetchall()
    return np.array(rows)[:, 0]
