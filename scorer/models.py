"""Stacks as they are published or kept in the model store, and back: the models that a run predicts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from retentioncast.core.errors import InvalidInput
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.judging.backtest import Families
from retentioncast.models.judging.recalibration import Curve
from retentioncast.models.judging.stack import Stack
from retentioncast.models.stored import read_kind
from scorer.part import Member, Storable


def rebuild(members: Sequence[Member], recalibration: Curve | None, families: Families) -> Stack | None:
    """The published stack; None when nothing of repeat buying is in force.

    Raises InvalidInput for a family that this version does not know.
    """
    if not members:
        return None
    return Stack([_model(member, families) for member in members], [member.weight for member in members], recalibration)


def storable(stack: Stack) -> Storable:
    """What the model store keeps of a stack: a model that stands alone as it is, else the whole stack."""
    alone = len(stack.members) == 1 and stack.recalibrate is None
    return cast(Storable, stack.members[0]) if alone else stack


def read_stored(text: str, families: Families) -> Stack:
    """The stack that the model store kept; a model that stood alone has weight 1.

    Raises DamagedModel when it was changed, InvalidInput for a family that this version does not know.
    """
    kind = read_kind(text)
    if kind == Stack.__name__:
        return Stack.from_json(text, families)
    by_class = {family.__name__: family for family in families.values()}
    if kind not in by_class:
        raise InvalidInput(f"The pinned model is a {kind}, which this version does not know.", "Promote another one.")
    return Stack([cast(PurchaseModel, by_class[kind].from_json(text))], [1.0])


def _model(member: Member, families: Families) -> PurchaseModel:
    if member.family not in families:
        raise InvalidInput(
            f"The run in force predicts with {member.family}, which this version does not know.",
            "It is not compared with; the next run will be.",
        )
    model = families[member.family](time_unit=member.time_unit)
    model.params_ = {name: member.parameters[name] for name in model.parameter_names}
    return cast(PurchaseModel, model)
