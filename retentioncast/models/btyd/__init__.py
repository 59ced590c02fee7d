"""Buy till you die: one model a file, each from its marginal likelihood; import names from `retentioncast.models`."""

from __future__ import annotations
