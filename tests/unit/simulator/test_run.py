"""The same seed gives the same shop: at any pace, and however often the simulator was killed."""

from __future__ import annotations

import random

import pytest

from retentioncast.core.clock import ManualClock
from simulator.pace import FloodPace, Pace, RatePace, SpeedPace
from simulator.plan import Plan
from simulator.world import Wanted
from tests.unit.simulator.memory import NOW, Killed, MemoryShop, played, simulation, terms

DAYS = 90


def test_the_same_seed_gives_the_same_shop() -> None:
    first, second = (played(MemoryShop(terms()), FloodPace(), DAYS) for _ in range(2))
    assert first.tables == second.tables and first.truth == second.truth


def test_another_seed_gives_another_shop() -> None:
    first, second = (played(MemoryShop(terms(seed=seed)), FloodPace(), 20) for seed in (1, 2))
    assert first.tables["transaction"] != second.tables["transaction"]


@pytest.mark.parametrize("kind", ["rate", "slow", "speed"])
def test_the_pace_does_not_change_the_shop(kind: str) -> None:
    clock = ManualClock(NOW)
    paces: dict[str, Pace] = {
        "rate": RatePace(600, clock),
        "slow": RatePace(2, clock),
        "speed": SpeedPace(86400, clock, terms().origin),
    }
    shop, flooded = played(MemoryShop(terms()), paces[kind], 40, clock), played(MemoryShop(terms()), FloodPace(), 40)
    assert shop.tables == flooded.tables


@pytest.mark.parametrize("seed", range(6))
def test_a_simulator_killed_at_any_moment_goes_on_as_if_it_had_not_been(seed: int) -> None:
    moments, shop, clock = random.Random(seed), MemoryShop(terms()), ManualClock(NOW)
    kills = 0
    while shop.tick < 40 or shop.pending is not None:
        shop.kill_after = shop.transactions + moments.choice([1, 2, 3])
        paces: list[Pace] = [FloodPace(batch=1), FloodPace(batch=60), RatePace(300, clock)]
        try:
            played(shop, moments.choice(paces), 40, clock)
        except Killed:
            kills += 1
    straight = played(MemoryShop(terms()), FloodPace(), 40)
    assert kills >= 3
    assert shop.tables == straight.tables
    assert (shop.truth, shop.agenda, shop.counters) == (straight.truth, straight.agenda, straight.counters)


def test_every_kind_of_change_happens() -> None:
    shop = played(MemoryShop(terms(customers=600, days=120)), FloodPace(), 200)
    assert set(shop.kinds) == {
        "customer", "subscription", "transaction", "session", "change_plan", "cancel", "correct_amount",
        "correct_time", "change_email", "delete_order", "merge",
    }  # fmt: skip
    rows = shop.tables["transaction"].values()
    assert {row[3] for row in rows} == {"purchase", "renewal", "refund"}
    assert any(row[4] == "0.00" for row in rows if row[3] == "purchase")
    assert any(row[8] not in (None, "FREE") for row in rows)
    refunds = [row for row in rows if row[3] == "refund"]
    assert any(row[7] is None for row in refunds) and any(row[7] is not None for row in refunds)


def test_the_past_brings_as_many_customers_as_asked() -> None:
    shop = played(MemoryShop(terms(customers=250, days=45)), FloodPace(), 45)
    second_accounts = len(shop.truth) - 250
    assert 0 <= second_accounts < 20
    assert len(shop.tables["customer"]) == len(shop.truth) - len(shop.owners)


@pytest.mark.parametrize(("rate", "seconds"), [(2.0, 10), (20.0, 10), (600.0, 3), (5000.0, 2)])
def test_the_rate_is_held(rate: float, seconds: float) -> None:
    clock, shop = ManualClock(NOW), MemoryShop(terms(customers=400, days=1))
    played(shop, FloodPace(), 1)
    before = sum(shop.kinds.values())
    run = simulation(shop, clock)
    run.run("Live", RatePace(rate, clock), duration_s=seconds)
    assert run.progress.rows == pytest.approx(seconds * rate, rel=0.02, abs=2)
    assert sum(shop.kinds.values()) - before <= run.progress.rows
    assert clock.elapsed_s == pytest.approx(seconds, abs=0.3)


def test_at_a_low_rate_each_write_is_a_transaction_of_its_own() -> None:
    clock, shop = ManualClock(NOW), MemoryShop(terms())
    simulation(shop, clock).run("Live", RatePace(5, clock), duration_s=8)
    assert shop.transactions == sum(shop.kinds.values()) > 30


def test_after_a_standstill_the_rate_does_not_run_wild() -> None:
    clock, plan = ManualClock(NOW), Plan(writes=[(0, "session", (1,))] * 100_000)  # type: ignore[list-item]
    pace = RatePace(100, clock)
    clock.sleep(3600)
    assert pace.allowed(plan) == 500


def test_the_speed_is_held() -> None:
    clock, shop = ManualClock(NOW), MemoryShop(terms())
    run = simulation(shop, clock)
    run.run("Live", SpeedPace(2 * 86400, clock, shop.terms.origin), duration_s=10)
    assert run.plan is not None
    assert run.plan.writes[run.plan.position].at - shop.terms.origin == pytest.approx(20 * 86400e6, rel=0.05)


def test_a_stop_is_heard_between_two_transactions() -> None:
    shop = MemoryShop(terms())
    run = simulation(shop)
    run.stopped = lambda: shop.transactions >= 3
    run.run("Live", FloodPace(batch=10))
    assert shop.transactions == 3


def test_with_rate_and_speed_both_given_the_number_of_customers_gives() -> None:
    shop = played(MemoryShop(terms(customers=200, days=30)), FloodPace(), 30)
    run = simulation(shop)
    run.planner.world.wanted = Wanted(900, within=3 * 86400 * 10**6)
    run.run("Live", FloodPace(batch=1), last_tick=60)
    assert len(run.planner.world.people) == pytest.approx(900, rel=0.15)
