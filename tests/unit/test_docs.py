"""The pages tell what there is: every setting, every command, and nothing that does not exist."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from retentioncast.cli import make_app
from retentioncast.infra.settings import Settings
from retentioncast.infra.settings_problems import setting_names, variable_of
from tests.markdown import ROOT, anchors, code, links, page

OPERATIONS = "docs/operations.md"
PAGES = ("README.md", OPERATIONS, "docs/architecture.md", "debezium/README.md", "CONTRIBUTING.md")
_ROW = re.compile(r"^\| `([\w.]+)` \| `(RETENTIONCAST_\w+)` \| (.+?) \| (.*?) \| (.+?) \|$", re.MULTILINE)
_CALL = re.compile(r"(?:^|\s|\$\()retentioncast ([^#|>)]*)")


def settings_table() -> dict[str, tuple[str, str, str]]:
    return {found[0]: (found[1], found[2], found[4]) for found in _ROW.findall(page(OPERATIONS))}


def default_of(setting: str) -> str:
    value: object = Settings()
    for part in setting.split("."):
        value = getattr(value, part)
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if value == "":
        return "empty"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def test_the_table_of_settings_holds_every_setting_and_no_other() -> None:
    assert sorted(settings_table()) == sorted(setting_names(Settings))


@pytest.mark.parametrize("setting", list(setting_names(Settings)))
def test_a_setting_is_documented_with_its_variable_and_default(setting: str) -> None:
    variable, default, what = settings_table()[setting]
    assert variable == variable_of(setting)
    assert len(what) > 10
    if setting != "home":  # which is told in words
        assert default.strip("`") == default_of(setting)


def command_tree() -> TyperGroup:
    command = typer.main.get_command(make_app())
    assert isinstance(command, TyperGroup)
    return command


def all_commands(group: TyperGroup, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        yield f"{path}{name}"
        if isinstance(command, TyperGroup):
            yield from all_commands(command, f"{path}{name} ")


def calls(text: str) -> list[str]:
    """What follows `retentioncast` wherever it is called in a page's code."""
    found = (match for piece in code(text) for match in _CALL.findall(piece))
    return [call.strip() for call in found if re.match(r"[a-z]", call)]


def problem(call: str) -> str:
    """Empty when command and options of this call exist."""
    words, command = shlex.split(call.replace('"', "")), command_tree()
    here: Any = command
    for word in words:
        if isinstance(here, TyperGroup) and word in here.commands:
            here = here.commands[word]
        elif word.startswith("-"):
            options = {option for one in here.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
            if word not in options:
                return f"{here.name} has no option {word}"
        elif here is command:
            return f"there is no command {word}"
    return ""


@pytest.mark.parametrize("name", PAGES)
def test_every_command_on_a_page_exists_with_its_options(name: str) -> None:
    assert [(call, wrong) for call in calls(page(name)) if (wrong := problem(call))] == []


def test_a_command_that_does_not_exist_would_be_seen() -> None:
    assert calls('text `retentioncast frobnicate` and\n```sh\npsql "$(retentioncast dsn owner)"\n```\n') == [
        "dsn owner",
        "frobnicate",
    ]
    assert problem("frobnicate") == "there is no command frobnicate"
    assert problem("scores --tpo 3") == "scores has no option --tpo"
    assert problem("connector status --json") == ""


@pytest.mark.parametrize("command", sorted(all_commands(command_tree())))
def test_every_command_is_told_of(command: str) -> None:
    told = [call for name in ("README.md", OPERATIONS) for call in calls(page(name))]
    assert any(f"{call} ".startswith(f"{command} ") for call in told)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in links(page(name)):
        file, _, anchor = target.partition("#")
        there = (ROOT / name).parent / file if file else ROOT / name
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), target


def test_the_heading_that_errors_point_to_is_there() -> None:
    source = (ROOT / "consumer/positions.py").read_text(encoding="utf-8")
    assert "'When the stream is broken'" in source
    assert "when-the-stream-is-broken" in anchors(page(OPERATIONS))


@pytest.mark.parametrize("file", sorted((ROOT / ".vscode").glob("*.json")), ids=lambda file: file.name)
def test_the_editors_settings_are_json_and_name_what_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for module in re.findall(r'"module": "(\w+)"', text):
        assert module == "pytest" or (ROOT / module / "__main__.py").exists()
    assert json.loads(text)
