"""Time and memory of each step of `./setup.sh --native` from a fresh clone to the first scores."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.own_stack import own_folder
from benchmarks.results import Claim, Result
from retentioncast.core.errors import StackError
from retentioncast.infra.settings import ENV_PREFIX
from retentioncast.stack.orphans import processes_of
from retentioncast.stack.paths import CHECKOUT

logger = logging.getLogger(__name__)
MOST_S = 180.0
SAMPLE_EVERY_S = 0.5
_BEGINS, _ENDS = re.compile(r"^→ (.+) …$"), re.compile(r"^ +✓ ")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what setup.sh called it, and from when to when (seconds since its start)."""

    title: str
    from_s: float
    to_s: float


@dataclass(slots=True)
class Memory:
    """Samples the memory of all processes of a set-up, shared pages counted once (PSS) where the system tells."""

    pid: int
    home: Path
    begun: float
    at_s: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(SAMPLE_EVERY_S):
            self.at_s.append(round(time.monotonic() - self.begun, 2))
            self.memory_mb.append(round(sum(map(_bytes, self._processes())) / 2**20, 1))

    def peak_mb(self, step: Step) -> float:
        """The most that was seen during a step."""
        return max((mb for at, mb in zip(self.at_s, self.memory_mb, strict=True)
                    if step.from_s <= at <= step.to_s + SAMPLE_EVERY_S), default=0.0)  # fmt: skip

    def _processes(self) -> set[psutil.Process]:
        found: set[psutil.Process] = set()
        with contextlib.suppress(psutil.Error):
            found |= {psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)}
        for process in processes_of(self.home):
            with contextlib.suppress(psutil.Error):
                found |= {process, *process.children(recursive=True)}
        return found


def _bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
        return int(getattr(memory, "pss", memory.rss))
    except psutil.Error:
        return 0


def run_setup() -> Result:
    """Clone, set up with empty caches, and take down again."""
    with own_folder() as folder:
        clone, environment = folder / "clone", _environment(folder)
        begun = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
        cloned = Step("git clone", 0.0, time.monotonic() - begun)
        try:
            steps, memory = _set_up(clone, environment, begun)
        finally:
            down = [str(clone / ".venv" / "bin" / "retentioncast"), "down"]
            with contextlib.suppress(OSError):
                subprocess.run(down, env=environment, check=False, capture_output=True)
    return judge([cloned, *steps], memory)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing that this machine has fetched before counts: empty caches for pip, uv, Maven and our jars."""
    own = {name: value for name, value in os.environ.items() if not name.startswith((ENV_PREFIX, "VIRTUAL_ENV"))}
    maven = f"{own.get('MAVEN_OPTS', '')} -Dmaven.repo.local={folder / 'm2'}".strip()
    return {
        **own,
        f"{ENV_PREFIX}HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PIP_CACHE_DIR": str(folder / "cache" / "pip"),
        "UV_CACHE_DIR": str(folder / "cache" / "uv"),
        "MAVEN_OPTS": maven,
        "MAVEN_USER_HOME": str(folder / "m2-home"),
        "PYTHONUNBUFFERED": "1",
    }


def _set_up(clone: Path, environment: dict[str, str], begun: float) -> tuple[list[Step], Memory]:
    command, stop = ["./setup.sh", "--native"], threading.Event()
    with subprocess.Popen(
        command, cwd=clone, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as started:
        memory = Memory(started.pid, Path(environment[f"{ENV_PREFIX}HOME"]), begun)
        watcher = threading.Thread(target=memory.watch, args=(stop,), daemon=True)
        watcher.start()
        said: list[str] = []
        steps = list(read_steps(_told(started.stdout or (), said), lambda: time.monotonic() - begun))
        code = started.wait()
    stop.set()
    watcher.join()
    if code:
        raise StackError(f"./setup.sh ended with {code}: {''.join(said[-8:])}", "See what it said.")
    return steps, memory


def _told(lines: Iterable[str], said: list[str]) -> Iterator[str]:
    for line in lines:
        said.append(line)
        logger.info("%s", line.rstrip(), extra={"action": "setup"})
        yield line


def read_steps(lines: Iterable[str], now_s: Callable[[], float]) -> Iterator[Step]:
    """The steps that setup.sh tells of, as they end. A step inside another ends first."""
    begun: list[tuple[str, float]] = []
    for line in lines:
        if started := _BEGINS.match(line):
            begun.append((started.group(1), now_s()))
        elif _ENDS.match(line) and begun:
            title, at = begun.pop()
            yield Step(title, at, now_s())


def judge(steps: list[Step], memory: Memory) -> Result:
    """A row for each step; the whole as a claim."""
    total = steps[-1].to_s
    table = [(step.title, f"{step.to_s - step.from_s:.1f}", f"{memory.peak_mb(step):,.0f}") for step in steps]
    table.append(("**all, to the first scores**", f"{total:.1f}", f"{max(memory.memory_mb, default=0):,.0f}"))
    shown: list[dict[str, Any]] = [{"title": each.title, "from_s": each.from_s, "to_s": each.to_s} for each in steps]
    return Result(
        "setup",
        "Set-up: from a clone to the first scores",
        "`git clone` and `./setup.sh --native` with empty caches of pip, uv, Maven and our own; packages and jars come "
        "through the network. Memory is that of all processes of the set-up and the stack (shared pages counted once), "
        "looked at twice a second.",
        ("step", "seconds", "peak memory, MB"),
        table,
        [Claim("Set-up: from clone to the first scores", total, MOST_S, "s")],
        {"kind": "memory", "steps": shown, "total_s": total, "at_s": memory.at_s, "memory_mb": memory.memory_mb},
    )
