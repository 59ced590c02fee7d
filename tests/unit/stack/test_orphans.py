"""Parts without a supervisor end in order, and those that do not listen end all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retentioncast.stack.orphans import processes_of, stop_all, unsupervised
from retentioncast.stack.supervision import MARK

#: Tells that it is there, and at its end who it was.
POLITE = """
import os, signal, sys, time
def end(*_):
    with open(sys.argv[1], "a") as told:
        told.write(os.environ["RETENTIONCAST_PART"] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
print(flush=True)
time.sleep(600)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"


class Home:
    """Processes that say that they are parts of this home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ended = folder / "ended"
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, program: str = POLITE) -> None:
        environment = {**os.environ, MARK: name, "RETENTIONCAST_HOME": str(self.folder)}
        command = [sys.executable, "-c", program, str(self.ended)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        self.started.append(process)
        assert process.stdout is not None
        process.stdout.readline()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    for process in home.started:
        process.kill()
        process.communicate()


def test_what_others_need_ends_after_them(home: Home) -> None:
    for name in ("postgres", "kafka", "connect", "scorer"):
        home.start(name)
    assert {part.name for part in unsupervised(home.folder)} == {"postgres", "kafka", "connect", "scorer"}
    stop_all(processes_of(home.folder))
    ended = home.ended.read_text().split()
    assert (set(ended[:2]), set(ended[2:])) == ({"scorer", "connect"}, {"kafka", "postgres"})
    assert processes_of(home.folder) == []


def test_one_that_does_not_listen_is_ended(home: Home) -> None:
    home.start("kafka", DEAF)
    stop_all(processes_of(home.folder), deadline_s=0.2)
    assert processes_of(home.folder) == []
