"""Hierarchical value of customers and segments: refitted on its own period, in a process of its own."""

from __future__ import annotations
