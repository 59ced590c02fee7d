"""Customer lifetime value: what a customer is still worth, and the interval that what happens will lie in."""

from __future__ import annotations
