"""Online learning: each customer's live probability of no order within 30 days, learned as events pass."""

from __future__ import annotations

from retentioncast.models.online.churn import OnlineChurn
from retentioncast.models.online.config import OnlineConfig
from retentioncast.models.online.delta import Drift, OnlineDelta, Progress, Score
from retentioncast.models.online.events import Event, OrderPlaced, SessionStarted, SubscriptionChanged
from retentioncast.models.online.state import SCHEMA_VERSION, Json, OnlineStateUnusable

__all__ = [
    "SCHEMA_VERSION",
    "Drift",
    "Event",
    "Json",
    "OnlineChurn",
    "OnlineConfig",
    "OnlineDelta",
    "OnlineStateUnusable",
    "OrderPlaced",
    "Progress",
    "Score",
    "SessionStarted",
    "SubscriptionChanged",
]
