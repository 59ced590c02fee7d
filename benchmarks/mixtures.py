"""Recovery: 200 random descriptions and the three examples, each sampled, fitted and compared with its truth.

A trial is a line of results/mixtures.jsonl; a run goes on where the last one stopped.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.stats import binom

from benchmarks.mixture_recovery import EXACT, LEVELS, Trial, run_trial
from benchmarks.random_populations import random_populations
from benchmarks.results import FOLDER, Claim, Result

logger = logging.getLogger(__name__)

EXAMPLES = Path(__file__).parents[1] / "examples" / "populations"
RANDOM, EACH_EXAMPLE = 200, 40
CUSTOMERS, DRAWS = 3000, 600
_BAND = 0.99
#: Parameters of which more than this of the posterior is still the prior.
_UNIDENTIFIED = 0.7

METHOD = """A trial draws mix and parameters from a description's prior, samples {customers:,} customers over two years,
fits them with that description, and asks where the truth lies in the posterior (importance draws; NUTS where Pareto's k
or their worth does not hold). A 50 % interval should then hold the truth in 50 % of all cases, and so on. The band is
the 99 % binomial one; parameters of one fit hang together, so it is also stated for one parameter a fit, drawn at
random. Constants are known exactly once seen and uniform bounds are given: both stand outside the coverage."""


def run_mixtures(most: int | None, folder: Path = FOLDER) -> Result:
    """At most so many further trials; the result of all that are there."""
    file = folder / "mixtures.jsonl"
    done = _read(file)
    known = {(trial["name"], trial["seed"]) for trial in done}
    left = [plan for plan in _plans() if plan[:2] not in known]
    for name, seed, populations in left if most is None else left[:most]:
        trial = run_trial(name, seed, populations, CUSTOMERS, DRAWS)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(trial.as_json()) + "\n")
        logger.info("%s %s: %s, %.1f s", name, seed, trial.source, trial.seconds)
    return _result([Trial(**trial) for trial in _read(file)])


def _plans() -> Iterator[tuple[str, int, Any]]:
    """Random ones and examples mixed, so that a part of a run is fair."""
    files = sorted(EXAMPLES.glob("*.yaml"))
    examples = [(file.stem, yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files]
    for seed in range(RANDOM):
        yield "random", seed, random_populations(np.random.default_rng([seed, 1]))
        if seed < EACH_EXAMPLE:
            for name, populations in examples:
                yield name, seed, populations


def _read(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _result(trials: Sequence[Trial]) -> Result:
    names = list(dict.fromkeys(trial.name for trial in trials))
    groups = {name: [trial for trial in trials if trial.name == name] for name in names}
    table = [row for name, group in groups.items() for row in _rows(name, group)]
    parts = {
        "random descriptions": [trial for trial in trials if trial.name == "random"],
        "the three examples": [trial for trial in trials if trial.name != "random"],
    }
    places = _all_places(trials)
    switched = sum(trial.switched or trial.out_of_order > 0 for trial in trials)
    failed = sum(bool(trial.failed) for trial in trials)
    seen = [abs(off) for trial in trials for off in trial.constants.values()]
    claims = [
        Claim(f"{name}, {level:.0%} intervals, {which}: outside the 99 % band", float(not _within(level, part)), 0, "")
        for name, group in parts.items()
        for which, part in (("all parameters", _all_places(group)), ("one a fit", _one_each(group)))
        for level in LEVELS
    ]
    claims += [
        Claim("fits in which labels switched", switched, 0, "fits"),
        Claim("fits that failed", failed, 0, "fits"),
        Claim("constants that were seen and are off by more than 0.1 %", sum(off > EXACT for off in seen), 0, ""),
        Claim("random descriptions fitted", len(groups.get("random", [])), RANDOM, "", at_least=True),
    ]
    measurements = {"kind": "places", "levels": LEVELS, "places": np.round(places, 4).tolist()}
    headings = ("trials", "parameters", "interval", "holds the truth in", "99 % band", "NUTS asked", "median fit, s")
    method = " ".join(METHOD.format(customers=CUSTOMERS).split()) + _identification(trials)
    return Result("mixtures", "Populations: is what was described found again?", method, headings, table, claims,
                  measurements)  # fmt: skip


def _rows(name: str, trials: Sequence[Trial]) -> Iterator[tuple[str, ...]]:
    places = _all_places(trials)
    asked = sum(trial.source == "nutpie" for trial in trials)
    middle = float(np.median([trial.seconds for trial in trials]))
    for level in LEVELS:
        low, high = band(level, places.size)
        yield (
            f"{name} ({len(trials)})", f"{places.size:,}", f"{level:.0%}", f"{covered(level, places):.1%}",
            f"{low:.1%} – {high:.1%}", str(asked), f"{middle:.1f}",
        )  # fmt: skip


def covered(level: float, places: Any) -> float:
    """The share of truths within the central interval."""
    return float(np.mean(np.abs(np.asarray(places) - 0.5) <= level / 2)) if len(places) else 0.0


def band(level: float, n: int) -> tuple[float, float]:
    """Between which shares of n an honest interval stays in 99 % of all runs."""
    low, high = binom.interval(_BAND, max(n, 1), level)
    return float(low / max(n, 1)), float(high / max(n, 1))


def _within(level: float, places: Any) -> bool:
    low, high = band(level, len(places))
    return low <= covered(level, places) <= high


def _all_places(trials: Sequence[Trial]) -> Any:
    """Of a mix of two the second share is the first one's mirror, of any mix the last follows: it is left out."""
    found = []
    for trial in trials:
        mixes = [name for name in trial.places if name.startswith("mix.")]
        found += [place for name, place in trial.places.items() if name not in mixes[-1:]]
    return np.array(found)


def _one_each(trials: Sequence[Trial]) -> Any:
    rng = np.random.default_rng(1)
    each = [_all_places([trial]) for trial in trials]
    return np.array([rng.choice(places) for places in each if places.size])


def _identification(trials: Sequence[Trial]) -> str:
    parts = [part for trial in trials for part in trial.overlap.values()]
    poor = [part for part in parts if part >= _UNIDENTIFIED]
    held = sum(trial.held for trial in trials)
    return (
        f" Of {len(parts):,} parameters {len(poor):,} are not identified (70 % or more of their posterior is their "
        f"prior) and are said to be so; {held} constants were not seen and were held."
    )
