"""A wrong setting is one clear message that names the setting, the variable, the value and the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from retentioncast.cli import main
from retentioncast.core.errors import InvalidSettings
from retentioncast.infra.settings import SETTINGS_FILE, Settings, load_settings
from retentioncast.infra.settings_problems import setting_names, variable_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    monkeypatch.setenv("RETENTIONCAST_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str) -> None:
    (home / SETTINGS_FILE).write_text(text, encoding="utf-8")


def refusal() -> str:
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    return str(refused.value)


def test_the_defaults_are_valid_settings(home: Path) -> None:
    assert load_settings() == Settings(home=home)


def test_the_environment_comes_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "[kafka]\npartitions = 3\ntopic_prefix = 'mine'\n")
    monkeypatch.setenv("RETENTIONCAST_KAFKA__PARTITIONS", "8")
    kafka = load_settings().kafka
    assert (kafka.partitions, kafka.topic_prefix) == (8, "mine")


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("RETENTIONCAST_KAFKA__PARTITIONS", "0", "greater than or equal to 1"),
        ("RETENTIONCAST_KAFKA__PARTITIONS", "many", "valid integer"),
        ("RETENTIONCAST_POSTGRES__PORT", "65536", "less than or equal to 65535"),
        ("RETENTIONCAST_POSTGRES__ROLE_PREFIX", "Robert'); drop", "match pattern"),
        ("RETENTIONCAST_SCORER__INTERVAL", "1.5", "less than 1"),
        ("RETENTIONCAST_SIMULATOR__LOAD", "heavy", "'quiet', 'normal', 'busy' or 'flood'"),
        ("RETENTIONCAST_SIMULATOR__HISTORY", "18 months", "match pattern"),
        ("RETENTIONCAST_CONSUMER__ONLINE__ENABLED", "perhaps", "valid boolean"),
        ("RETENTIONCAST_STACK__KIND", "podman", "'native' or 'docker'"),
        ("RETENTIONCAST_LOG__LEVEL", "LOUD", "'DEBUG'"),
    ],
)
def test_a_wrong_value_in_the_environment_is_named(
    variable: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    said = refusal()
    setting = variable.removeprefix("RETENTIONCAST_").lower().replace("__", ".")
    for part in (f"Setting {setting} ", f"({variable})", f"= {value!r}", reason, SETTINGS_FILE, "docs/operations.md"):
        assert part in said


def test_a_wrong_value_in_the_file_is_named(home: Path) -> None:
    write(home, "[scorer]\nmin_customers = 1\n")
    said = refusal()
    assert "Setting scorer.min_customers (RETENTIONCAST_SCORER__MIN_CUSTOMERS) = 1: " in said
    assert str(home / SETTINGS_FILE) in said


def test_all_wrong_values_are_named_at_once(home: Path) -> None:
    write(home, "[kafka]\npartitions = 0\n[log]\nlevel = 'x'\n")
    said = refusal()
    assert "kafka.partitions" in said
    assert "log.level" in said


@pytest.mark.parametrize(
    ("text", "name", "meant"),
    [
        ("[kafka]\npartitons = 8\n", "kafka.partitons", "kafka.partitions"),
        ("[consumer.online]\nenable = true\n", "consumer.online.enable", "consumer.online.enabled"),
        ("[sorcer]\nperiod_s = 8\n", "sorcer", None),
    ],
)
def test_an_unknown_setting_in_the_file_is_named(home: Path, text: str, name: str, meant: str | None) -> None:
    write(home, text)
    said = refusal()
    assert f"Setting {name} ({variable_of(name)})" in said
    assert "no such setting" in said
    assert ("did you mean" in said) == (meant is not None)
    assert meant is None or f"did you mean {meant}?" in said


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("RETENTIONCAST_KAFAK__PARTITIONS", "RETENTIONCAST_KAFKA__PARTITIONS"),
        ("RETENTIONCAST_POSTGRES_PORT", "RETENTIONCAST_POSTGRES__PORT"),
        ("retentioncast_hoem", "RETENTIONCAST_HOME"),
        ("RETENTIONCAST_ZZZ", None),
    ],
)
def test_an_unknown_variable_is_refused_not_ignored(
    variable: str, meant: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "7")
    said = refusal()
    assert f"The variable {variable} names no setting" in said
    assert ("did you mean" in said) == (meant is not None)
    assert meant is None or f"did you mean {meant}?" in said


def test_an_unknown_variable_below_a_section_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTIONCAST_SCORER__PERIOD", "7")
    said = refusal()
    assert "Setting scorer.period (RETENTIONCAST_SCORER__PERIOD) = '7': there is no such setting" in said
    assert "did you mean scorer.period_s?" in said


def test_variables_that_are_no_settings_are_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTIONCAST_PART", "scorer")
    monkeypatch.setenv("RETENTIONCAST_COMMIT", "abc")
    assert load_settings().home == home


def test_a_section_in_one_variable_must_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTIONCAST_KAFKA", "127.0.0.1:9092")
    said = refusal()
    assert "The variable RETENTIONCAST_KAFKA is not a JSON object" in said
    assert "RETENTIONCAST_KAFKA__NAME" in said


def test_a_section_may_be_one_variable_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTIONCAST_KAFKA", '{"partitions": 8}')
    assert load_settings().kafka.partitions == 8


@pytest.mark.parametrize("content", [b"[postgres]\nport =\n", b"[postgres\n", b"name = '\xff\xfe'\n"])
def test_a_file_that_cannot_be_read_is_named(home: Path, content: bytes) -> None:
    (home / SETTINGS_FILE).write_bytes(content)
    said = refusal()
    assert str(home / SETTINGS_FILE) in said
    assert "is not" in said


def test_a_home_in_the_file_is_refused(home: Path) -> None:
    write(home, "home = '/somewhere'\n")
    assert "sets home" in refusal()


@pytest.mark.parametrize("text", ["[postgres.passwords]\nowner = 12345\n", "[postgress.passwords]\nowner = '12345'\n"])
def test_a_secret_is_never_shown(home: Path, text: str) -> None:
    write(home, text)
    assert "12345" not in refusal()


def test_the_command_says_it_in_two_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RETENTIONCAST_KAFKA__PARTITIONS", "0")
    monkeypatch.setattr("sys.argv", ["retentioncast", "dsn"])
    with pytest.raises(SystemExit) as ended:
        main()
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert [line.split()[0] for line in lines] == ["Error:", "Next:"]


def test_every_setting_has_a_name_and_a_variable() -> None:
    names = list(setting_names(Settings))
    assert "postgres.passwords.reader" in names
    assert "consumer.online.enabled" in names
    assert variable_of("consumer.online.enabled") == "RETENTIONCAST_CONSUMER__ONLINE__ENABLED"


def test_a_topic_prefix_that_leaves_no_room_for_the_table_is_refused(home: Path) -> None:
    write(home, f"[kafka]\ntopic_prefix = '{'x' * 240}'\n")
    assert "kafka.topic_prefix" in refusal()
