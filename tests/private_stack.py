"""A native stack of the tests' own: its home, ports and passwords; a demo that runs beside it is not touched."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ENV_PREFIX
from retentioncast.stack.native import NativeStack, prepare_home
from retentioncast.stack.orphans import processes_of
from retentioncast.stack.part import Part
from retentioncast.stack.paths import Paths
from retentioncast.stack.ports import free_ports
from retentioncast.stack.progress import quiet
from retentioncast.stack.settings_file import settings_of, update_values
from retentioncast.stack.supervision import Supervisor

#: A stack of the tests lives for minutes: the JVM's second compiler would take more time than its code saves. Measured
#: from the start to a past of 300 customers in the tables: 9 s of processor time instead of 15.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"
#: Two stacks and the tests share the machine.
SMALL = {"stack": {"kind": "native", "demo": False, "kafka_heap": "384m", "connect_heap": "384m"}}


class PrivateStack(NativeStack):
    """Its Postgres never waits for the disk: by that a process that is killed loses nothing, a machine would."""

    def ensure(self, parts: Sequence[Part]) -> None:
        super().ensure(parts)
        if self.postgres.name in [part.name for part in parts]:
            with connect(self.settings, "owner", dbname="postgres", autocommit=True) as connection:
                connection.execute("alter system set fsync = off")
                connection.execute("select pg_reload_conf()")


@contextlib.contextmanager
def private_home() -> Iterator[Path]:
    """A folder that Postgres's own account can enter too; removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="retentioncast-test-")).resolve()
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def private_stack(**sections: Any) -> Iterator[NativeStack]:
    """A stack that has its settings and nothing running yet; whatever gets started is stopped at the end."""
    with private_home() as home:
        with free_ports(3) as [postgres, kafka, worker]:
            ports = {
                "postgres": {"port": postgres},
                "kafka": {"bootstrap": f"127.0.0.1:{kafka}"},
                "connect": {"url": f"http://127.0.0.1:{worker}"},
            }
        update_values(home, ports)
        update_values(home, SMALL)
        update_values(home, sections)
        stack = PrivateStack(prepare_home(settings_of(home), quiet()), quiet(), clean_environment())
        data = stack.postgres.data
        try:
            yield stack
        finally:
            end(home)
            shutil.rmtree(data.parent, ignore_errors=True)


def end(home: Path) -> None:
    """Every process of this home, at once and without a word: nobody needs its data any more.

    `down` stops one part after the other, each in order; tests/e2e/test_stack.py has it. First the supervisor, who
    would start anew what is killed; Postgres ends by QUIT, which gives its shared memory back.
    """
    if supervisor := Supervisor(Paths(home)).pid():
        os.kill(supervisor, signal.SIGKILL)
    left = processes_of(home)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGQUIT if process.name() == "postgres" else signal.SIGKILL)
    psutil.wait_procs(left, 30)
    assert processes_of(home) == []


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
