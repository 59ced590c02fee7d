"""Contracts: how long subscribers stay, by renewals survived; import names from `retentioncast.models`."""

from __future__ import annotations
