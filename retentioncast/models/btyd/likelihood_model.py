"""What every model that is fitted by its likelihood holds: parameters, errors, draws, and its form as JSON."""

from __future__ import annotations

import json
from abc import ABC
from typing import Any, ClassVar, Self

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.optimum import maximise
from retentioncast.models.stored import SCHEMA_VERSION, NotFitted, content_hash, read_content


class LikelihoodModel(ABC):
    """A model with positive parameters, fitted by maximum likelihood on grouped rows.

    After `fit`: `params_` (name to value), `log_likelihood_`, `standard_errors_` (name to value, by the delta
    method), `covariance_` (k, k) of the log parameters in the order of `parameter_names`, `n_groups_`, `n_customers_`.
    """

    parameter_names: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        self.params_: dict[str, float] = {}
        self.standard_errors_: dict[str, float] = {}
        self.covariance_: Floats = np.empty((0, 0))
        self.log_likelihood_: float = float("nan")
        self.n_groups_: int = 0
        self.n_customers_: int = 0

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them."""
        return {}

    def draw_parameters(self, n: int, seed: int) -> Floats:
        """Draws (n, k) of the parameters by Laplace's approximation: normal on the log parameters."""
        centre = np.log(self._fitted_values())
        noise = np.random.default_rng(seed).multivariate_normal(centre, self.covariance_, size=n, method="cholesky")
        return np.exp(noise)

    def to_json(self) -> str:
        """The fitted model as JSON with a schema version and a hash; floats come back bit for bit."""
        self._fitted_values()
        content = {
            "schema_version": SCHEMA_VERSION,
            "model": type(self).__name__,
            "settings": self.settings(),
            "params": self.params_,
            "standard_errors": self.standard_errors_,
            "covariance": self.covariance_.tolist(),
            "log_likelihood": self.log_likelihood_,
            "n_groups": self.n_groups_,
            "n_customers": self.n_customers_,
        }
        return json.dumps(content | {"hash": content_hash(content)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote. Raises DamagedModel for another model, version or hash."""
        content = read_content(text, cls.__name__)
        model = cls(**content["settings"])
        model.params_ = {name: content["params"][name] for name in cls.parameter_names}
        model.standard_errors_ = {name: content["standard_errors"][name] for name in cls.parameter_names}
        model.covariance_ = np.array(content["covariance"], dtype=np.float64)
        model.log_likelihood_ = content["log_likelihood"]
        model.n_groups_, model.n_customers_ = content["n_groups"], content["n_customers"]
        return model

    def _fitted_values(self) -> Floats:
        if not self.params_:
            raise NotFitted(f"this {type(self).__name__} holds no parameters.", "Call fit, or load it with from_json.")
        return np.array([self.params_[name] for name in self.parameter_names])

    def _columns(self, parameters: Floats | None) -> tuple[Floats, ...]:
        """Each parameter as () or, of draws (n, k), as (n, 1): ready to broadcast against customers (m,)."""
        values = self._fitted_values() if parameters is None else np.asarray(parameters, dtype=np.float64)
        return tuple(values) if values.ndim == 1 else tuple(column[:, None] for column in values.T)

    def _fit_likelihood(self, likelihood: Likelihood) -> Self:
        """Find the maximum in scaled units; take it over in the data's own."""
        starts = [np.log(np.array(start)) for start in likelihood.starts]
        optimum = maximise(likelihood.objective(), starts, self.parameter_names, likelihood.n_customers)
        values = np.exp(optimum.log_parameters) * likelihood.units
        errors = values * np.sqrt(np.diag(optimum.covariance))
        self.params_ = dict(zip(self.parameter_names, values.tolist(), strict=True))
        self.standard_errors_ = dict(zip(self.parameter_names, errors.tolist(), strict=True))
        self.covariance_ = optimum.covariance
        self.log_likelihood_ = float(optimum.log_likelihood - likelihood.log_unit_sum)
        self.n_groups_, self.n_customers_ = likelihood.n_groups, round(likelihood.n_customers)
        return self
