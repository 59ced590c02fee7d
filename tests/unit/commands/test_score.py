"""The scorer is called as a process of its own."""

from __future__ import annotations

import sys

from retentioncast.commands.score import scorer_command


def test_a_run_now_asks_for_no_time() -> None:
    assert scorer_command("", False) == [sys.executable, "-m", "scorer", "--once"]


def test_the_time_and_the_form_of_the_answer_are_handed_on() -> None:
    assert scorer_command("1997-09-30", True)[2:] == ["scorer", "--once", "--as-of", "1997-09-30", "--json"]
