"""How long subscriptions last: Kaplan-Meier and Cox by lifelines; what is kept and predicted from is plain numbers."""

from __future__ import annotations
