"""Writes benchmarks/results/README.md: the claims, and a table and a plot of each benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.plots import plot
from benchmarks.results import FOLDER, Claim, Result, read_results

HEADING = """# Measured

Written by `python -m benchmarks`; each number comes from the JSON file beside it. Machines differ, so every claim
is a ratio of two things measured in the same run, on the same machine (times of the set-up excepted).
"""


def write_report(folder: Path = FOLDER) -> Path:
    """The report anew from all results in the folder, with its plots."""
    results = read_results(folder)
    for result in results:
        plot(result, folder / f"{result.name}.png")
    file = folder / "README.md"
    file.write_text("\n".join(_report(results)), encoding="utf-8")
    return file


def _report(results: Sequence[Result]) -> Iterator[str]:
    yield HEADING
    claims = [(result, claim) for result in results for claim in result.claims]
    yield from _table(
        ("claim", "measured", "target", "", "from"),
        [(c.text, _value(c), _target(c), "holds" if c.holds else "**missed**", f"[{r.name}](#{r.name})")
         for r, c in claims],
    )  # fmt: skip
    for result in results:
        yield from _section(result)


def _section(result: Result) -> Iterator[str]:
    yield f'\n<a id="{result.name}"></a>\n## {result.title}\n'
    yield f"{result.method}\n"
    yield from _table(result.headings, result.table)
    yield f"\n![{result.title}]({result.name}.png)\n"
    m = result.machine
    yield (
        f"{result.at[:10]}, {m['cores']} cores ({m['cpu']}), {m['memory_gb']} GB, {m['system']}; load average before "
        f"the run {m['load_before']}. " + ", ".join(f"{name} {version}" for name, version in result.versions.items())
        + "."
    )  # fmt: skip


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield "|" + " --- |" * len(headings)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _value(claim: Claim) -> str:
    return f"{claim.value:.3g} {claim.unit}" if claim.value < 1000 else f"{claim.value:,.0f} {claim.unit}"


def _target(claim: Claim) -> str:
    return f"at {'least' if claim.at_least else 'most'} {claim.target:g}"
