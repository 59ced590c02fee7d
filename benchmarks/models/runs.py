"""Which contender does what to which shop, each in a process of its own, one after the other, kept as they come."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.models.environment import make_environment
from benchmarks.models.families import FAMILIES
from benchmarks.models.shops import write_shop
from retentioncast.core.errors import StackError

logger = logging.getLogger(__name__)

WORK = Path(__file__).parents[1] / ".work" / "models"
SMALL, MIDDLE, LARGE, HUGE = 50_000, 100_000, 1_000_000, 10_000_000
OURS, LIFETIMES, PYMC = "RetentionCast", "lifetimes", "pymc-marketing"
_ROOT, _THREADS = Path(__file__).parents[2], ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Asked:
    """A task for one process."""

    contender: str
    task: str
    customers: int
    round: int
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it: seconds by the clock and of a core; before these, warming up; at most so much memory."""

    asked: Asked
    seconds: float
    cpu_s: float
    warm_up_s: float
    memory_mb: float
    ess: float = float("nan")


def all_runs(rounds: int) -> Iterator[Asked]:
    """Turn by turn, so that whatever else the machine does falls on all; NUTS on 100,000 rows once: it takes long."""
    yield Asked(OURS, "fit", MIDDLE, 0, cold=True)
    for number in range(rounds):
        for customers, contender in ((MIDDLE, OURS), (MIDDLE, LIFETIMES), (LARGE, OURS), (SMALL, LIFETIMES)):
            yield Asked(contender, "fit", customers, number)
        for task in ("posterior", "score"):
            yield Asked(OURS, task, MIDDLE, number)
            if number == 0 or task == "score":
                yield Asked(PYMC, task, MIDDLE, number)
            yield Asked(OURS, task, LARGE, number)
        for name in FAMILIES:
            yield Asked(OURS, name, MIDDLE, number)
    for task in ("fit", "posterior", "score"):
        yield Asked(OURS, task, HUGE, 0)


def measure_missing(rounds: int, work: Path = WORK) -> list[Measured]:
    """All of them; those that an earlier call came to are not measured again."""
    work.mkdir(parents=True, exist_ok=True)
    file = work / "measured.jsonl"
    known = {measured.asked: measured for measured in read_measured(file)}
    for asked in all_runs(rounds):
        if asked not in known:
            known[asked] = _measure(asked, work)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(known[asked])) + "\n")
            logger.info("%s", known[asked], extra={"action": "measure"})
    return [known[asked] for asked in all_runs(rounds)]


def read_measured(file: Path) -> list[Measured]:
    """What has been measured by now."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Measured(**{**row, "asked": Asked(**row["asked"])}) for row in rows]


def _measure(asked: Asked, work: Path) -> Measured:
    folder = work / str(asked.customers)
    write_shop(folder, asked.customers)
    with tempfile.TemporaryDirectory() as empty:
        environment = os.environ | dict.fromkeys(_THREADS, "1")
        if asked.cold:
            environment["NUMBA_CACHE_DIR"] = empty
        done = subprocess.run(
            [*_command(asked), str(folder), *(["once"] if asked.customers > MIDDLE else [])],
            cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise StackError(f"{asked} ended with status {done.returncode}.", "What it said stands above.")
    return Measured(asked, **json.loads(done.stdout.splitlines()[-1]))


def _command(asked: Asked) -> list[str]:
    if asked.contender == PYMC:
        return [str(make_environment()), str(Path(__file__).with_name("pymc_marketing_task.py")), asked.task]
    task = f"{asked.task}_lifetimes" if asked.contender == LIFETIMES else asked.task
    return [sys.executable, "-m", "benchmarks.models.tasks", task]
