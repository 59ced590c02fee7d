"""What is written to settings.toml comes back, and nothing else is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from retentioncast.core.errors import InvalidSettings
from retentioncast.infra.settings import SETTINGS_FILE
from retentioncast.stack.settings_file import read_values, settings_of, update_values


def test_values_of_every_kind_come_back(tmp_path: Path) -> None:
    values = {"a": 1, "b": {"text": 'quo"te, back\\slash, ümlaut', "flag": True, "deep": {"x": 1.5}}}
    update_values(tmp_path, values)
    assert read_values(tmp_path) == values


def test_an_update_keeps_what_it_does_not_name(tmp_path: Path) -> None:
    update_values(tmp_path, {"postgres": {"port": 1, "passwords": {"owner": "x"}}})
    update_values(tmp_path, {"postgres": {"port": 2}, "stack": {"demo": False}})
    assert read_values(tmp_path) == {"postgres": {"port": 2, "passwords": {"owner": "x"}}, "stack": {"demo": False}}


def test_the_settings_of_another_home_are_its_own(tmp_path: Path) -> None:
    update_values(tmp_path, {"postgres": {"port": 12345}})
    settings = settings_of(tmp_path, stack={"demo": False})
    assert (settings.home, settings.postgres.port, settings.stack.demo) == (tmp_path, 12345, False)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("port =", encoding="utf-8")
    with pytest.raises(InvalidSettings, match=SETTINGS_FILE):
        read_values(tmp_path)


def test_the_environment_comes_before_the_file_of_the_own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update_values(tmp_path, {"postgres": {"port": 2222}})
    monkeypatch.setenv("RETENTIONCAST_HOME", str(tmp_path))
    monkeypatch.setenv("RETENTIONCAST_POSTGRES__PORT", "1111")
    assert settings_of(tmp_path).postgres.port == 1111
