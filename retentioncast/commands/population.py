"""`retentioncast population infer`: which kinds of customer the shop has, from its subscriptions in Postgres."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from retentioncast.commands.scores import moment, percent

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pandas as pd

    from retentioncast.models.populations.summary import Found, Summary

#: Days ahead that are forecast.
DAYS = (30, 90, 180)
#: A posterior that overlaps its prior by this much says hardly more than was stated.
UNTOLD = 0.7


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="Which kinds of customer the shop has.")
    group.command("infer")(infer)
    app.add_typer(group, name="population")


def infer(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The description (.yaml, .toml, .json); default: what the simulator plays.", show_default=False
        ),
    ] = None,
    as_of: Annotated[str, typer.Option(help="As known at this time or day (ISO 8601); default: the stream's.")] = "",
    probabilities: Annotated[
        Path | None, typer.Option(help="Write each subscription's probability of each segment to this .csv file.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Draws of each of the four chains.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed gives the same draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Infer a description's shares and waiting times from the shop's subscriptions, and forecast them."""
    from retentioncast.core.moments import read_moment
    from retentioncast.infra.settings import load_settings
    from retentioncast.infra.subscription_events import read_subscription_events
    from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT
    from retentioncast.models.populations.mixture import Mixture
    from retentioncast.models.populations.summary import summarise
    from retentioncast.stack.progress import Progress, quiet
    from simulator.population_files import DEMO, chosen_population, read_population

    settings, progress = load_settings(), quiet() if as_json else Progress()
    chosen = chosen_population(file, settings.simulator.population)
    mixture = Mixture(json.loads(chosen.text) if chosen.text else read_population(DEMO))
    with progress.step("Read the shop's subscriptions") as step:
        read = read_subscription_events(settings, read_moment(as_of, "--as-of") if as_of else None)
        mixture.observe(read.frame, read.observed_at)
        step.result = _counts(read.frame)
    with progress.step(f"Infer {', '.join(mixture.names)}") as step:
        mixture.fit(draws=draws, seed=seed)
        unit = DAYS_PER_UNIT[mixture.specification.time_unit]
        summary = summarise(mixture, [days / unit for days in DAYS], seed=seed)
        step.result = f"Posterior by {_how(summary)}"
    if probabilities is not None:
        mixture.segment_probabilities().round(4).to_csv(probabilities, index=False)
    if as_json:
        typer.echo(json.dumps({"as_of": read.observed_at.isoformat(), **summary.as_json()}))
    else:
        show(summary, read.observed_at, mixture.specification.time_unit, Console())


def show(summary: Summary, as_of: datetime, unit: str, console: Console) -> None:
    """Shares, then each waiting time's parameters, what is ahead, and what the data do not tell."""
    title = f"As of {moment(as_of)}: {summary.customers:,} subscriptions"
    shares = _table(title, "segment", "share", f"{summary.interval:.0%} interval", "stated")
    for each in summary.shares:
        shares.add_row(escape(each.segment), percent(each.mean), _interval(each, percent), percent(each.stated))
    console.print(shares)
    console.print()
    parameters = _table(f"Waiting times, in {unit}s", "segment", "parameter", "found", "interval", "stated", "")
    for each in summary.parameters:
        told = "" if each.overlap < UNTOLD else "as stated"
        numbers = (f"{each.mean:.3g}", _interval(each, "{:.3g}".format), f"{each.stated:.3g}")
        parameters.add_row(escape(each.segment), each.name, *numbers, told)
    console.print(parameters)
    console.print()
    ahead = _table("Of today's subscribers", "", *(f"in {days} d" for days in DAYS))
    for metric, name in (("active", "still there"), ("mrr", "pay a month")):
        rows = [row for row in summary.forecast if row["metric"] == metric]
        ahead.add_row(name, *(f"{row['mean']:,.0f} ({row['low']:,.0f}-{row['high']:,.0f})" for row in rows))
    console.print(ahead)
    for note in summary.notes:
        console.print(f"- {note}", style="dim", markup=False)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 or column == "parameter" else "right", no_wrap=True)
    return table


def _interval(found: Found, write: Callable[[float], str]) -> str:
    return f"{write(found.low)} - {write(found.high)}"


def _how(summary: Summary) -> str:
    if summary.source == "psis":
        return f"importance draws (Pareto k {summary.pareto_k:.2f})"
    return "NUTS" if summary.source == "nutpie" else "the mode alone: every parameter is given"


def _counts(frame: pd.DataFrame) -> str:
    counts = frame["event"].value_counts()
    return f"{counts.get('subscribe', 0):,} subscriptions, {counts.get('cancel', 0):,} of them over"
