from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from scorer.report import as_json, as_text
from scorer.runs import Run

MOMENT = datetime(1997, 9, 30, tzinfo=UTC)
PUBLISHED = Run(
    started_at=MOMENT,
    code_version="0.1.0",
    status="published",
    reason="Scores of 2357 customers.",
    run_id=4,
    as_of=MOMENT,
    parameters={"purchase": {"model": "BG/NBD", "parameters": {"r": 0.24259}}, "spend": None},
    customers=2357,
)
REFUSED = Run(started_at=MOMENT, code_version="0.1.0", status="refused", reason="Too few.", run_id=5)


def test_a_person_reads_what_came_of_it_and_the_parameters() -> None:
    text = as_text(PUBLISHED)
    assert text.splitlines()[0] == "Run 4: published. Scores of 2357 customers."
    assert "BG/NBD: r 0.2426" in text


def test_of_a_stack_each_member_is_told_with_its_share() -> None:
    members = [
        {"model": name, "weight": weight, "parameters": {"r": weight}}
        for name, weight in (("BG/NBD", 0.25), ("Pareto/NBD", 0.75))
    ]
    text = as_text(replace(PUBLISHED, parameters={"purchase": {**members[1], "members": members}}))
    assert "  BG/NBD (25%): r 0.25\n  Pareto/NBD (75%): r 0.75\n" in text


def test_a_run_that_saw_nothing_can_be_told_too() -> None:
    assert as_text(REFUSED).splitlines()[0] == "Run 5: refused. Too few."


def test_a_machine_reads_every_column_with_times_in_iso() -> None:
    told = json.loads(as_json(PUBLISHED))
    assert told["as_of"] == "1997-09-30T00:00:00+00:00"
    assert told["parameters"] == PUBLISHED.parameters
    assert {"run_id", "status", "reason", "customers", "duration_s", "code_version"} <= set(told)
