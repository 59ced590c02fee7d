"""river's logistic regression with a state that is JSON and comes back bit for bit."""

from __future__ import annotations

from river import linear_model, optim, utils

from retentioncast.models.online.config import OnlineConfig
from retentioncast.models.online.features import NAMES
from retentioncast.models.online.state import Json


class _FlooredDecay:
    """Steps that shrink with t, never below a floor: fast at the start, still learning years later.

    River only asks a scheduler for `get(t)`.
    """

    def __init__(self, config: OnlineConfig) -> None:
        self._first = config.learning_rate
        self._power = config.learning_rate_power
        self._floor = config.learning_rate_floor

    def get(self, t: int) -> float:
        """The step size at iteration t."""
        return max(self._floor, self._first / float((t + 1) ** self._power))


class Regression:
    """P(label 1) from the features of `features.NAMES` and a one-hot plan.

    SGD (Robbins and Monro 1951) has no state beside the number of steps, which is why it is used: momenta or
    squared gradients would double the state. All weights exist from the start, so that river's sums run over
    the same keys in the same order in a restored model: with floats, the order of a sum is part of its value.
    """

    def __init__(self, config: OnlineConfig) -> None:
        self._plans = tuple(f"plan_{bucket}" for bucket in range(config.plan_buckets))
        steps = _FlooredDecay(config)
        self._model = linear_model.LogisticRegression(optim.SGD(steps), intercept_lr=steps, l2=config.l2)
        self._set_weights(dict.fromkeys((*NAMES, *self._plans), 0.0))

    def predict(self, features: tuple[float, ...], plan_bucket: int) -> float:
        """Probability of label 1 as the model stands."""
        return float(self._model.predict_proba_one(self._x(features, plan_bucket))[True])

    def learn(self, features: tuple[float, ...], plan_bucket: int, label: bool) -> None:
        """One step of SGD on the log loss."""
        self._model.learn_one(self._x(features, plan_bucket), label)

    def to_json(self) -> Json:
        """Weights, intercept and the optimizer's number of steps."""
        return {
            "weights": self._model.weights,
            "intercept": self._model.intercept,
            "optimizer": {"name": "SGD", "n_iterations": self._model.optimizer.n_iterations},
        }

    def load(self, state: Json) -> None:
        """Take over what `to_json` saved."""
        saved: dict[str, float] = state["weights"]
        self._set_weights({name: saved[name] for name in (*NAMES, *self._plans)})
        self._model.intercept = state["intercept"]
        self._model.optimizer.n_iterations = state["optimizer"]["n_iterations"]

    def _set_weights(self, weights: dict[str, float]) -> None:
        self._model._weights = utils.VectorDict(weights)

    def _x(self, features: tuple[float, ...], plan_bucket: int) -> dict[str, float]:
        x = dict(zip(NAMES, features, strict=True))
        if plan_bucket >= 0:
            x[self._plans[plan_bucket]] = 1.0
        return x
