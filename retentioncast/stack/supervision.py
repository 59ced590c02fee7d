"""Speaks with supervisord, the process that keeps the parts of the native stack running."""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import subprocess
import sys
import xmlrpc.client
from datetime import UTC, datetime
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from retentioncast.core.errors import StackError
from retentioncast.stack.part import PartStatus, Program
from retentioncast.stack.paths import Paths, render
from retentioncast.stack.waiting import wait_until_empty

#: Stands in the environment of every process that we start, beside RETENTIONCAST_HOME: ours, also without a parent.
MARK = "RETENTIONCAST_PART"
ALREADY_STARTED, NOT_RUNNING, BAD_NAME = 60, 70, 10
ALIVE = ("running", "starting", "backoff")


class Supervisor:
    """The supervisord of one home: started when it does not run, asked through its unix socket."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def pid(self) -> int | None:
        """The process id, or None when it does not answer."""
        try:
            return int(self._rpc().getPID())
        except (OSError, xmlrpc.client.Error):
            return None

    def ensure(self) -> None:
        """Start it unless it runs."""
        if self.pid() is not None:
            return
        self.paths.socket.unlink(missing_ok=True)
        configuration = self._write_configuration()
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        left = wait_until_empty(lambda: "" if self.pid() else "the supervisor does not answer", 15)
        if done.returncode or left:
            raise StackError(
                f"The supervisor did not start: {(done.stderr or done.stdout).strip() or left}.",
                f"Its log is {self.paths.log('supervisord')}.",
            )

    def apply(self, program: Program) -> None:
        """Make a program known as it is described now; when its description changed, it is stopped."""
        file = self.paths.programs / f"{program.name}.conf"
        text = _program_text(program, self.paths)
        known = any(status.name == program.name for status in self.parts())
        if known and file.exists() and file.read_text(encoding="utf-8") == text:
            return
        _write_private(file, text)
        self._reload(program.name, known)

    def forget(self, name: str) -> None:
        """Stop a part and take it off the list."""
        (self.paths.programs / f"{name}.conf").unlink(missing_ok=True)
        if any(status.name == name for status in self.parts()):
            self.stop(name)
            self._rpc().reloadConfig()
            self._rpc().removeProcessGroup(name)

    def start(self, name: str) -> None:
        """Start a part; one that waits for its next try is tried now."""
        if self.state(name) == "backoff":
            self.stop(name)
        with _expecting(ALREADY_STARTED):
            self._rpc().startProcess(name, False)

    def stop(self, name: str) -> None:
        """Stop a part and wait for its end."""
        with _expecting(NOT_RUNNING):
            self._rpc().stopProcess(name, True)

    def state(self, name: str) -> str:
        """The state of a part; stopped when it is not known."""
        return next((status.state for status in self.parts() if status.name == name), "stopped")

    def parts(self) -> list[PartStatus]:
        """Every part that the supervisor knows, in order of start; none when it does not run."""
        try:
            rows: list[dict[str, Any]] = self._rpc().getAllProcessInfo()
        except (OSError, xmlrpc.client.Error):
            return []
        return [_status(row) for row in rows]

    def shutdown(self, deadline_s: float) -> None:
        """Stop every part, last started first, then the supervisor itself."""
        pid = self.pid()
        if pid is None:
            return
        process = psutil.Process(pid)
        self._rpc().shutdown()
        try:
            process.wait(deadline_s)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)

    def _reload(self, name: str, known: bool) -> None:
        self._rpc().reloadConfig()
        if known:
            self.stop(name)
            self._rpc().removeProcessGroup(name)
        self._rpc().addProcessGroup(name)

    def _write_configuration(self) -> os.PathLike[str]:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        text = render(
            "supervisord.conf",
            identifier=f"retentioncast-{self.paths.key}",
            log=_plain(self.paths.log("supervisord")),
            pidfile=_plain(self.paths.run / "supervisord.pid"),
            home=_plain(self.paths.home),
            minfds=65536 if most == resource.RLIM_INFINITY else min(most, 65536),
            user_line="user = root" if os.geteuid() == 0 else "",
            socket=_plain(self.paths.socket),
            programs=_plain(self.paths.programs),
        )
        return _write_private(self.paths.run / "supervisord.conf", text)

    def _rpc(self) -> Any:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self.paths.socket}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor


@contextlib.contextmanager
def _expecting(code: int) -> Any:
    try:
        yield
    except xmlrpc.client.Fault as fault:
        if fault.faultCode == BAD_NAME:
            raise StackError("The stack has no such part.", "See `retentioncast status`.") from fault
        if fault.faultCode != code:
            raise StackError(f"The supervisor refused: {fault.faultString}.", "See `retentioncast logs`.") from fault


def _status(row: dict[str, Any]) -> PartStatus:
    since = datetime.fromtimestamp(row["start"], UTC) if row["pid"] else None
    detail = row["description"] if row["statename"] not in ("RUNNING", "STOPPED") else ""
    return PartStatus(row["name"], row["statename"].lower(), row["pid"] or None, since, detail)


def _program_text(program: Program, paths: Paths) -> str:
    environment = {**program.environment, MARK: program.name, "RETENTIONCAST_HOME": str(paths.home)}
    return render(
        "program.conf",
        name=program.name,
        command=_plain(shlex.join(program.command)),
        directory=_plain(program.directory),
        environment=",".join(f"{name}={_quoted(name, value)}" for name, value in sorted(environment.items())),
        priority=program.priority,
        start_s=program.start_s,
        stop_signal=program.stop_signal,
        stop_wait_s=program.stop_wait_s,
        log=_plain(paths.log(program.name)),
        user_line=f"user = {program.user}" if program.user else "",
    )


def _plain(value: object) -> str:
    return str(value).replace("%", "%%")


def _quoted(name: str, value: str) -> str:
    # Supervisor's reader knows both kinds of quotes and no way to escape either.
    quote = next((quote for quote in "\"'" if quote not in value), "")
    if not quote or "\n" in value:
        raise StackError(f"{name} has both kinds of quotes or a line break in it.", "Put it into settings.toml.")
    return f"{quote}{_plain(value)}{quote}"


def _write_private(file: os.PathLike[str], text: str) -> os.PathLike[str]:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    return file
