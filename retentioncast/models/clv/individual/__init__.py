"""The hierarchical value with a parameter for each customer: nothing is integrated out."""

from __future__ import annotations
