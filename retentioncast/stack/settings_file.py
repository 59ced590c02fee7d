"""Reads and writes the home's settings.toml: sections of plain values, readable by its owner only."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from retentioncast.core.errors import InvalidSettings
from retentioncast.infra.settings import SETTINGS_FILE, Settings, find_home, load_settings

type Values = dict[str, "Values | str | int | float | bool"]

HEADING = (
    "# Written by `retentioncast up` at its first start; yours to edit, then run `retentioncast up` again.\n"
    "# What the environment says (RETENTIONCAST_...) comes before what stands here. Passwords: keep it private.\n"
)


def read_values(home: Path) -> Values:
    """What settings.toml says; empty when there is none."""
    file = home / SETTINGS_FILE
    if not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(f"{file} is not TOML: {error}.", "Correct that line.") from error


def update_values(home: Path, changes: Mapping[str, object]) -> None:
    """Merge changes into settings.toml, in one step, mode 0600."""
    values = _merge(read_values(home), changes)
    fresh = home / f".{SETTINGS_FILE}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(HEADING + _toml(values))
    fresh.replace(home / SETTINGS_FILE)


def settings_of(home: Path, **sections: object) -> Settings:
    """The settings of a home; `sections` come before its file, and for the process's own home the environment does."""
    if home.resolve() == find_home():
        return load_settings(home=home, **sections)
    return load_settings(home=home, **_merge(read_values(home), sections))


def _merge(values: Values, changes: Mapping[str, object]) -> Values:
    merged = dict(values)
    for key, value in changes.items():
        if isinstance(value, Mapping):
            inner = merged.get(key)
            merged[key] = _merge(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[key] = value  # type: ignore[assignment]
    return merged


def _toml(values: Values, path: str = "") -> str:
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    text = f"\n[{path}]\n" if path and plain else ""
    # JSON's strings, numbers and booleans are TOML's too.
    text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    for key, value in values.items():
        if isinstance(value, dict):
            text += _toml(value, f"{path}.{key}" if path else key)
    return text
