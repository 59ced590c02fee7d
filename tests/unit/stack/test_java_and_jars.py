"""Java and the jars are found or brought whole; each failure says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from retentioncast.core.errors import StackError
from retentioncast.stack.jars import POM, Jars, cached_jars, fetch_jars
from retentioncast.stack.java import Java, find_java, java_version

JAVA = Java(Path("/nowhere"), 17)


def _program(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def _java(folder: Path, version: str) -> Path:
    return _program(folder / "bin" / "java", f"echo 'openjdk version \"{version}\"' >&2")


@pytest.mark.parametrize(("said", "version"), [("17.0.15", 17), ("1.8.0_402", 8), ("25", 25), ("21-ea", 21)])
def test_the_version_of_a_java_is_read(tmp_path: Path, said: str, version: int) -> None:
    assert java_version(_java(tmp_path, said)) == version


def test_a_java_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert java_version(tmp_path / "java") == 0
    assert java_version(_program(tmp_path / "broken", "exit 1")) == 0


def test_a_java_that_is_too_old_is_passed_over_for_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path / "old", "11.0.2").parent.parent))
    monkeypatch.setenv("PATH", str(_java(tmp_path / "new", "21.0.1").parent))
    assert find_java() == Java((tmp_path / "new").resolve(), 21)


def test_no_java_and_no_wheel_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(_java(tmp_path, "11.0.2").parent))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(StackError) as refused:
        find_java()
    assert "Java 11" in refused.value.message
    assert "./setup.sh" in refused.value.next_step


def test_the_cache_belongs_to_the_user_and_to_this_pom(tmp_path: Path) -> None:
    jars = cached_jars({"XDG_CACHE_HOME": str(tmp_path)}, tmp_path / "home")
    assert jars.folder.parent == tmp_path / "retentioncast"
    assert cached_jars({}, tmp_path / "home").folder.parent == tmp_path / "home" / "cache"


def test_jars_are_copied_into_a_folder_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        'for word; do case $word in -DoutputDirectory=*) mkdir -p "${word#*=}"; touch "${word#*=}/a.jar";; esac; done'
    )
    monkeypatch.setenv("PATH", f"{_program(tmp_path / 'bin' / 'mvn', script).parent}:/usr/bin:/bin")
    jars = Jars(tmp_path / "cache" / "jars")
    fetch_jars(jars, JAVA)
    assert sorted(file.relative_to(jars.folder).as_posix() for file in jars.folder.rglob("*.jar")) == [
        "kafka/a.jar",
        "plugins/debezium/a.jar",
    ]


def test_a_registry_that_does_not_answer_leaves_nothing_half_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mvn = _program(tmp_path / "bin" / "mvn", "echo '[ERROR] Could not transfer artifact: Connection refused'; exit 1")
    monkeypatch.setenv("PATH", f"{mvn.parent}:/usr/bin:/bin")
    jars = Jars(tmp_path / "cache" / "jars")
    with pytest.raises(StackError) as refused:
        fetch_jars(jars, JAVA)
    assert "Connection refused" in refused.value.message
    assert "registry" in refused.value.next_step
    assert list(jars.folder.parent.iterdir()) == []


def test_the_pom_pins_what_was_tried_together() -> None:
    text = POM.read_text(encoding="utf-8")
    assert "<kafka.version>4.3.1</kafka.version>" in text
    assert "<debezium.version>3.7.0.Final</debezium.version>" in text
