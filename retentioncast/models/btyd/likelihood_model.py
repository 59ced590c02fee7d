"""What every model that is fitted by its likelihood holds: parameters, errors, draws, and its form as JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self, Unpack

import numpy as np

from retentioncast.core.errors import NotEnoughData, RetentionCastError
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.grouping import Groups, thin
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.stored import SCHEMA_VERSION, NotFitted, content_hash, read_content
from retentioncast.models.uncertainty.fitting import Fit, Fitting, Method, fit_by, fit_priors, method_of
from retentioncast.models.uncertainty.posterior import Posterior
from retentioncast.models.uncertainty.priors import DAYS_PER_WEEK, LogNormal, priors_of

#: With more rows than this, the hills of the likelihood are looked for in so many that stand for them.
_MANY_ROWS, _SAMPLE_ROWS = 10_000, 4_000


class LikelihoodModel(ABC):
    """A model with positive parameters, fitted on grouped rows by maximum likelihood or with priors.

    After `fit`: `params_` (name to value: the maximum, or the posterior's mode), `log_likelihood_` there,
    `standard_errors_` (name to value, by the delta method), `covariance_` (k, k) of the log parameters in the order of
    `parameter_names`, `n_groups_`, `n_customers_`, `method_`, `notes_` (what was done, in words).
    With draws: `posterior_`, whose spread is what the errors and the covariance are then.
    `prior_only_`: there was too little data to fit, so all of it is the priors.
    """

    parameter_names: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        self.params_: dict[str, float] = {}
        self.standard_errors_: dict[str, float] = {}
        self.covariance_: Floats = np.empty((0, 0))
        self.log_likelihood_: float = float("nan")
        self.n_groups_: int = 0
        self.n_customers_: int = 0
        self.method_: Method = "mle"
        self.notes_: tuple[str, ...] = ()
        self.prior_only_: bool = False
        self.posterior_: Posterior | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters of this fit in order: `parameter_names`, and what covariates add."""
        return self.parameter_names

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them."""
        return {}

    def days_per_unit(self) -> float:
        """Days in the unit in which the model counts time; priors are told in weeks."""
        return DAYS_PER_WEEK

    def priors(self, chosen: Mapping[str, LogNormal] | None = None) -> dict[str, LogNormal]:
        """The prior of each parameter, those chosen in place of the defaults."""
        return priors_of(type(self).__name__, self.names, chosen)

    def draw_parameters(self, n: int, seed: int) -> Floats:
        """Draws (n, k): of the posterior, else by Laplace's approximation, normal on the log parameters."""
        if self.posterior_ is not None:
            return self.posterior_.draw(n, seed)
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
            "method": self.method_,
            "notes": list(self.notes_),
            "prior_only": self.prior_only_,
            "posterior": None if self.posterior_ is None else self.posterior_.to_content(),
        } | self._more_content()
        return json.dumps(content | {"hash": content_hash(content)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote. Raises DamagedModel for another model, version or hash."""
        content = read_content(text, cls.__name__)
        model = cls(**content["settings"])
        model._restore(content)
        model.params_ = {name: content["params"][name] for name in model.names}
        model.standard_errors_ = {name: content["standard_errors"][name] for name in model.names}
        model.covariance_ = np.array(content["covariance"], dtype=np.float64)
        model.log_likelihood_ = content["log_likelihood"]
        model.n_groups_, model.n_customers_ = content["n_groups"], content["n_customers"]
        model.method_, model.notes_ = content["method"], tuple(content["notes"])
        model.prior_only_ = content["prior_only"]
        if content["posterior"] is not None:
            model.posterior_ = Posterior.from_content(content["posterior"], model.names)
        return model

    def _fitted_values(self) -> Floats:
        if not self.params_:
            raise NotFitted(f"this {type(self).__name__} holds no parameters.", "Call fit, or load it with from_json.")
        return np.array([self.params_[name] for name in self.names])

    def _more_content(self) -> dict[str, Any]:
        """What a fit holds beyond this class, as JSON can hold it."""
        return {}

    def _restore(self, content: Mapping[str, Any]) -> None:
        """Take what `_more_content` wrote."""
        return

    def _columns(self, parameters: Floats | None) -> tuple[Floats, ...]:
        """Each parameter as () or, of draws (n, k), as (n, 1): ready to broadcast against customers (m,)."""
        values = self._fitted_values() if parameters is None else np.asarray(parameters, dtype=np.float64)
        return tuple(values) if values.ndim == 1 else tuple(column[:, None] for column in values.T)

    @abstractmethod
    def _likelihood(self, groups: Groups) -> Likelihood:
        """The model's likelihood of distinct rows with weights."""

    def _likelihood_of(self, groups: Groups) -> Likelihood:
        """That of the rows that were fitted to, whatever columns they have before the model's own."""
        return self._likelihood(groups)

    def _fit_groups(self, groups: Groups, **how: Unpack[Fitting]) -> Self:
        """Fit to distinct rows with weights, as asked."""
        likelihood = self._likelihood_of(groups)
        if groups.size > _MANY_ROWS:
            likelihood = replace(likelihood, sample=self._likelihood_of_few(groups))
        fit = fit_by(likelihood, self.priors(how.get("priors")), self.days_per_unit(), how)
        self.n_groups_, self.n_customers_ = likelihood.n_groups, round(likelihood.n_customers)
        return self._take_over(fit)

    def _likelihood_of_few(self, groups: Groups) -> Likelihood | None:
        """That of some rows that stand for all; None where so few rows do not tell the model's parts apart."""
        try:
            return self._likelihood_of(thin(groups, _SAMPLE_ROWS))
        except RetentionCastError:
            return None

    def _fit_priors(self, why: NotEnoughData, **how: Unpack[Fitting]) -> Self:
        """Where there is too little data: the priors, marked as such. By maximum likelihood that is an error."""
        if method_of(how) == "mle":
            raise why
        self.n_groups_, self.n_customers_ = 0, 0
        return self._take_over(fit_priors(self.priors(how.get("priors")), self.days_per_unit(), why.message, how))

    def _take_over(self, fit: Fit) -> Self:
        errors = fit.values * np.sqrt(np.diag(fit.covariance))
        self.params_ = dict(zip(self.names, fit.values.tolist(), strict=True))
        self.standard_errors_ = dict(zip(self.names, errors.tolist(), strict=True))
        self.covariance_, self.log_likelihood_ = fit.covariance, fit.log_likelihood
        self.method_, self.notes_ = fit.method, fit.notes
        self.posterior_, self.prior_only_ = fit.posterior, fit.prior_only
        return self
