"""`retentioncast models` on a folder: what it prints, and what it says when something is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from retentioncast.cli import main
from retentioncast.infra.artefacts.opening import open_files
from retentioncast.infra.artefacts.promotions import Promotions
from retentioncast.infra.settings import ENV_PREFIX
from tests.model_store_behaviour import put, store_in


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(f"{ENV_PREFIX}HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path / "home"


@pytest.fixture
def history(home: Path) -> Promotions:
    return Promotions(store_in(open_files(str(home / "models"), 5)))


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["retentioncast", "models", *arguments])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_the_list_says_which_is_in_force_and_which_is_broken(
    history: Promotions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (put(history.store, mark) for mark in "abc")
    history.promote(second, "promoted", pinned=True)
    history.store.files.remove(f"versions/{third}/manifest.json")
    history.store.files.create(f"versions/{third}/manifest.json", b"{}")
    assert call(monkeypatch, "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["versions"]
    assert [(row["version"], row["state"][:16]) for row in rows] == [
        (third, "broken: The mani"), (second, "in force, pinned"), (first, "")
    ]  # fmt: skip
    assert call(monkeypatch, "list") == 0
    shown = capsys.readouterr().out
    assert "in force, pinned" in shown and "2026-11-24 12:00" in shown and "2000" in shown


def test_show_and_diff_tell_the_parameters(
    history: Promotions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = put(history.store, "a"), put(history.store, "b")
    history.promote(second, "published", pinned=False)
    assert call(monkeypatch, "show", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["run_id"], told["parameters"]["spend.p"]) == (second, 7, 6.1)
    assert call(monkeypatch, "show") == 0
    assert "spend.p" in capsys.readouterr().out
    assert call(monkeypatch, "diff", first[-8:], "--json") == 0
    differences = json.loads(capsys.readouterr().out)["differences"]
    assert differences == [{"name": "purchase.mark", "before": "a", "after": "b", "change": None}]
    assert call(monkeypatch, "diff", second, "newest") == 0
    assert "They do not differ." in capsys.readouterr().out


def test_a_version_goes_to_another_store_and_comes_back(
    history: Promotions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version, remote = put(history.store), str(tmp_path / "remote")
    assert call(monkeypatch, "push", "newest", "--to", remote) == 0
    history.store.forget(0, [])
    assert history.store.versions() == []
    monkeypatch.setenv(f"{ENV_PREFIX}MODELS__REMOTE", remote)
    assert call(monkeypatch, "pull", version) == 0
    assert history.store.versions() == [version]
    assert f"retentioncast models promote {version}" in capsys.readouterr().out
    assert history.current() is None


def test_promote_pins_rollback_goes_back_and_refit_lets_go(
    history: Promotions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = put(history.store, "a"), put(history.store, "b")
    assert [call(monkeypatch, "promote", name) for name in (first, second)] == [0, 0]
    assert call(monkeypatch, "rollback", "--note", "odd") == 0
    assert "The scorer scores with it until" in capsys.readouterr().out
    assert call(monkeypatch, "promote", "--refit") == 0
    told = [(entry.version, entry.action, entry.pinned, entry.note) for entry in history.history()]
    assert told == [
        (first, "released", False, ""), (first, "rolled back", True, "odd"),
        (second, "promoted", True, ""), (first, "promoted", True, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show"], "No version is promoted"),
        (["promote", "newest"], "There is no version 'newest'"),
        (["rollback"], "There is no earlier version"),
        (["push", "newest"], "No remote store is set."),
        (["list", "--store", "ftp://x"], "ftp:// is no place for a model store."),
    ],
)
def test_what_cannot_be_done_is_a_line_and_the_next_step(
    home: Path, arguments: list[str], message: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert call(monkeypatch, *arguments) == 1
    said = capsys.readouterr().err
    assert message in said and "Next:" in said
