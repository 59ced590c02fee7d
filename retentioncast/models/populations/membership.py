"""Which segment a subscription belongs to, as a probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats

if TYPE_CHECKING:
    from retentioncast.models.populations.fitting import Draws
    from retentioncast.models.populations.mixture import Observed

#: So many draws are averaged; more change the third digit.
_DRAWS = 100


def membership(observed: Observed, draws: Draws, names: list[str]) -> pd.DataFrame:
    """customer_id, subscription_id and a column a segment; a row a subscription, in the order of its key."""
    shares = mean_shares(observed, draws)[observed.posterior.rows.row_of]
    subscriptions = observed.subscriptions
    keys = {"customer_id": subscriptions.customer_id, "subscription_id": subscriptions.key}
    return pd.DataFrame(keys | {name: shares[:, k] for k, name in enumerate(names)})


def mean_shares(observed: Observed, draws: Draws) -> Floats:
    """Each row's segment probabilities (m, K), averaged over the posterior."""
    some = thin(draws.flat, _DRAWS)
    total = sum(
        (observed.posterior.segment_shares(u) for u in some), np.zeros(observed.posterior.rows.attributes.shape)
    )
    return np.asarray(total / len(some))


def thin(draws: Floats, most: int) -> Floats:
    """At most so many draws, evenly spread."""
    return draws[np.linspace(0, len(draws) - 1, min(most, len(draws))).astype(np.int64)]
