"""Pays for compiling and importing the models while there is nothing to score yet."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.settings import ScorerSettings
from retentioncast.models import BetaGeo, GammaGamma
from scorer.purchases import score_purchases
from scorer.subscriptions import score_subscriptions

logger = logging.getLogger(__name__)

_CUSTOMERS = 400


def warm_models() -> None:
    """Fit everything once to made-up customers; that it fails would be no reason not to begin."""
    try:
        score_purchases(_made_up_customers(), ScorerSettings(min_customers=2, draws=20))
        score_subscriptions(_made_up_subscriptions(), ScorerSettings())
    except RetentionCastError as error:
        logger.warning("The models are not warm: %s", error, extra={"action": "warm"})
    else:
        logger.info("The models are ready.", extra={"action": "warm"})


def _made_up_customers() -> pd.DataFrame:
    purchases, spend = BetaGeo(), GammaGamma()
    purchases.params_ = {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5}
    spend.params_ = {"p": 6.0, "q": 4.0, "v": 15.0}
    customers = purchases.sample(_CUSTOMERS, 39.0, seed=1)
    return customers.assign(monetary_value=spend.sample(_CUSTOMERS, customers["frequency"], seed=2)["monetary_value"])


def _made_up_subscriptions() -> pd.DataFrame:
    pro = np.arange(_CUSTOMERS) % 2
    days = np.random.default_rng(3).exponential(100.0 + 50.0 * pro)
    return pd.DataFrame(
        {
            "customer_id": np.arange(_CUSTOMERS),
            "plan": np.where(pro, "pro", "basic"),
            "billing_period": "monthly",
            "channel": "ads",
            "price": 9.0 + 20.0 * pro,
            "duration_days": np.floor(np.minimum(days, 200.0)),
            "event": (days < 200.0).astype(np.int64),
        }
    )
