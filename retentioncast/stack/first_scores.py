"""The end of the set-up: waits for the first scores and shows what there is to see."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from retentioncast.core.errors import StackError
from retentioncast.infra.postgres import dsn
from retentioncast.infra.settings import Settings
from retentioncast.infra.topics import change_topics
from retentioncast.stack.progress import Progress
from retentioncast.stack.queries import CustomerAtRisk, most_at_risk, rows, scored_customers
from retentioncast.stack.waiting import wait_until_empty

DEADLINE_S = 180


def await_first_scores(settings: Settings, progress: Progress) -> None:
    """Wait until the scorer has published; StackError tells what its last run said."""
    with progress.step("Wait for the first scores") as step:
        if left := wait_until_empty(lambda: _no_scores_yet(settings), DEADLINE_S, step.note):
            raise StackError(
                f"There are no scores after {DEADLINE_S} s: {left}.",
                "See `retentioncast status` and `retentioncast logs scorer`.",
            )
        step.result = f"{scored_customers(settings)} customers have scores"


def show_report(settings: Settings, console: Console) -> None:
    """The ten customers most at risk, the addresses, and what to try next."""
    if found := most_at_risk(settings):
        console.print(_table(found, settings.scorer.interval))
        console.print(
            "Ordered by what is at stake: the chance of no purchase within 90 days times the residual value.",
            highlight=False,
            soft_wrap=True,
        )
    show_addresses(settings, console)


def show_addresses(settings: Settings, console: Console) -> None:
    """Where everything is, and three commands."""
    topics = ", ".join(change_topics(settings).values())
    command = _command()
    lines = [
        "",
        f"Postgres   {dsn(settings, 'reader')}",
        f"Kafka      {settings.kafka.bootstrap}   topics {topics}",
        f"Connect    {settings.connect.url}/connectors/{settings.connect.connector}/status",
        "",
        "Try next:",
        f"  {command} status",
        f"  {command} watch transactions",
        f"  {command} scores --top 20",
    ]
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _command() -> str:
    """How the command is called from here: its name where PATH has it, else its path."""
    beside = Path(sys.executable).with_name("retentioncast")
    on_path = shutil.which("retentioncast")
    if on_path and Path(on_path).resolve() == beside.resolve():
        return "retentioncast"
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)


def _no_scores_yet(settings: Settings) -> str:
    if scored_customers(settings):
        return ""
    run = rows(settings, "last_run")
    return f"the last run was {run[0]['status']}: {run[0]['reason']}" if run else "the scorer has not run yet"


def _table(found: list[CustomerAtRisk], share: float) -> Table:
    title = f"The {len(found)} customers most at risk, as of {found[0].as_of:%Y-%m-%d %H:%M} UTC"
    # Narrow enough for 80 columns: a cut-off number is worse than none.
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 2), pad_edge=False, collapse_padding=True)
    table.add_column("customer", justify="right", no_wrap=True)
    table.add_column("name", no_wrap=True, max_width=16)
    for heading in ("no buy\nin 30 d", "no buy\nin 90 d", "residual\nvalue", f"{share:.0%}\ninterval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found:
        interval = "–"
        if row.residual_value_low is not None and row.residual_value_high is not None:
            interval = f"{row.residual_value_low:,.0f} – {row.residual_value_high:,.0f}"
        chances = f"{row.no_purchase_30d:.0%}", f"{row.no_purchase_90d:.0%}"
        table.add_row(str(row.customer_id), row.name or "–", *chances, f"{row.residual_value:,.0f}", interval)
    return table
