"""What is going to be written: the writes of some ticks in event-time order, and the truth that belongs to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

# The writes a shop makes; the first four are inserts.
CUSTOMER = "customer"
SUBSCRIPTION = "subscription"
TRANSACTION = "transaction"
SESSION = "session"
CHANGE_PLAN = "change_plan"
CANCEL = "cancel"
CORRECT_AMOUNT = "correct_amount"
CORRECT_TIME = "correct_time"
CHANGE_EMAIL = "change_email"
DELETE_ORDER = "delete_order"
MERGE = "merge"

Value = str | int | None


class Write(NamedTuple):
    """One row's change: when (microseconds), what kind, and the values in the order of the statement."""

    at: int
    kind: str
    row: tuple[Value, ...]


class Act(NamedTuple):
    """Something that will happen at a known time. Tuples sort by due time, then by number: the agenda's order."""

    due: int
    number: int
    kind: str
    customer_id: int
    subject_id: int | None = None
    amount: int | None = None
    rest: int | None = None
    plan: str | None = None
    billing_period: str | None = None
    anchor: int | None = None
    ends_at: int | None = None
    reason: str | None = None


class Truth(NamedTuple):
    """One customer as only the simulator knows it; a row of truth.customers. Times in microseconds."""

    customer_id: int
    segment: str
    created_at: int
    died_at: int
    purchase_rate: float
    session_rate: float
    mean_spend: float
    spend_shape: float
    promotion_sensitivity: float
    refund_probability: float
    plan: str | None = None
    subscription_ends_at: int | None = None
    cancel_reason: str | None = None


@dataclass(slots=True)
class Counters:
    """The next number of each kind, and how many customers have arrived (duplicates aside)."""

    customer: int = 1
    subscription: int = 1
    transaction: int = 1
    session: int = 1
    act: int = 1
    arrived: int = 0

    def take(self, name: str, count: int = 1) -> int:
        """Reserve `count` numbers; the first of them."""
        first: int = getattr(self, name)
        setattr(self, name, first + count)
        return first


@dataclass(slots=True)
class Plan:
    """The writes of one or several whole ticks, and what the truth looks like after them."""

    writes: list[Write] = field(default_factory=list)
    #: So many writes have been written.
    position: int = 0
    #: The end of the last tick, in microseconds, and the number of the next one.
    until: int = 0
    next_tick: int = 0
    newcomers: list[Truth] = field(default_factory=list)
    added: dict[int, Act] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    #: (customer, the one it was merged into, when)
    merged: list[tuple[int, int, int]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return self.position >= len(self.writes)

    def finish_act(self, act: Act) -> None:
        """Take the act from the agenda; one that was added by this plan never gets there."""
        if self.added.pop(act.number, None) is None:
            self.done.append(act.number)


def cents(amount: int) -> str:
    """Whole cents as Postgres reads a numeric."""
    return f"{amount // 100}.{amount % 100:02d}"
