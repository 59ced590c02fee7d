"""The families of repeat buying that a shop's log can be fitted to, by their names in prose and in tables."""

from __future__ import annotations

from retentioncast.models.btyd.beta_geo import BetaGeo
from retentioncast.models.btyd.gamma_gompertz_nbd import GammaGompertzNBD
from retentioncast.models.btyd.modified_beta_geo import ModifiedBetaGeo
from retentioncast.models.btyd.pareto_nbd import ParetoNBD
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel

#: In continuous time, on the same (frequency, recency, T): their log likelihoods may be compared, their predictions
#: mixed. BG/BB counts opportunities instead of time, so it is no alternative to these.
FAMILIES: dict[str, type[RepeatBuyingModel]] = {
    family.family: family for family in (BetaGeo, ModifiedBetaGeo, ParetoNBD, GammaGompertzNBD)
}
