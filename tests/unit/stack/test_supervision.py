"""What we write for the supervisor is what it reads, whatever stands in a path or a setting."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest
from supervisor.datatypes import dict_of_key_value_pairs

from retentioncast.core.errors import StackError
from retentioncast.stack.part import Program
from retentioncast.stack.paths import LONGEST_SOCKET_PATH, Paths
from retentioncast.stack.supervision import Supervisor, _program_text


def _read(program: Program, home: Path) -> configparser.SectionProxy:
    # As supervisor's own parser is set up.
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(_program_text(program, Paths(home)))
    return parser[f"program:{program.name}"]


def test_a_command_and_its_environment_survive_the_configuration_file(tmp_path: Path) -> None:
    environment = {"RETENTIONCAST_POSTGRES": '{"port": 5}', "RETENTIONCAST_X": "it's 100% a,b=c"}
    program = Program("scorer", ["/a path/python", "-m", "scorer"], 50, environment)
    section = _read(program, tmp_path)
    assert shlex.split(section["command"]) == list(program.command)
    read = dict_of_key_value_pairs(section["environment"].replace("%%", "%"))
    assert read == {**environment, "RETENTIONCAST_HOME": str(tmp_path), "RETENTIONCAST_PART": "scorer"}


def test_a_value_that_the_supervisor_cannot_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="RETENTIONCAST_X"):
        _read(Program("scorer", ["python"], 50, {"RETENTIONCAST_X": "both ' and \""}), tmp_path)


def test_only_parts_that_need_it_run_under_another_account(tmp_path: Path) -> None:
    assert "user" not in _read(Program("scorer", ["python"], 50), tmp_path)
    assert _read(Program("postgres", ["postgres"], 10, user="nobody"), tmp_path)["user"] == "nobody"


def test_a_home_that_is_too_deep_for_a_socket_gets_a_short_one_of_its_own(tmp_path: Path) -> None:
    deep, other = (Paths(tmp_path / name / ("x" * 100)) for name in ("a", "b"))
    assert len(str(deep.socket)) <= LONGEST_SOCKET_PATH
    assert deep.socket != other.socket
    assert Paths(Path("/h")).socket == Path("/h/run/supervisor.sock")


def test_without_a_supervisor_there_are_no_parts(tmp_path: Path) -> None:
    assert Supervisor(Paths(tmp_path)).parts() == []
    assert Supervisor(Paths(tmp_path)).pid() is None
