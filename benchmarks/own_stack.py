"""A native stack of the benchmark's own: its home, its ports, no demo; removed when the benchmark ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retentioncast.infra.migrate import migrate
from retentioncast.infra.settings import ENV_PREFIX
from retentioncast.infra.topics import ensure_topics
from retentioncast.stack.bring_up import prepare_pipeline
from retentioncast.stack.native import NativeStack, prepare_home
from retentioncast.stack.ports import free_ports
from retentioncast.stack.progress import quiet
from retentioncast.stack.settings_file import settings_of, update_values


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that Postgres's own account can enter too; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="retentioncast-bench-")).resolve()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def own_stack(capture: bool, **sections: Any) -> Iterator[NativeStack]:
    """Postgres, Kafka and the topics, and with `capture` Connect and the connector too; stopped at the end."""
    with own_folder() as home, _home_in_environment(home):
        update_values(home, _free_addresses())
        update_values(home, {"stack": {"kind": "native", "demo": False}, **sections})
        stack = NativeStack(prepare_home(settings_of(home), quiet()), quiet(), dict(os.environ))
        data = stack.postgres.data
        try:
            _start(stack, capture)
            yield stack
        finally:
            stack.down()
            shutil.rmtree(data.parent, ignore_errors=True)


def _start(stack: NativeStack, capture: bool) -> None:
    postgres, kafka, connect = stack.infrastructure()
    stack.ensure([postgres, kafka, connect] if capture else [postgres, kafka])
    if capture:
        prepare_pipeline(stack)
        return
    stack.postgres.create_database()
    migrate(stack.settings)
    ensure_topics(stack.settings)


def _free_addresses() -> dict[str, dict[str, object]]:
    with free_ports(3) as [postgres, kafka, connect]:
        return {
            "postgres": {"port": postgres},
            "kafka": {"bootstrap": f"127.0.0.1:{kafka}"},
            "connect": {"url": f"http://127.0.0.1:{connect}"},
        }


@contextlib.contextmanager
def _home_in_environment(home: Path) -> Iterator[None]:
    """Nobody else's settings reach the benchmark; the processes that it starts find this home."""
    before = {name: value for name, value in os.environ.items() if name.startswith(ENV_PREFIX)}
    for name in before:
        del os.environ[name]
    os.environ[f"{ENV_PREFIX}HOME"] = str(home)
    try:
        yield
    finally:
        del os.environ[f"{ENV_PREFIX}HOME"]
        os.environ.update(before)
