"""Members of a stack as they are published, and back: the models that a run in force predicts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from retentioncast.core.errors import InvalidInput
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.judging.backtest import Families
from retentioncast.models.judging.recalibration import Curve
from retentioncast.models.judging.stack import Stack
from scorer.part import Member, Recalibration


def rebuild(members: Sequence[Member], recalibrations: Sequence[Recalibration], families: Families) -> Stack | None:
    """The published stack; None when nothing of repeat buying is in force.

    Raises InvalidInput for a family that this version does not know.
    """
    if not members:
        return None
    curve = Curve(recalibrations[0].method, recalibrations[0].parameters) if recalibrations else None
    return Stack([_model(member, families) for member in members], [member.weight for member in members], curve)


def _model(member: Member, families: Families) -> PurchaseModel:
    if member.family not in families:
        raise InvalidInput(
            f"The run in force predicts with {member.family}, which this version does not know.",
            "It is not compared with; the next run will be.",
        )
    model = families[member.family](time_unit=member.time_unit)
    model.params_ = {name: member.parameters[name] for name in model.parameter_names}
    return cast(PurchaseModel, model)
