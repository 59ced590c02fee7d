"""Which models to believe: rolling origins, measures, naive baselines, stacking, recalibration, and the gate."""

from __future__ import annotations
