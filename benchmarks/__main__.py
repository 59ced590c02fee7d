"""`python -m benchmarks`: measures, and writes the report under benchmarks/results."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated

import typer

from benchmarks.apply import Plan, run_apply
from benchmarks.report import write_report
from benchmarks.results import Result, write_result

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
    repetitions: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """A topic replayed into empty tables, against the raw limit and one event a commit."""
    _finish(lambda: run_apply(Plan(changes, customers, repetitions)))


@app.command()
def report() -> None:
    """The tables and plots anew from the results that are there."""
    write_report()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    app()
