"""BG/NBD: purchases are Poisson while alive, and after each repeat purchase a customer may leave for good.

Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24(2): lambda ~ Gamma(r, alpha),
p ~ Beta(a, b). The log likelihood is their eq. 6, P(X(t) = n) eq. 8, E[X(t)] eq. 9, the expected purchases eq. 10;
P(alive) is eq. 5 of Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model".
"""

from __future__ import annotations

from retentioncast.models.btyd.dropout import DropoutModel


class BetaGeo(DropoutModel):
    """BG/NBD with parameters r, alpha (in `time_unit`), a, b. One-time buyers have P(alive) = 1.

    Predictions take numbers or columns of m customers, or with `parameters` (n, 4) of `draw_parameters` give (n, m).

    >>> model = BetaGeo().fit([2, 1, 0] * 10, [30.4, 1.7, 0.0] * 10, [38.9, 38.9, 38.9] * 10)
    >>> sorted(model.params_)
    ['a', 'alpha', 'b', 'r']
    """

    family = "BG/NBD"
    first_chances = 0
