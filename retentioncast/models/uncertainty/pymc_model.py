"""The grouped likelihood as PyMC takes it: an operation with a gradient, for priors that our own routes do not know.

PyMC and pytensor take seconds to import: import this file only where a model is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.uncertainty.priors import DAYS_PER_WEEK, LogNormal, centres, spreads

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable


class GroupedLikelihood(Op):  # type: ignore[misc]
    """Log likelihood of log parameters (segments, k) in the data's units, summed over the segments' own likelihoods.

    It runs in Python, kernel by kernel, whichever the backend: a kernel over thousands of rows outweighs that.
    """

    itypes = (pt.dmatrix,)
    otypes = (pt.dscalar, pt.dmatrix)

    def __init__(self, likelihoods: Sequence[Likelihood]) -> None:
        self.likelihoods = tuple(likelihoods)
        self.objectives = tuple(likelihood.objective() for likelihood in likelihoods)

    def make_node(self, log_parameters: Any) -> Any:
        return Apply(self, [pt.as_tensor_variable(log_parameters)], [pt.dscalar(), pt.dmatrix()])

    def perform(self, _node: Any, inputs: list[Floats], outputs: list[list[Any]]) -> None:
        value, gradient = self.evaluate(inputs[0])
        outputs[0][0], outputs[1][0] = np.asarray(value), gradient

    def evaluate(self, log_parameters: Floats) -> tuple[float, Floats]:
        """Log likelihood and its gradient (segments, k)."""
        total, gradient = 0.0, np.zeros_like(log_parameters)
        with np.errstate(over="ignore"):  # a trajectory that goes so far has diverged
            for i, likelihood in enumerate(self.likelihoods):
                value, gradient[i] = self.objectives[i](log_parameters[i] - np.log(likelihood.units))
                total += value - likelihood.log_unit_sum
        return total, gradient

    def pullback(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:
        """The gradient is the second output; it is not differentiated again."""
        return [cotangents[0] * outputs[1]]

    def L_op(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:  # noqa: N802
        return self.pullback(inputs, outputs, cotangents)


def log_likelihood_of(likelihoods: Sequence[Likelihood], log_parameters: TensorVariable) -> TensorVariable:
    """The summed log likelihood as a tensor that PyMC can differentiate once; see `GroupedLikelihood`."""
    return GroupedLikelihood(likelihoods)(log_parameters)[0]


def pymc_model(
    likelihood: Likelihood, priors: Mapping[str, LogNormal], days_per_unit: float = DAYS_PER_WEEK
) -> pm.Model:
    """The same posterior as `fit(..., method="nuts")` as a PyMC model, its parameters by name: pm.sample takes it."""
    with pm.Model() as model:
        logs = [
            pm.Normal(f"log_{name}", centre, spread)
            for name, centre, spread in zip(priors, centres(priors, days_per_unit), spreads(priors), strict=True)
        ]
        for name, log in zip(priors, logs, strict=True):
            pm.Deterministic(name, pt.exp(log))
        pm.Potential("log_likelihood", log_likelihood_of([likelihood], pt.stack(logs)[None, :]))
    return model
