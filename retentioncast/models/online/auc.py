"""ROC AUC from counts of binned predictions: river's approximation at a fraction of its cost."""

from __future__ import annotations

from bisect import bisect_left

N_THRESHOLDS = 64


class BinnedAuc:
    """Area under the ROC curve over equally spaced thresholds (trapezoids), in O(1) an example.

    Equal to `river.metrics.ROCAUC(n_thresholds=64)` (a test says so), which updates a confusion matrix for
    each threshold, 25 microseconds an example; with river's default of 10 thresholds it is too coarse for
    churn probabilities that lie close together. The state is two lists of counts.
    """

    __slots__ = ("counts", "thresholds")

    def __init__(self) -> None:
        self.thresholds = [i / (N_THRESHOLDS - 1) for i in range(N_THRESHOLDS)]
        self.thresholds[0] -= 1e-7
        self.thresholds[-1] += 1e-7
        self.counts = [[0] * (N_THRESHOLDS + 1), [0] * (N_THRESHOLDS + 1)]

    def update(self, label: bool, probability: float) -> None:
        """Count a prediction under its label."""
        self.counts[label][bisect_left(self.thresholds, probability)] += 1

    def get(self) -> float | None:
        """The area, or None while only one label has been seen."""
        negatives, positives = sum(self.counts[0]), sum(self.counts[1])
        if not negatives or not positives:
            return None
        area = true_rate = false_rate = 0.0
        below = len(self.thresholds)
        true_above = false_above = 0
        for index in range(below, -1, -1):
            true_above += self.counts[1][index]
            false_above += self.counts[0][index]
            next_true, next_false = true_above / positives, false_above / negatives
            area += (next_false - false_rate) * (next_true + true_rate) / 2.0
            true_rate, false_rate = next_true, next_false
        return area
