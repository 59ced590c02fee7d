"""`python -m benchmarks`: measures, and writes the report under benchmarks/results."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from typing import Annotated, Literal

import typer

from benchmarks.apply import Plan, run_apply
from benchmarks.capture import run_capture
from benchmarks.freshness import run_freshness
from benchmarks.holdout import run_holdout
from benchmarks.individuals import run_individuals
from benchmarks.mixtures import run_mixtures
from benchmarks.model_speed import run_model_speed
from benchmarks.population_speed import run_population_speed
from benchmarks.recovery import run_recovery
from benchmarks.report import write_report
from benchmarks.results import Result, write_result
from benchmarks.risk_now import run_risk_now
from benchmarks.segment_coverage import run_segment_coverage
from benchmarks.segment_memory import run_segment_memory
from benchmarks.segment_samplers import LARGE, SMALL, run_segment_samplers
from benchmarks.segment_speed import run_segment_speed
from benchmarks.segments import run_segments
from benchmarks.setup_steps import run_setup

app = typer.Typer(no_args_is_help=True, add_completion=False)


def _finish(measure: Callable[[], Result]) -> None:
    result = measure()
    write_result(result)
    write_report()
    for claim in result.claims:
        verdict = "holds" if claim.holds else "MISSED"
        bound = "least" if claim.at_least else "most"
        typer.echo(f"{claim.text}: {claim.value:.3g} {claim.unit} (at {bound} {claim.target:g}): {verdict}")


@app.command()
def apply(
    changes: Annotated[int, typer.Option(min=1000)] = 1_000_000,
    customers: Annotated[int, typer.Option(min=1)] = 100_000,
    repetitions: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    """A topic replayed into empty tables, against the raw limit and one event a commit."""
    _finish(lambda: run_apply(Plan(changes, customers, repetitions)))


@app.command()
def freshness(seconds: Annotated[float, typer.Option(min=1)] = 25.0) -> None:
    """From a commit in the shop to customer_rfm, next to Debezium's own delay."""
    _finish(lambda: run_freshness(seconds))


@app.command()
def capture(
    rows: Annotated[int, typer.Option(min=1000)] = 300_000, repetitions: Annotated[int, typer.Option(min=1)] = 3
) -> None:
    """Debezium's own rate, and the rate of the whole way."""
    _finish(lambda: run_capture(rows, repetitions))


@app.command()
def setup() -> None:
    """Time and memory of each step of ./setup.sh --native from a fresh clone."""
    _finish(run_setup)


@app.command()
def holdout() -> None:
    """What would have been published of CDNOW and of made-up shops, held against what came."""
    _finish(run_holdout)


@app.command()
def segments(part: Annotated[Literal["purchases", "spend"], typer.Option()] = "purchases") -> None:
    """Segments pooled, each alone and all as one: the log score of customers held out."""
    _finish(lambda: run_segments(part))


@app.command()
def segment_coverage(shops: Annotated[int, typer.Option(min=2)] = 300) -> None:
    """Do the intervals of residual value hold what then happens? Goes on where the last run stopped."""
    _finish(lambda: run_segment_coverage(shops))


@app.command()
def segment_samplers(large: Annotated[bool, typer.Option(help="100 segments of 100,000 customers.")] = False) -> None:
    """Pooled segments by importance, by nutpie and by PyMC's own NUTS: effective draws a second."""
    _finish(lambda: run_segment_samplers(LARGE if large else SMALL))


@app.command()
def segment_memory() -> None:
    """Peak memory of a whole refit of segment values: 1,000 segments, 1,000,000 customers, from and into Postgres."""
    _finish(run_segment_memory)


@app.command()
def segment_speed(
    segments: Annotated[int, typer.Option(min=2)] = 100, customers: Annotated[int, typer.Option(min=1000)] = 100_000
) -> None:
    """Time and memory of the hierarchical posterior and of everybody's value."""
    _finish(lambda: run_segment_speed(segments, customers))


@app.command()
def individuals() -> None:
    """A parameter a customer against customers integrated out: do the two forms agree, and what does each cost?"""
    _finish(run_individuals)


@app.command()
def populations(customers: Annotated[int, typer.Option(min=1000)] = 1_000_000) -> None:
    """Sampling a population and its posterior, against a loop and the model written directly in PyMC."""
    _finish(lambda: run_population_speed(customers))


@app.command()
def mixtures(most: Annotated[int | None, typer.Option(min=0, help="At most so many further trials.")] = None) -> None:
    """Populations described at random: is their truth found again? Goes on where the last run stopped."""
    _finish(lambda: run_mixtures(most))


@app.command()
def recovery(
    model: Annotated[list[str] | None, typer.Option(help="Only these models; else all that there are.")] = None,
    shops: Annotated[int, typer.Option(min=20)] = 1000,
) -> None:
    """Of every model, shops with known parameters: are these where the posterior says, as often as it says?"""
    _finish(lambda: run_recovery(model, shops))


@app.command()
def models(rounds: Annotated[int, typer.Option(min=1)] = 3) -> None:
    """Fits, posterior and scores against lifetimes and pymc-marketing. Goes on where the last run stopped."""
    _finish(lambda: run_model_speed(rounds))


@app.command("all")
def every() -> None:
    """All of them, one after the other."""
    for measure in (lambda: run_apply(Plan()), run_freshness, run_capture, run_setup):
        _finish(measure)


@app.command("risk-now")
def risk_now(customers: Annotated[int, typer.Option(min=1000)] = 100_000) -> None:
    """All of scores.risk_now, and one customer, under each family."""
    _finish(lambda: run_risk_now(customers))


@app.command()
def report() -> None:
    """The tables and plots anew from the results that are there."""
    write_report()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Asked to end, stop what was started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
