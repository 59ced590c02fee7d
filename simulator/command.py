"""The options of `retentioncast simulate` and `python -m simulator`: the same ones, read in one place."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from retentioncast.core.clock import SystemClock
from retentioncast.infra.logs import set_up_logs
from retentioncast.infra.settings import load_settings


def simulate_command(
    customers: Annotated[int | None, typer.Option(help="Customers who arrive in the past. (settings: 2000)")] = None,
    history: Annotated[str | None, typer.Option(help="Length of the past: 90d, 18mo, 2y. (settings: 18mo)")] = None,
    load: Annotated[str | None, typer.Option(help="quiet (2 writes/s), normal (20), busy (600) or flood.")] = None,
    rate: Annotated[float | None, typer.Option(help="Writes a second, instead of a load.")] = None,
    speed: Annotated[float | None, typer.Option(help="Shop seconds a second: 86400 is a day a second.")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same shop. (settings: 42)")] = None,
    start: Annotated[str | None, typer.Option(help="The shop's time at which the live part begins. (now)")] = None,
    duration: Annotated[str | None, typer.Option(help="Stop after so long: 30s, 10m, 2h.")] = None,
    population: Annotated[
        Path | None, typer.Option(help="Who the customers are: a .yaml or .toml file. (settings: the demo shop)")
    ] = None,
    only_history: Annotated[bool, typer.Option("--only-history", help="Write the past and stop.")] = False,
    live_only: Annotated[bool, typer.Option("--live-only", help="A shop that opens now, without a past.")] = False,
) -> None:
    """Fill the shop with a plausible past, then let it live: a simulation that is there already goes on."""
    # Here, so that `retentioncast --help` does not wait for numpy.
    from simulator.bootstrap import simulate
    from simulator.options import Options, parse_duration, parse_start
    from simulator.population_files import chosen_population

    settings = load_settings()
    set_up_logs(settings.log)
    given = settings.simulator
    who = chosen_population(population, given.population)
    options = Options(
        customers=first_of(customers, who.pop_size, given.customers),
        history=given.history if history is None else history,
        load=given.load if load is None else load,
        rate=rate,
        speed=speed,
        seed=first_of(seed, who.random_seed, given.seed),
        start=parse_start(start),
        duration_s=parse_duration(duration),
        only_history=only_history,
        live_only=live_only,
        population=who.text,
    )
    simulation = simulate(options, settings, SystemClock(), _stop_on_signals().is_set)
    typer.echo(f"Stopped after {simulation.progress.rows:,} writes; the next run goes on from here.", err=True)


def first_of(*values: int | None) -> int:
    """The first that was said; the last always is."""
    return next(value for value in values if value is not None)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
