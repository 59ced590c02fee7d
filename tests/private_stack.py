"""A native stack of the tests' own: its home, ports and passwords; a demo that runs beside it is not touched."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retentioncast.infra.settings import ENV_PREFIX
from retentioncast.stack.native import NativeStack, prepare_home
from retentioncast.stack.ports import free_ports
from retentioncast.stack.progress import quiet
from retentioncast.stack.settings_file import settings_of, update_values

#: Two stacks and the tests share the machine.
SMALL = {"stack": {"kind": "native", "demo": False, "kafka_heap": "384m", "connect_heap": "384m"}}


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
        with free_ports(3) as [postgres, kafka, connect]:
            ports = {
                "postgres": {"port": postgres},
                "kafka": {"bootstrap": f"127.0.0.1:{kafka}"},
                "connect": {"url": f"http://127.0.0.1:{connect}"},
            }
        update_values(home, ports)
        update_values(home, SMALL)
        update_values(home, sections)
        stack = NativeStack(prepare_home(settings_of(home), quiet()), quiet(), clean_environment())
        data = stack.postgres.data
        try:
            yield stack
        finally:
            stack.down()
            shutil.rmtree(data.parent, ignore_errors=True)


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
