"""How the scorer's process ends."""

from __future__ import annotations

import pytest

from scorer import __main__ as process


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "score_once", interrupted)
    assert process.main(["--once"]) == 130
