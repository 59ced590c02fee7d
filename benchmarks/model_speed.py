"""Speed of the models: point fit, posterior and scoring, side by side with lifetimes and with pymc-marketing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.models.families import FAMILIES
from benchmarks.models.runs import (
    HUGE,
    LARGE,
    LIFETIMES,
    MIDDLE,
    OURS,
    PYMC,
    SMALL,
    WORK,
    Measured,
    measure_missing,
)  # fmt: skip
from benchmarks.results import Claim, Result

METHOD = """BG/NBD on shops of two years (CDNOW's parameters, first purchases on any day, purchases by the day), the
same rows for each contender. `fit`: the maximum of the likelihood (lifetimes: its BetaGeoFitter). `posterior`:
importance draws around the mode, against NUTS by nutpie in pymc-marketing's BetaGeoModel, 4 chains of 500 draws after
500 of tuning, with our priors. `score`: P(alive) and expected purchases within 90 days of every customer over the same
200 draws, with mean and 80 % interval. A contender is a process of its own for each task, turn by turn; compiling is
told apart (before the first fit ever {cold:.1f} s here, {warm:.1f} s from numba's cache, pymc-marketing {pymc:.0f} s).
The machine was busy with other things, so ratios are of the seconds that a process had a core (all its threads), and
the clock's stand beside them. NUTS on 100,000 rows was run once (of its process's 395 s of a core the 37 that compiling
took by the clock are left out). Its chains share two cores, the weights of our draws two threads. The other models:
100,000 customers, by the day and with no two repeat buyers alike."""

PlaceOf = dict[tuple[str, str, int], list[Measured]]


def run_model_speed(rounds: int = 3, work: Path = WORK) -> Result:
    """What is still missing of the runs is measured; the result tells of all."""
    every = measure_missing(rounds, work)
    found = by_kind([each for each in every if not each.asked.cold])
    cold = next(each.warm_up_s for each in every if each.asked.cold)
    warm = median(each.warm_up_s for each in found[OURS, "fit", MIDDLE])
    pymc = found[PYMC, "posterior", MIDDLE][0].warm_up_s
    method = " ".join(METHOD.format(cold=cold, warm=warm, pymc=pymc).split())
    agreement = compare(work / str(MIDDLE))
    headings = ("contender", "task", "customers", "seconds of a core", "by the clock", "peak memory, MB", "runs")
    measurements = {"kind": "growth", "seconds": _plotted(found)}
    table = list(_rows(found))
    return Result("models", "Speed of the models", method, headings, table, claims(found, agreement), measurements)


def by_kind(every: Sequence[Measured]) -> PlaceOf:
    """Runs by contender, task and number of customers."""
    found: PlaceOf = {}
    for each in every:
        found.setdefault((each.asked.contender, each.asked.task, each.asked.customers), []).append(each)
    return found


def compare(folder: Path) -> dict[str, float]:
    """How far the contenders' answers lie from each other."""
    theirs, ours = np.load(folder / "draws.npy"), np.load(folder / "our_draws.npy")
    away = np.abs(theirs.mean(axis=0) - ours.mean(axis=0)) / theirs.std(axis=0)
    fitted = np.load(folder / "fitted.npy") / np.load(folder / "fitted_lifetimes.npy") - 1
    scores = np.abs(np.load(folder / "our_scores.npy") - np.load(folder / "pymc_marketing_scores.npy"))
    return {"posterior": float(away.max()), "fit": float(np.abs(fitted).max()), "scores": float(scores.max())}


def claims(found: PlaceOf, agreement: dict[str, float]) -> list[Claim]:
    """The aims, as ratios of seconds of a core."""

    def ratio(slow: tuple[str, str, int], quick: tuple[str, str, int]) -> float:
        return cpu(found[slow]) / cpu(found[quick])

    growth = [
        Claim(f"BG/NBD, {task}: {large:,} customers / {small:,}", ratio((OURS, task, large), (OURS, task, small)), 10.5)
        for task in ("fit", "posterior", "score") for small, large in ((MIDDLE, LARGE), (LARGE, HUGE))
    ]  # fmt: skip
    memory = _memory(found[OURS, "score", HUGE]) / HUGE * 1024
    return [
        Claim("BG/NBD, fit of 100,000 customers: lifetimes / ours", ratio((LIFETIMES, "fit", MIDDLE),
              (OURS, "fit", MIDDLE)), 15, at_least=True),
        Claim("BG/NBD, fit: ours of 1,000,000 customers / lifetimes of 50,000", ratio((OURS, "fit", LARGE),
              (LIFETIMES, "fit", SMALL)), 1),
        Claim("BG/NBD, posterior of 100,000 customers: pymc-marketing / ours", ratio((PYMC, "posterior", MIDDLE),
              (OURS, "posterior", MIDDLE)), 40, at_least=True),
        Claim("BG/NBD, posterior means apart, at most", agreement["posterior"], 0.1, "standard deviations"),
        Claim("BG/NBD, scores of 100,000 customers over 200 draws: pymc-marketing / ours", ratio(
              (PYMC, "score", MIDDLE), (OURS, "score", MIDDLE)), 15, at_least=True),
        Claim("BG/NBD, the same scores apart, at most", agreement["scores"], 1e-9, ""),
        Claim("BG/NBD, fitted parameters from lifetimes', at most", agreement["fit"], 1e-4, "relative"),
        *growth,
        Claim("Scoring 10,000,000 customers: all its memory, a customer", memory, 0.5, "KB"),
    ]  # fmt: skip


def cpu(runs: Sequence[Measured]) -> float:
    """Median seconds of a core."""
    return median(run.cpu_s for run in runs)


def _memory(runs: Sequence[Measured]) -> float:
    return max(run.memory_mb for run in runs)


def _rows(found: PlaceOf) -> Iterator[tuple[str, ...]]:
    order = sorted(found, key=lambda kind: (kind[1] in FAMILIES, kind[1] == "score", kind[1] == "posterior", kind[2]))
    for contender, task, customers in order:
        runs = found[contender, task, customers]
        named = f"fit, {task}" if task in FAMILIES else task
        clock = median(run.seconds for run in runs)
        figures = (f"{customers:,}", f"{cpu(runs):.3g}", f"{clock:.3g}", f"{_memory(runs):,.0f}", str(len(runs)))
        yield (contender, named, *figures)


def _plotted(found: PlaceOf) -> dict[str, list[list[float]]]:
    """Of each contender and task of BG/NBD: customers and seconds of a core."""
    lines: dict[str, list[list[float]]] = {}
    for (contender, task, customers), runs in sorted(found.items(), key=lambda item: item[0][2]):
        if task not in FAMILIES:
            lines.setdefault(f"{task}, {contender}", []).append([customers, cpu(runs)])
    return lines
