"""What is told of customers and segments, on what it rests, and how a fitted model is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.clv.config import CLVConfig, InvalidConfig
from retentioncast.models.clv.hierarchical import HierarchicalCLV
from retentioncast.models.clv.segment_value import INTERVALS
from retentioncast.models.columns import InvalidColumn
from retentioncast.models.stored import DamagedModel, NotFitted
from tests.unit.models.clv.made_up import CUSTOMERS, make_value


def test_each_prediction_says_what_it_rests_on() -> None:
    told = make_value().predict(CUSTOMERS)
    assert told["basis"].tolist() == ["own", "segment", "own", "population", "population"]
    assert told["segment"].tolist()[:3] == ["ads", "ads", "search"] and told.loc[15, "segment"] == "mail"
    assert make_value(CLVConfig(min_transactions=5)).predict(CUSTOMERS)["basis"].tolist()[0] == "segment"


def test_intervals_are_nested_and_finite() -> None:
    told = make_value().predict(CUSTOMERS)
    assert np.isfinite(told[["residual_value", *INTERVALS]].to_numpy()).all()
    for low, high in (("50", "80"), ("80", "95")):
        assert (told[f"residual_value_low_{high}"] <= told[f"residual_value_low_{low}"]).all()
        assert (told[f"residual_value_high_{high}"] >= told[f"residual_value_high_{low}"]).all()


def test_the_order_of_the_rows_changes_no_number() -> None:
    forth, back = make_value().predict(CUSTOMERS), make_value().predict(CUSTOMERS[::-1])
    pd.testing.assert_frame_equal(forth, back[::-1])


def test_a_customers_number_does_not_depend_on_other_segments() -> None:
    alone = make_value().predict(CUSTOMERS[CUSTOMERS["segment"] == "search"])
    pd.testing.assert_frame_equal(alone, make_value().predict(CUSTOMERS).loc[[13]])


def test_a_segments_row_sums_its_customers_and_tells_what_a_new_one_is_worth() -> None:
    model = make_value()
    customers, segments = model.predict(CUSTOMERS), model.predict_segments(CUSTOMERS)
    assert segments.loc["ads", "residual_value"] == pytest.approx(customers.loc[[11, 12], "residual_value"].sum())
    assert segments["customers"].to_dict() == {"": 2, "ads": 2, "search": 1}
    assert segments.loc[["", "ads"], "basis"].tolist() == ["population", "segment"]
    newcomer = CUSTOMERS.loc[[14]].assign(segment="ads")
    expected = model.predict(newcomer)["residual_value"].iloc[0]
    assert segments.loc["ads", "new_customer_value"] == pytest.approx(expected)


def test_it_is_kept_in_a_file_and_comes_back_to_the_bit(tmp_path: Path) -> None:
    model, path = make_value(), tmp_path / "value.nc"
    model.save(path)
    again = HierarchicalCLV.load(str(path))
    pd.testing.assert_frame_equal(again.predict(CUSTOMERS), model.predict(CUSTOMERS))
    assert again.config == model.config


def test_a_file_that_was_changed_is_refused() -> None:
    data = make_value().to_bytes()
    flipped = data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]
    for changed in (flipped, data.replace(b"BG/NBD", b"BG/NBE"), b"no netCDF"):
        with pytest.raises(DamagedModel):
            HierarchicalCLV.from_bytes(changed)


def test_without_a_fit_there_is_nothing_to_tell() -> None:
    with pytest.raises(NotFitted):
        HierarchicalCLV().predict(CUSTOMERS)
    with pytest.raises(NotFitted):
        HierarchicalCLV().fit()
    with pytest.raises(InvalidConfig, match="BG/NBD"):
        HierarchicalCLV(family="Pareto")


def test_too_few_customers_and_one_without_a_segment_are_named() -> None:
    with pytest.raises(NotEnoughData, match="there are 5 and 3"):
        HierarchicalCLV().build_model(CUSTOMERS)
    many = pd.concat([CUSTOMERS.iloc[[0, 2, 4]]] * 5, ignore_index=True)
    with pytest.raises(NotEnoughData, match="there are 20 and 0"):
        HierarchicalCLV().build_model(pd.concat([CUSTOMERS.iloc[[1]]] * 20, ignore_index=True))
    many.loc[3, "segment"] = None
    with pytest.raises(InvalidColumn, match="row 3: None names no segment"):
        HierarchicalCLV().build_model(many)
