"""Diagnostics as pictures in files, and whether drawn shops look like the one that was seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from retentioncast.models.clv.convergence import ConvergenceDiagnostics
from retentioncast.models.clv.predictive_checks import check_predictions
from tests.unit.models.clv.made_up import make_value


def test_pictures_are_written_for_each_part(tmp_path: Path) -> None:
    model = make_value()
    traces = {name: pooled.to_inference_data() for name, pooled in model.pooled_.items()}
    diagnostics = ConvergenceDiagnostics()
    assert diagnostics.check_diagnostics(traces).pareto_k == 0.3 and not diagnostics.problems(traces)
    written = diagnostics.plot_diagnostics(traces, tmp_path)
    assert sorted(written) == sorted(path.name for path in tmp_path.iterdir()) and len(written) == 4
    assert (tmp_path / "spend_trace.png").read_bytes().startswith(b"\x89PNG")
    assert "mu[0], chain 0" in (tmp_path / "purchases_chains.html").read_text()


def test_a_shop_of_the_model_passes_the_predictive_checks_and_another_does_not() -> None:
    model = make_value()
    parts = [
        model.twin(model.pooled_["purchases"].of_segment(i).mean(axis=0), np.full(400, 50.0), i).assign(segment=name)
        for i, name in enumerate(model.segments_)
    ]
    summary = pd.concat(parts, ignore_index=True)
    told = check_predictions(model, summary, draws=60)
    assert len(told) == 6 and told["p"].between(0.01, 0.99).all()
    twice = check_predictions(model, summary.assign(frequency=3 * summary["frequency"]), draws=60)
    assert (twice.loc[twice["statistic"] == "repeat purchases, mean", "p"] < 0.01).all()
