"""The report says what the results say."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report import write_report
from benchmarks.results import Claim, Result, read_results, write_result


def a_result(ratio: float) -> Result:
    return Result(
        name="apply",
        title="Apply",
        method="How it was measured.",
        headings=("contender", "seconds"),
        table=[("raw limit", "4.0"), ("consumer", "6.0")],
        claims=[Claim("time of ours / raw limit", ratio, 1.75)],
        measurements={"kind": "rates", "ours": ["consumer"], "rates": {"raw limit": [250.0], "consumer": [166.0]}},
        machine={"cpu": "a processor", "cores": 2, "memory_gb": 24, "system": "Linux", "load_before": 0.1},
        versions={"python": "3.12.1"},
        at="2026-11-21T12:00:00+00:00",
    )


def test_a_result_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    write_result(a_result(1.5), tmp_path)

    [read] = read_results(tmp_path)

    assert read.claims == a_result(1.5).claims
    assert [tuple(row) for row in read.table] == a_result(1.5).table


def test_the_report_shows_each_claim_with_its_target_and_says_when_it_is_missed(tmp_path: Path) -> None:
    write_result(a_result(1.5), tmp_path)
    kept = write_report(tmp_path).read_text(encoding="utf-8")
    write_result(a_result(2.0), tmp_path)
    missed = write_report(tmp_path).read_text(encoding="utf-8")

    assert "| time of ours / raw limit | 1.5 times | at most 1.75 | holds | [apply](#apply) |" in kept
    assert "| time of ours / raw limit | 2 times | at most 1.75 | **missed** | [apply](#apply) |" in missed


def test_the_report_has_the_table_the_machine_and_a_plot(tmp_path: Path) -> None:
    write_result(a_result(1.5), tmp_path)

    report = write_report(tmp_path).read_text(encoding="utf-8")

    assert "| consumer | 6.0 |" in report
    assert "2 cores (a processor), 24 GB" in report
    assert (tmp_path / "apply.png").stat().st_size > 1000


def test_a_claim_of_at_least_holds_from_its_target_on() -> None:
    assert Claim("ours / one by one", 60, 60, at_least=True).holds
    assert not Claim("ours / one by one", 59.9, 60, at_least=True).holds
