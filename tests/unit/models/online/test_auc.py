"""The binned AUC against river's own, and against the count of pairs."""

from __future__ import annotations

import random

import pytest
from river import metrics

from retentioncast.models.online.auc import N_THRESHOLDS, BinnedAuc


def _examples(n: int) -> list[tuple[bool, float]]:
    rng = random.Random(8)
    labels = [rng.random() < 0.3 for _ in range(n)]
    return [(label, rng.betavariate(3, 4) if label else rng.betavariate(2, 5)) for label in labels]


def test_the_area_equals_rivers_with_as_many_thresholds() -> None:
    ours, theirs = BinnedAuc(), metrics.ROCAUC(n_thresholds=N_THRESHOLDS)
    for label, probability in [*_examples(2_000), (True, 0.0), (False, 1.0), (True, 1.0), (False, 0.0)]:
        ours.update(label, probability)
        theirs.update(label, probability)
    assert ours.get() == pytest.approx(theirs.get(), abs=1e-12)


def test_the_area_is_close_to_the_share_of_ordered_pairs() -> None:
    auc, examples = BinnedAuc(), _examples(600)
    for label, probability in examples:
        auc.update(label, probability)
    positives = [p for label, p in examples if label]
    negatives = [p for label, p in examples if not label]
    pairs = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    assert auc.get() == pytest.approx(pairs / (len(positives) * len(negatives)), abs=2e-3)


def test_there_is_no_area_before_both_labels_were_seen() -> None:
    auc = BinnedAuc()
    assert auc.get() is None
    auc.update(True, 0.4)
    assert auc.get() is None
