"""Partial pooling: segments that each have their own parameters and lend each other strength, for any family."""

from __future__ import annotations
