"""A description is a Python list, YAML, TOML or JSON; what is wrong with it is said by population and field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from retentioncast.models.populations.problems import InvalidPopulation
from retentioncast.models.populations.segments import KINDS, EarlyCancel, ForgotCancel, Plan, Segment
from retentioncast.models.populations.specification import parse_specification, read_specification
from tests.unit.models.populations.cases import EARLY, FORGOT

YAML = """
populations:
  - {name: EarlyCancel, mix: 0.3, cancel_dist: [constant, {value: 2}], lifetime_dist: [exponential, {mean: 12}]}
  - {name: ForgotCancel, mix: 0.7, cancel_dist: [exponential, {mean: 6}], lifetime_dist: [gamma, {shape: 2, scale: 5}]}
pop_size: 500
random_seed: 7
"""
TOML = """
pop_size = 500
random_seed = 7
[[populations]]
name = "EarlyCancel"
mix = 0.3
cancel_dist = ["constant", {value = 2}]
lifetime_dist = ["exponential", {mean = 12}]
[[populations]]
name = "ForgotCancel"
mix = 0.7
cancel_dist = ["exponential", {mean = 6}]
lifetime_dist = ["gamma", {shape = 2, scale = 5}]
"""


def test_the_python_form_is_read_with_its_kinds() -> None:
    early, forgot = read_specification([EARLY, FORGOT]).segments
    assert type(early) is EarlyCancel and type(forgot) is ForgotCancel
    assert (early.mix, early.cancel_dist.values if early.cancel_dist else None) == (0.3, (2.0,))


@pytest.mark.parametrize(("text", "form"), [(YAML, "yaml"), (TOML, "toml")])
def test_files_say_the_same_as_python(text: str, form: str) -> None:
    read = parse_specification(text, form)
    assert read.segments == read_specification([EARLY, FORGOT]).segments
    assert (read.pop_size, read.random_seed, read.time_unit) == (500, 7, "month")
    assert parse_specification(read.text, "json").segments == read.segments


def test_every_kind_can_be_asked_for() -> None:
    for kind in KINDS:
        (segment,) = read_specification([{**FORGOT, "name": "basic", "mix": 1, "kind": kind}]).segments
        assert type(segment) is KINDS[kind]
    assert Plan(name="Basic", mix=1, cancel_dist=None, lifetime_dist=None).shares("plan") == {"basic": 1.0}
    assert not Segment(name="Basic", mix=1, cancel_dist=None, lifetime_dist=None).says("plan")


def changed(**by: Any) -> list[dict[str, Any]]:
    return [EARLY, {**FORGOT, **by}]


@pytest.mark.parametrize(
    ("given", "population", "field"),
    [
        (changed(mix=0.6), "", "mix"),
        (changed(mix=-0.1), "ForgotCancel", "mix"),
        (changed(mix=0), "ForgotCancel", "mix"),
        (changed(name="EarlyCancel"), "EarlyCancel", "name"),
        (changed(name=""), "number 2", "name"),
        (changed(cancel_dist=("gauss", {})), "ForgotCancel", "cancel_dist"),
        (changed(lifetime_dist=None), "ForgotCancel", "lifetime_dist"),
        (changed(kind="Bored"), "ForgotCancel", "kind"),
        (changed(colour="red"), "ForgotCancel", "colour"),
        (changed(plan={"basic": 0.5}), "ForgotCancel", "plan"),
        (changed(subscribes=2), "ForgotCancel", "subscribes"),
        (changed(refund_probability=-1), "ForgotCancel", "refund_probability"),
        (changed(purchase_rate=("constant", {})), "ForgotCancel", "purchase_rate.constant.value"),
        (changed(spend_shape=0), "ForgotCancel", "spend_shape"),
        (changed(prior_sd=0), "ForgotCancel", "prior_sd"),
        (changed(prior_sd=float("nan")), "ForgotCancel", "prior_sd"),
        (changed(prices=9.9), "ForgotCancel", "prices"),
        (changed(outlives_activity="no"), "ForgotCancel", "outlives_activity"),
        (changed(cancel_dist=("exponential", {"rate": float("inf")})), "ForgotCancel", "cancel_dist.exponential.rate"),
        ({"populations": [FORGOT | {"mix": 1}], "prices": 9.9}, "", "prices"),
        ([], "", "populations"),
        ("EarlyCancel", "", "populations"),
        ({"populations": [FORGOT | {"mix": 1}], "pop_size": 0}, "", "pop_size"),
        ({"populations": [FORGOT | {"mix": 1}], "random_seed": "x"}, "", "random_seed"),
        ({"populations": [FORGOT | {"mix": 1}], "time_unit": "year"}, "", "time_unit"),
        ({"populations": [FORGOT | {"mix": 1}], "start_delay_days": -1}, "", "start_delay_days"),
        ({"populations": [FORGOT | {"mix": 1}], "colour": 1}, "", "colour"),
    ],
)
def test_a_wrong_description_is_refused_by_population_and_field(given: Any, population: str, field: str) -> None:
    with pytest.raises(InvalidPopulation) as refused:
        read_specification(given)
    assert (refused.value.population, refused.value.field) == (population, field)


@pytest.mark.parametrize(
    ("text", "form", "says"),
    [("a: [", "yaml", "is no yaml"), ("a = ", "toml", "is no toml"), ("3", "yaml", "holds no populations"),
     ("", "ini", "no known form"), (json.dumps({"populations": [{"mix": 1}]}), "json", "name: is missing")],
)  # fmt: skip
def test_a_wrong_file_is_told_in_words(text: str, form: str, says: str) -> None:
    with pytest.raises(InvalidPopulation, match=says):
        parse_specification(text, form)
