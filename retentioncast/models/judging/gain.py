"""Whether one contender is clearly better than another: a paired difference and its error, customer by customer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean difference a prediction, and its standard error."""

    mean: float
    error: float

    def is_clear(self, errors: float, material: float = 0.0) -> bool:
        """Above `material` and above so many standard errors."""
        return self.mean > material and self.mean > errors * self.error

    def is_clear_loss(self, errors: float, material: float = 0.0) -> bool:
        """The same below zero."""
        return Gain(-self.mean, self.error).is_clear(errors, material)


def paired_gain(better: Floats, base: Floats, customer: Integers) -> Gain:
    """Gain of scores (n,) over others for the same predictions (n,).

    A customer is in several windows, whose outcomes hang together: the error counts customers, not predictions.
    """
    difference = better - base
    mean = float(difference.mean())
    codes, _ = pd.factorize(customer)
    of_customer = np.bincount(codes, weights=difference - mean)
    return Gain(mean, float(np.sqrt(np.sum(of_customer**2)) / difference.size))
