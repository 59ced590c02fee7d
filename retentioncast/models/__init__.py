"""The statistics: arrays and frames in, numbers out. Names are imported when first used, so start-up stays quick."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retentioncast.models.btyd.beta_geo import BetaGeo
    from retentioncast.models.btyd.beta_geometric_beta_binomial import BetaGeometricBetaBinomial
    from retentioncast.models.btyd.families import FAMILIES
    from retentioncast.models.btyd.gamma_gamma import GammaGamma
    from retentioncast.models.btyd.gamma_gompertz_nbd import GammaGompertzNBD
    from retentioncast.models.btyd.modified_beta_geo import ModifiedBetaGeo
    from retentioncast.models.btyd.pareto_nbd import ParetoNBD
    from retentioncast.models.btyd.transactions import summary_from_transactions
    from retentioncast.models.clv.config import CLVConfig
    from retentioncast.models.clv.convergence import ConvergenceDiagnostics
    from retentioncast.models.clv.diagnostics import check_trace
    from retentioncast.models.clv.hierarchical import HierarchicalCLV
    from retentioncast.models.clv.individual.model import IndividualCLV
    from retentioncast.models.clv.preprocessing import CLVDataPreprocessor
    from retentioncast.models.clv.residual_value import customer_lifetime_value
    from retentioncast.models.clv.scores import score_repeat_buyers
    from retentioncast.models.clv.tuning import AutoTuner
    from retentioncast.models.populations.mixture import Mixture
    from retentioncast.models.subscription.shifted_beta_geometric import ShiftedBetaGeometric
    from retentioncast.models.survival.subscription_survival import SubscriptionSurvival
    from retentioncast.models.uncertainty.priors import LogNormal

_HOMES = {
    "AutoTuner": "retentioncast.models.clv.tuning",
    "CLVConfig": "retentioncast.models.clv.config",
    "CLVDataPreprocessor": "retentioncast.models.clv.preprocessing",
    "ConvergenceDiagnostics": "retentioncast.models.clv.convergence",
    "IndividualCLV": "retentioncast.models.clv.individual.model",
    "HierarchicalCLV": "retentioncast.models.clv.hierarchical",
    "check_trace": "retentioncast.models.clv.diagnostics",
    "BetaGeo": "retentioncast.models.btyd.beta_geo",
    "BetaGeometricBetaBinomial": "retentioncast.models.btyd.beta_geometric_beta_binomial",
    "FAMILIES": "retentioncast.models.btyd.families",
    "GammaGamma": "retentioncast.models.btyd.gamma_gamma",
    "GammaGompertzNBD": "retentioncast.models.btyd.gamma_gompertz_nbd",
    "LogNormal": "retentioncast.models.uncertainty.priors",
    "Mixture": "retentioncast.models.populations.mixture",
    "ModifiedBetaGeo": "retentioncast.models.btyd.modified_beta_geo",
    "ParetoNBD": "retentioncast.models.btyd.pareto_nbd",
    "ShiftedBetaGeometric": "retentioncast.models.subscription.shifted_beta_geometric",
    "SubscriptionSurvival": "retentioncast.models.survival.subscription_survival",
    "customer_lifetime_value": "retentioncast.models.clv.residual_value",
    "score_repeat_buyers": "retentioncast.models.clv.scores",
    "summary_from_transactions": "retentioncast.models.btyd.transactions",
}

__all__ = [
    "FAMILIES",
    "AutoTuner",
    "BetaGeo",
    "BetaGeometricBetaBinomial",
    "CLVConfig",
    "CLVDataPreprocessor",
    "ConvergenceDiagnostics",
    "GammaGamma",
    "GammaGompertzNBD",
    "HierarchicalCLV",
    "IndividualCLV",
    "LogNormal",
    "Mixture",
    "ModifiedBetaGeo",
    "ParetoNBD",
    "ShiftedBetaGeometric",
    "SubscriptionSurvival",
    "check_trace",
    "customer_lifetime_value",
    "score_repeat_buyers",
    "summary_from_transactions",
]


def __getattr__(name: str) -> object:
    """Import a public name from its own file at first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
