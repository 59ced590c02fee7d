"""The demo shop's customers as data: a mixture of segments, each a set of distributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.distributions import Distribution, beta, constant, exponential, gamma, inverse_gamma


@dataclass(frozen=True, slots=True)
class Subscribing:
    """How a segment subscribes: the share that does, what it takes, and when and why it leaves."""

    share: float
    plans: Mapping[str, float]
    yearly_share: float
    #: Days from start until the wish to cancel.
    days_to_cancel: Distribution
    #: True: it forgets to cancel, the subscription outlives the customer's activity.
    outlives_activity: bool
    reasons: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Segment:
    """One kind of customer. Rates are per day of event time, lifetimes in days, spend in the shop's currency."""

    name: str
    mix: float
    purchase_rate: Distribution
    lifetime: Distribution
    mean_spend: Distribution
    #: Shape of the gamma distribution of one order around the customer's own mean.
    spend_shape: float
    session_rate: Distribution
    promotion_sensitivity: Distribution
    refund_probability: float
    #: The share that buys when it signs up.
    first_order: float
    channels: Mapping[str, float]
    subscribing: Subscribing | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """A mixture of segments; the mix sums to 1."""

    segments: tuple[Segment, ...]
    #: Of those that arrive, so many are a second account of somebody who is already there.
    duplicate_share: float = 0.02
    prices: Mapping[tuple[str, str], int] = field(
        default_factory=lambda: {
            ("basic", "monthly"): 990, ("pro", "monthly"): 2900, ("enterprise", "monthly"): 9900,
            ("basic", "yearly"): 9900, ("pro", "yearly"): 29000, ("enterprise", "yearly"): 99000,
        }
    )  # fmt: skip

    def __post_init__(self) -> None:
        total = sum(segment.mix for segment in self.segments)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"The mix of the segments sums to {total}, not to 1.")


_ORGANIC = {"organic": 0.5, "referral": 0.3, "email": 0.1, "paid_search": 0.1}
_PAID = {"paid_search": 0.45, "social": 0.35, "organic": 0.2}
_WHY = {"price": 0.4, "not_used": 0.3, "competitor": 0.2, "service": 0.1}

DEMO_SHOP = Population(
    (
        Segment(
            "loyal_regulars", 0.22, gamma(3.0, 0.075), gamma(2.0, 700), inverse_gamma(6, 48), 4.0,
            gamma(2.0, 0.55), beta(1, 6), 0.02, 1.0, _ORGANIC,
            Subscribing(0.35, {"basic": 0.3, "pro": 0.5, "enterprise": 0.2}, 0.4, exponential(500), False, _WHY),
        ),
        Segment(
            "occasional", 0.28, gamma(1.2, 0.022), exponential(420), inverse_gamma(4, 60), 3.0,
            gamma(1.0, 0.16), beta(2, 5), 0.03, 0.95, _ORGANIC,
            Subscribing(0.05, {"basic": 0.8, "pro": 0.2}, 0.1, exponential(200), False, _WHY),
        ),
        Segment(
            "bargain_hunters", 0.18, gamma(1.5, 0.03), exponential(260), inverse_gamma(5, 26), 2.0,
            gamma(1.5, 0.35), beta(8, 2), 0.08, 0.9, _PAID,
        ),
        Segment(
            "early_cancellers", 0.10, gamma(1.0, 0.02), exponential(90), inverse_gamma(4, 35), 3.0,
            gamma(1.0, 0.3), beta(2, 4), 0.04, 0.5, _PAID,
            Subscribing(0.95, {"basic": 0.6, "pro": 0.35, "enterprise": 0.05}, 0.02, gamma(6, 60), False,
                        {"price": 0.3, "not_used": 0.5, "missing_feature": 0.2}),
        ),
        Segment(
            "forgot_to_cancel", 0.07, gamma(1.0, 0.02), exponential(50), inverse_gamma(4, 40), 3.0,
            gamma(1.0, 0.25), beta(1, 6), 0.01, 0.6, _ORGANIC,
            Subscribing(0.98, {"basic": 0.5, "pro": 0.4, "enterprise": 0.1}, 0.15, gamma(2, 330), True,
                        {"noticed": 0.7, "card_expired": 0.3}),
        ),
        Segment(
            "one_and_done", 0.15, constant(0.0), exponential(12), inverse_gamma(4, 32), 3.0,
            gamma(1.0, 0.3), beta(3, 3), 0.06, 1.0, _PAID,
        ),
    )
)  # fmt: skip
