"""Ports are asked for, never assumed, and a taken one is said with who holds it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from retentioncast.core.errors import InvalidSettings, StackError
from retentioncast.infra.settings import SETTINGS_FILE, ConnectSettings, KafkaSettings, PostgresSettings, Settings
from retentioncast.stack.first_start import addresses, refuse_taken_ports, write_first_settings
from retentioncast.stack.ports import free_ports, holder, is_free
from retentioncast.stack.settings_file import read_values, settings_of


@pytest.fixture
def taken() -> int:
    """A port on which this very process listens."""
    listener = socket.create_server(("127.0.0.1", 0))
    request_port: int = listener.getsockname()[1]
    _open.append(listener)
    return request_port


_open: list[socket.socket] = []


@pytest.fixture(autouse=True)
def _close_listeners() -> object:
    yield
    while _open:
        _open.pop().close()


def test_free_ports_are_different_and_free() -> None:
    with free_ports(5) as ports:
        assert len(set(ports)) == 5
    assert all(is_free(port) for port in ports)


def test_a_port_that_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_the_holder_of_a_port_is_named(taken: int) -> None:
    assert holder(taken).pid == os.getpid()
    assert f"process {os.getpid()} (" in str(holder(taken))


def test_a_chosen_port_that_is_taken_stops_everything_before_anything_is_written(tmp_path: Path, taken: int) -> None:
    home = tmp_path / "home"
    settings = Settings(home=home, postgres=PostgresSettings(port=taken))
    with pytest.raises(StackError) as refused:
        write_first_settings(settings, home, print)
    assert f"Port {taken}, meant for postgres, is taken by process {os.getpid()}" in refused.value.message
    assert "RETENTIONCAST_POSTGRES__PORT" in refused.value.next_step
    assert not home.exists()


def test_a_part_that_runs_may_hold_its_own_port(tmp_path: Path, taken: int) -> None:
    settings = Settings(home=tmp_path, postgres=PostgresSettings(port=taken))
    refuse_taken_ports(settings, frozenset({"postgres"}))
    with pytest.raises(StackError):
        refuse_taken_ports(settings, frozenset({"kafka"}))


def test_a_default_port_that_is_taken_is_replaced_and_said(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retentioncast.stack.first_start.is_free", lambda port: port != 54320)
    said: list[str] = []
    write_first_settings(Settings(home=tmp_path), tmp_path, said.append)
    chosen = settings_of(tmp_path)
    assert chosen.postgres.port != 54320
    assert "54320 (postgres)" in said[0]
    assert f"using {chosen.postgres.port}" in said[0]


def test_the_first_start_writes_a_password_a_role_that_only_its_owner_can_read(tmp_path: Path) -> None:
    write_first_settings(Settings(home=tmp_path), tmp_path, print)
    passwords = read_values(tmp_path)["postgres"]["passwords"]  # type: ignore[index]
    assert len(set(passwords.values())) == 6  # type: ignore[union-attr]
    assert (tmp_path / SETTINGS_FILE).stat().st_mode & 0o777 == 0o600


def test_an_address_without_a_port_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="names no port"):
        addresses(Settings(home=tmp_path, kafka=KafkaSettings(bootstrap="localhost")))
    with pytest.raises(InvalidSettings, match="names no port"):
        addresses(Settings(home=tmp_path, connect=ConnectSettings(url="http://localhost")))
