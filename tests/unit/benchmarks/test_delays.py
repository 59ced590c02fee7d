"""Delays follow from what the watchers saw."""

from __future__ import annotations

import pytest

from benchmarks.delays import delays_ms


def test_a_commit_is_visible_when_the_offsets_have_first_passed_its_message() -> None:
    commits = [(7, 10.000), (8, 10.010)]
    seen = [(7, 0, 100, 10.020), (8, 0, 101, 10.025)]
    progress = [(9.0, 0, 100), (10.030, 0, 101), (10.045, 0, 102)]

    bare, ours = delays_ms(commits, seen, progress)

    assert bare == pytest.approx([20, 15])
    assert ours == pytest.approx([30, 35])


def test_a_commit_that_was_never_applied_is_no_result() -> None:
    with pytest.raises(ValueError, match="offset 100 was never applied"):
        delays_ms([(7, 10.0)], [(7, 0, 100, 10.02)], [(9.0, 0, 100)])


def test_a_commit_that_never_came_is_no_result() -> None:
    with pytest.raises(ValueError, match="transaction 7 never came"):
        delays_ms([(7, 10.0)], [], [(9.0, 0, 100)])
