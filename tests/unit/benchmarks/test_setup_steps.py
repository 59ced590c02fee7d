"""The steps of the set-up are read from what it says."""

from __future__ import annotations

from itertools import count

from benchmarks.setup_steps import Step, read_steps


def test_a_step_lasts_from_its_arrow_to_its_tick_also_inside_another() -> None:
    ticks = count()
    lines = ["→ Start the stack …\n", "→ Fetch the jars …\n", "    some note\n", "  ✓ They are here (2.0 s)\n",
             "  ✓ It runs (3.0 s)\n", "Postgres at 127.0.0.1\n"]  # fmt: skip

    steps = list(read_steps(lines, lambda: float(next(ticks))))

    assert steps == [Step("Fetch the jars", 1.0, 2.0), Step("Start the stack", 0.0, 3.0)]
