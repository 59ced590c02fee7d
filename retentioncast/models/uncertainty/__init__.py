"""How sure the parameters are: priors, the posterior and its certificate, and what stands in where data are few."""

from __future__ import annotations
