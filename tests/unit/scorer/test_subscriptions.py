from __future__ import annotations

import pandas as pd
import pytest

from scorer.subscriptions import at_least_one


def test_a_customer_with_two_subscriptions_is_lost_only_when_both_end() -> None:
    survival = pd.DataFrame({"survival_30d": [0.5, 0.8, 0.9], "survival_60d": [0.0, 1.0, 0.0]}, index=[10, 11, 12])
    found = at_least_one(survival, pd.Series([1, 1, 2], index=[10, 11, 12]))
    assert found.index.tolist() == [1, 2]
    assert found["survival_30d"].tolist() == pytest.approx([0.9, 0.9])
    assert found["survival_60d"].tolist() == [1.0, 0.0]
