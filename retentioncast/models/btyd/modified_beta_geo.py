"""MBG/NBD: as BG/NBD, but a customer may leave after the very first purchase too.

Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base analysis",
Int. J. of Research in Marketing 24(3); Hoppe & Wagner (2007) call it CBG/NBD; Platzer (2008) has the likelihood as

L = Gamma(r + x) alpha^r / (Gamma(r) B(a, b))
    (B(a, b + x + 1) (alpha + T)^-(r + x) + B(a + 1, b + x) (alpha + t_x)^-(r + x)),
P(alive) = 1 / (1 + a / (b + x) ((alpha + T) / (alpha + t_x))^(r + x)).
"""

from __future__ import annotations

from retentioncast.models.btyd.dropout import DropoutModel


class ModifiedBetaGeo(DropoutModel):
    """MBG/NBD with parameters r, alpha (in `time_unit`), a, b. One-time buyers fade with silence, as others do.

    Predictions take numbers or columns of m customers, or with `parameters` (n, 4) of `draw_parameters` give (n, m).

    >>> model = ModifiedBetaGeo()
    >>> model.params_ = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
    >>> model.probability_alive(0, 0.0, 38.9).round(2)
    np.float64(0.4)
    """

    family = "MBG/NBD"
    first_chances = 1
