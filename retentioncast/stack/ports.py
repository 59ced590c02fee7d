"""Finds free ports on loopback, and who holds one that is not free."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class PortHolder:
    """The process that listens on a port. An ordinary user cannot see the processes of others: then no pid."""

    pid: int | None
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command})" if self.pid else "a process of another user"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True when a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Different ports, free now; held until the block ends so that none is given twice."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind((LOOPBACK, 0))
        yield [probe.getsockname()[1] for probe in sockets]


def holder(port: int) -> PortHolder:
    """Who listens on this port."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        connections = []
    for found in connections:
        if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid:  # type: ignore[union-attr]
            return PortHolder(found.pid, _command(found.pid))
    return PortHolder(None, "")


def _command(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        return " ".join(process.cmdline())[:120] or process.name()
    except psutil.Error:
        return "already gone"
