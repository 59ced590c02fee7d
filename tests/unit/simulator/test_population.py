"""A file says who the customers are; the demo shop is such a file, and a shop keeps the one that it was begun with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from retentioncast.core.errors import InvalidInput
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.problems import InvalidPopulation
from simulator.command import first_of
from simulator.pace import FloodPace
from simulator.population_files import DEMO, chosen_population, read_population
from simulator.rhythm import DAY, to_micros
from simulator.segments import make_population, population
from tests.unit.simulator.memory import MemoryShop, played, terms

FILE = """
random_seed: 5
populations:
  - {name: Short, mix: 0.4, plan: basic, channel: organic, cancel_dist: [constant, {value: 2}],
     lifetime_dist: [exponential, {mean: 60}], purchase_rate: 0, first_order: 0, prices: {basic: 5}}
  - {name: Long, mix: 0.6, plan: pro, channel: email, cancel_dist: [exponential, {mean: 60}],
     lifetime_dist: [exponential, {mean: 6}]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_demo_shop_is_a_file_and_a_mixture() -> None:
    shop = population("")
    assert [segment.name for segment in shop.segments][:2] == ["loyal_regulars", "occasional"]
    assert shop.prices["pro", "monthly"] == 2900 and shop.prices["enterprise", "yearly"] == 99000
    assert Mixture(read_population(DEMO)).names == [
        "loyal_regulars", "occasional", "early_cancellers", "forgot_to_cancel"
    ]  # fmt: skip


def test_a_shop_lives_by_its_file(file: Path) -> None:
    shop = played(MemoryShop(terms(300, 200, population=chosen_population(file, "").text)), FloodPace(), 200)
    segments = {customer: truth.segment for customer, truth in shop.truth.items()}
    assert len(segments) == 300 and set(segments.values()) == {"Short", "Long"}
    assert np.mean([name == "Short" for name in segments.values()]) == pytest.approx(0.4, abs=0.09)
    for row in shop.tables["subscription"].values():
        short = segments[row[1]] == "Short"
        assert (row[2], row[4]) == (("basic", "5.00") if short else ("pro", "29.00"))
        assert shop.tables["customer"][row[1]][4] == ("organic" if short else "email")
        assert row[6] == shop.tables["customer"][row[1]][5]  # they subscribe when they sign up
        if short and row[8] not in (None, "no_longer_needed"):
            lasted = to_micros(datetime.fromisoformat(row[7])) - to_micros(datetime.fromisoformat(row[6]))
            assert lasted == pytest.approx(2 * 30.4375 * DAY, abs=2)
    bought = {segments[r[1]] for r in shop.tables["transaction"].values() if r[3] == "purchase" and r[2] is None}
    assert bought == {"Long"}


def test_a_shop_goes_on_with_the_population_that_it_was_begun_with(file: Path) -> None:
    begun = terms(50, 30, population=chosen_population(file, "").text)
    again = type(begun)(**{name: getattr(begun, name) for name in begun.__slots__})
    assert population(again.population) == population(begun.population) != population("")


def test_the_options_file_says_size_and_seed_unless_the_options_do(file: Path) -> None:
    asked = chosen_population(file, "")
    assert (asked.pop_size, asked.random_seed) == (None, 5)
    assert first_of(None, asked.random_seed, 42) == 5 and first_of(0, asked.random_seed, 42) == 0
    assert chosen_population(None, str(file)).random_seed is None
    assert chosen_population(None, "").text == ""


def test_a_file_that_cannot_be_used_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_population(tmp_path / "none.yaml")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(FILE.replace("mix: 0.4", "mix: 0.5"), encoding="utf-8")
    with pytest.raises(InvalidPopulation, match=r"sum to 1\.1"):
        read_population(wrong)
    wrong.write_text(FILE.replace("plan: pro", "plan: gold"), encoding="utf-8")
    with pytest.raises(InvalidInput, match="'Long': the shop sells no plan 'gold'"):
        make_population(read_population(wrong))
    wrong.write_text(FILE + "prices: {gold: {monthly: 3}}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="sells no plan 'gold'"):
        read_population(wrong)
