"""The one place where the simulator's parts are chosen and put together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from rich.console import Console

from retentioncast.core.clock import Clock
from retentioncast.core.errors import InvalidInput
from retentioncast.infra.postgres import connect_until
from retentioncast.infra.settings import Settings
from simulator.options import Options, parse_history
from simulator.pace import LOADS, FloodPace, Pace, RatePace, SpeedPace
from simulator.people import make_directory
from simulator.planner import Planner
from simulator.progress import Progress
from simulator.rhythm import DAY, HOUR, SECOND, to_micros
from simulator.run import Simulation
from simulator.segments import Population, population
from simulator.store import PostgresStore, Saved
from simulator.world import Terms, Wanted, World

logger = logging.getLogger(__name__)

_CONNECT_S = 30.0
#: A customer of the demo shop stays for about so long, and makes about so many writes a day.
_MEAN_LIFE_DAYS, _WRITES_PER_DAY = 300.0, 0.32
_LARGEST_SHOP = 5_000_000


def simulate(options: Options, settings: Settings, clock: Clock, stopped: Callable[[], bool]) -> Simulation:
    """Write the past (unless there is one) and go on live until stopped; the simulation as it was left."""
    wanted = wanted_customers(options)
    connection = connect_until(settings, "simulator", _CONNECT_S, clock)
    console = Console(stderr=True)
    with connection:
        store = PostgresStore(connection)
        simulation = make_simulation(store, options, clock, console, stopped)
        try:
            _play(simulation, options, wanted)
        finally:
            simulation.progress.close()
    return simulation


def make_simulation(
    store: PostgresStore, options: Options, clock: Clock, console: Console, stopped: Callable[[], bool]
) -> Simulation:
    """The simulation that the store holds, or a new one."""
    saved = store.load()
    if saved is None:
        saved = _begin(store, agree(options, clock.now()))
    else:
        _tell_differences(saved.terms, options)
    world = restore(saved, population(saved.terms.population))
    planner = Planner(world, make_directory(saved.terms.seed))
    return Simulation(planner, store, clock, Progress(clock, console), stopped, saved.unfinished)


def agree(options: Options, now: datetime) -> Terms:
    """The terms of a new simulation: they follow from the options, and never from the pace."""
    end = options.start or now
    past = 0 if options.live_only else parse_history(options.history, end).days
    until = to_micros(end)
    arrivals = options.customers / (past or _MEAN_LIFE_DAYS)
    tick = _tick_of(options.customers)
    population(options.population)  # refuses what cannot be played before anything is written
    return Terms(options.seed, until - past * DAY, tick, options.customers, until, arrivals, options.population)


def restore(saved: Saved, population: Population) -> World:
    """The world as it was when the last tick had been planned."""
    world = World(saved.terms, population, saved.tick, saved.counters, owners=saved.owners)
    world.join(saved.people)
    world.agenda = sorted(saved.agenda)
    return world


def _tell_differences(terms: Terms, options: Options) -> None:
    """What was agreed at the beginning holds, whatever is asked for now."""
    if terms.seed != options.seed:
        logger.warning("This shop was begun with seed %s and goes on with it.", terms.seed, extra={"action": "resume"})
    if options.population and terms.population != options.population:
        logger.warning("This shop was begun with another population and goes on with it.", extra={"action": "resume"})


def _begin(store: PostgresStore, terms: Terms) -> Saved:
    store.begin(terms)
    saved = store.load()
    assert saved is not None
    return saved


def _tick_of(customers: int) -> int:
    """A tick holds some hundred to some thousand writes; a whole number of them makes a day."""
    return DAY if customers <= 10_000 else 6 * HOUR if customers <= 60_000 else HOUR


def _play(simulation: Simulation, options: Options, wanted: Wanted | None) -> None:
    world = simulation.planner.world
    past = world.terms.history_ticks
    if world.tick < past or (simulation.plan is not None and world.tick <= past):
        simulation.run("Writing the past", FloodPace(), last_tick=past)
        logger.info("The past is written: %s rows.", f"{simulation.progress.rows:,}", extra={"action": "history"})
    if options.only_history:
        return
    world.wanted = wanted
    simulation.run("Live", _pace(options, simulation), duration_s=options.duration_s)


def _pace(options: Options, simulation: Simulation) -> Pace:
    plan, world, clock = simulation.plan, simulation.planner.world, simulation.clock
    if options.speed is not None:
        begin = world.terms.start_of(world.tick) if plan is None else plan.writes[plan.position].at
        return SpeedPace(options.speed, clock, begin)
    rate = options.rate if options.rate is not None else LOADS[options.load]
    return FloodPace() if rate is None else RatePace(rate, clock)


def wanted_customers(options: Options) -> Wanted | None:
    """With rate and speed both given, the number of customers is what gives."""
    if options.rate is None or options.speed is None:
        return None
    customers = options.rate / options.speed * 86400 / _WRITES_PER_DAY
    if customers > _LARGEST_SHOP:
        least = options.rate * 86400 / _WRITES_PER_DAY / _LARGEST_SHOP
        raise InvalidInput(
            f"--rate {options.rate:g} at --speed {options.speed:g} needs {customers:,.0f} customers; "
            f"allowed: {_LARGEST_SHOP:,}.",
            f"Give a --speed of at least {least:,.0f}.",
        )
    return Wanted(customers, within=int(max(30 * options.speed * SECOND, 2 * HOUR)))
