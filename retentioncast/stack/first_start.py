"""What is decided once, at a home's first start: free ports and passwords."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from retentioncast.core.errors import InvalidSettings, StackError
from retentioncast.infra.settings import ENV_PREFIX, ROLES, SETTINGS_FILE, Settings
from retentioncast.stack.ports import free_ports, holder, is_free
from retentioncast.stack.settings_file import update_values


@dataclass(frozen=True, slots=True)
class Address:
    """Where a part listens: the setting that says so, its port, and how a port is written there."""

    part: str
    section: str
    setting: str
    port: int
    #: The setting's value for a port.
    value: Callable[[int], object]
    #: Chosen by a person or an earlier start, not the default.
    chosen: bool


def addresses(settings: Settings) -> list[Address]:
    """The three addresses of the native stack."""
    postgres, kafka, connect = settings.postgres, settings.kafka, settings.connect
    return [
        Address("postgres", "postgres", "port", postgres.port, int, "port" in postgres.model_fields_set),
        Address("kafka", "kafka", "bootstrap", _port(kafka.bootstrap), lambda port: f"127.0.0.1:{port}",
                "bootstrap" in kafka.model_fields_set),
        Address("connect", "connect", "url", _port(connect.url), lambda port: f"http://127.0.0.1:{port}",
                "url" in connect.model_fields_set),
    ]  # fmt: skip


def _port(address: str) -> int:
    try:
        port = urlsplit(address if "//" in address else f"//{address}").port
    except ValueError:
        port = None
    if not port:
        raise InvalidSettings(f"{address!r} names no port.", "Write it as host:port.")
    return port


def refuse_taken_ports(settings: Settings, running: frozenset[str] = frozenset()) -> None:
    """StackError when a chosen port is held by somebody else; `running` are the parts that hold theirs already."""
    for address in addresses(settings):
        if address.chosen and address.part not in running and not is_free(address.port):
            variable = f"{ENV_PREFIX}{address.section}__{address.setting}".upper()
            raise StackError(
                f"Port {address.port}, meant for {address.part}, is taken by {holder(address.port)}.",
                f"Stop that process, or choose another port: set {variable}, "
                f"or {address.section}.{address.setting} in {settings.home / SETTINGS_FILE}.",
            )


def choose_ports(settings: Settings, say: Callable[[str], None]) -> dict[str, dict[str, object]]:
    """For each address the chosen port or the default, or a free one where the default is taken."""
    refuse_taken_ports(settings)
    sections: dict[str, dict[str, object]] = {}
    with free_ports(3) as spare:
        for address, other in zip(addresses(settings), spare, strict=True):
            port = address.port
            if not is_free(port):
                say(f"    Port {port} ({address.part}) is held by {holder(port)}; using {other} instead.")
                port = other
            sections[address.section] = {address.setting: address.value(port)}
    return sections


def new_passwords(settings: Settings) -> dict[str, str]:
    """A password for each role that has none of its own yet."""
    given = settings.postgres.passwords
    return {
        role: getattr(given, role).get_secret_value() if role in given.model_fields_set else secrets.token_urlsafe(18)
        for role in ROLES
    }


def write_first_settings(settings: Settings, home: Path, say: Callable[[str], None]) -> None:
    """Ports and passwords into settings.toml; nothing is written before the ports have been found usable."""
    values: dict[str, dict[str, object]] = choose_ports(settings, say)
    values["postgres"]["passwords"] = new_passwords(settings)
    update_values(home, values)
