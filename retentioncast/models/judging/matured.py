"""Recalibration by what became of published predictions, once enough of them have met their horizon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from retentioncast.models.judging.choice import choose_curve
from retentioncast.models.judging.judgement import Evidence, with_chosen

LEAST_PREDICTIONS = 2_000
LEAST_DAYS = 3


def family_of(names: Iterable[str]) -> str:
    """What a family or stack is called beside its predictions: the members' names, in order."""
    return " + ".join(sorted(names))


def with_matured(evidence: Evidence, matured: pd.DataFrame) -> Evidence:
    """The evidence with the recalibration fitted on matured predictions, where there are enough of this family or
    stack (2,000 made on 3 days); else as it is, with that of the rolling origins.

    `matured`, one row a prediction: family, as_of (day), customer_id, uncalibrated, happened (1: nothing bought).
    """
    choice = evidence.choice
    own = matured[matured["family"] == family_of(choice.weights)] if len(matured) else matured
    if len(own) < LEAST_PREDICTIONS or own["as_of"].nunique() < LEAST_DAYS:
        return evidence
    told, none = (own[name].to_numpy(dtype=np.float64) for name in ("uncalibrated", "happened"))
    day, customer = (own[name].to_numpy(dtype=np.int64) for name in ("as_of", "customer_id"))
    curve, gain, _ = choose_curve(told, none, day, customer)
    held_out = choice.mixed if curve is None else curve(choice.mixed)
    chosen = replace(choice, curve=curve, curve_gain=gain, held_out=held_out, curve_from="matured predictions")
    return replace(evidence, choice=chosen, windows=with_chosen(evidence.windows, chosen))
