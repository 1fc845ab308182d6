import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from kamlab import feature_list, features, scaling
from kamlab.errors import DataError


def tables():
    """Three accounts by hand: a regular buyer of long standing, a single order, a buyer of last year."""
    summary = pd.DataFrame(
        {
            "account": ["regular", "single", "young"],
            "first_purchase": pd.to_datetime(["2021-01-01", "2025-12-01", "2025-03-01"]),
            "last_purchase": pd.to_datetime(["2025-12-21", "2025-12-01", "2025-11-01"]),
            "days_since_last": [10, 30, 60],
            "purchase_days": [40, 1, 3],
            "trailing_purchase_days": [9, 1, 3],
            "previous_purchase_days": [8, 0, 0],
            "revenue": [4000.0, 500.0, 330.0],
            "trailing_revenue": [1400.0, 500.0, 330.0],
            "previous_revenue": [650.0, 0.0, 0.0],
            "median_gap": [40.0, np.nan, 100.0],
            "gap_cv": [0.25, np.nan, 1.0],
            "product_lines": [4, 1, 2],
            "return_rate": [0.0, 0.1, 0.0],
        }
    )
    forecast = pd.DataFrame(
        {
            "account": ["regular", "single", "young"],
            "expected_contribution": [300.0, 40.0, 90.0],
            "expected_purchases": [9.0, 1.0, 2.5],
            "p_alive": [0.99, 1.0, 0.8],
            "margin_rate": [0.2, 0.25, np.nan],
            "basis": "contribution",
        }
    )
    accounts = pd.DataFrame({"account": ["prospect", "regular", "single", "young"]})
    potential = pd.DataFrame(
        {
            "account": ["prospect", "regular", "single", "young"],
            "potential_source": ["declared", "declared", "own_peak", "unknown"],
            "headroom": [900.0, 120.0, 50.0, np.nan],
        }
    )
    return summary, forecast, accounts, potential


def test_features_computed_by_hand():
    table = features.build(*tables()).set_index("account")
    assert list(table.columns) == [f.name for f in features.FEATURES]
    absent = ["contribution_lower", "contribution_upper", "trailing_margin", "wallet_share", "volatility"]
    absent += ["discount_depth", "days_beyond_terms", "cost_to_serve"]
    assert table[absent].isna().all().all()
    assert list(table.index) == ["regular", "single", "young"]  # no prospect: it has no behaviour to compare
    expected = pd.DataFrame(
        {
            "expected_contribution": [300.0, 40.0, 90.0],
            "trailing_revenue": [1400.0, 500.0, 330.0],
            "p_alive": [0.99, 1.0, 0.8],
            "silence": [10.0, 30.0, 60.0],
            # mean order 100: (1400 + 100) / (650 + 100) = 2; the others are known for under 24 months
            "growth": [np.log(2), np.nan, np.nan],
            # the single order's 30 days are shorter than the usual gap (median of 40 and 100)
            "order_interval": [40.0, 70.0, 100.0],
            "regularity": [0.8, np.nan, 0.5],
            "tenure": [(1815 + 10) / 365, 30 / 365, (245 + 60) / 365],
            "purchase_days": [40.0, 1.0, 3.0],
            "breadth": [4.0, 1.0, 2.0],
            "margin_rate": [0.2, 0.25, np.nan],
            "return_rate": [0.0, 0.1, 0.0],
            "headroom": [120.0, np.nan, np.nan],  # an own peak says nothing about room to grow
        },
        index=pd.Index(["regular", "single", "young"], name="account"),
    )
    pd.testing.assert_frame_equal(table.drop(columns=absent), expected)


def test_a_log_without_amounts_is_compared_by_purchases():
    summary, forecast, *others = tables()
    forecast = forecast.assign(expected_contribution=np.nan, basis="purchases")
    assert features.build(summary, forecast, *others)["expected_contribution"].tolist() == [9.0, 1.0, 2.5]


def test_a_growing_number_of_orders_is_believed_more():
    summary, *others = tables()
    few, many = summary.copy(), summary.copy()
    few.loc[0, ["trailing_revenue", "previous_revenue", "revenue", "purchase_days"]] = [200, 100, 300, 3]
    many.loc[0, ["trailing_revenue", "previous_revenue", "revenue", "purchase_days"]] = [200, 100, 300, 30]
    growth = [features.build(s, *others)["growth"][0] for s in (few, many)]
    assert growth == pytest.approx([np.log(300 / 200), np.log(210 / 110)])


def test_an_account_that_bought_nothing_in_two_years_did_not_stay_the_same():
    summary, *others = tables()
    windows = ["trailing_revenue", "previous_revenue", "trailing_purchase_days", "previous_purchase_days"]
    summary.loc[0, windows] = 0
    assert np.isnan(features.build(summary, *others)["growth"][0])


def test_what_cannot_tell_accounts_apart_is_left_out_and_named():
    table = features.build(*tables())
    table["breadth"] = 0.0
    table["contribution_upper"] = [1.0, 2.0, np.inf]
    used, left_out = features.usable(table)
    assert left_out == {
        "growth": "known for less than half of the accounts",
        "headroom": "known for less than half of the accounts",
        "breadth": "the same for all accounts",
        "contribution_upper": "infinite for some accounts",
        **dict.fromkeys(
            ("p_alive", "regularity", "purchase_days", "margin_rate", "return_rate", "trailing_revenue"),
            "describes the segments, but does not make them",
        ),
        **dict.fromkeys(
            ("contribution_lower", "trailing_margin", "wallet_share", "volatility", "discount_depth"), "no data"
        ),
        **dict.fromkeys(("days_beyond_terms", "cost_to_serve"), "no data"),
    }
    assert used == ["expected_contribution", "silence", "order_interval", "tenure"]
    own = pd.DataFrame({"account": ["a", "b"], "visits": [1.0, 4.0]})
    assert features.usable(own) == (["visits"], {})


def test_the_scaler_names_infinite_features():
    table = features.build(*tables())[["silence"]]
    table.loc[1, "silence"] = np.inf
    with pytest.raises(DataError, match=r"silence \(1 accounts\)"):
        scaling.FeatureScaler().fit(table)


def test_what_other_tables_know_is_joined_and_the_product_mix_stands_last():
    summary, forecast, accounts, potential = tables()
    forecast = forecast.assign(contribution_lower=[200.0, 0.0, 10.0], cost_to_serve=[5.0, 0.0, np.nan])
    potential = potential.assign(potential_source=["declared", "fitted", "own_peak", "unknown"], wallet_share=0.5)
    table = features.build(
        summary,
        forecast,
        accounts,
        potential,
        mix=pd.DataFrame({"account": ["regular", "young"], "Feed": [0.75, 0.0], "Food": [0.25, 1.0]}),
        swings=pd.DataFrame({"account": ["regular"], "volatility": [0.4], "discount_depth": [0.1]}),
        payments=pd.DataFrame({"account": ["single"], "days_beyond_terms": [12.0]}),
    ).set_index("account")
    assert list(table.columns[-2:]) == ["mix_Feed", "mix_Food"]
    assert table.loc["regular", ["mix_Feed", "volatility", "discount_depth", "cost_to_serve"]].tolist() == [
        *(0.75, 0.4, 0.1, 5.0)
    ]
    assert table.loc["single", "days_beyond_terms"] == 12.0
    assert np.isnan(table.loc["single", "mix_Feed"])
    # an own peak gives neither share nor room, what is fitted does
    assert table["wallet_share"].notna().to_dict() == {"regular": True, "single": False, "young": False}
    assert table["headroom"].notna().to_dict() == {"regular": True, "single": False, "young": False}


@pytest.mark.parametrize(
    "column",
    [
        *("birthday", "contact_hobby", "Family", "owner phone", "生日", "客户爱好", "sinh nhật", "Cumpleaños", "name"),
        *("ContactPhone", "DateOfBirth", "phone1", "age", "ngay_sinh", "Giới tính", "CUMPLEAÑOS", "telefono", "年龄"),
    ],
)
def test_personal_data_is_refused(column):
    table = pd.DataFrame({"account": ["a", "b"], "visits": [1.0, 4.0], column: [1.0, 2.0]})
    with pytest.raises(DataError, match=f"Personal data is no feature of an account: {column}"):
        features.usable(table)


def test_numbers_that_only_sound_alike_are_no_personal_data():
    own = {"sexagesimal": [1.0, 2.0], "contract_age": [3.0, 4.0], "tuổi nợ": [30.0, 60.0], "账龄": [1.0, 5.0]}
    table = pd.DataFrame({"account": ["a", "b"], **own, "mix_Family packs": [0.1, 0.2]})
    assert features.usable(table)[0] == list(own)


def test_personal_columns_of_the_master_never_reach_the_features():
    summary, forecast, accounts, potential = tables()
    accounts = accounts.assign(birthday="1970-01-01", owner="Somebody", hobby="golf")
    assert features.build(summary, forecast, accounts, potential).equals(features.build(*tables()))


def test_text_is_no_feature():
    table = pd.DataFrame({"account": ["a", "b"], "colour": ["red", "blue"]})
    with pytest.raises(DataError, match="something else: colour"):
        features.usable(table)


def test_the_features_keep_the_conventions_of_scikit_learn():
    joined = features.join(*tables())
    maker = features.AccountFeatures()
    with pytest.raises(NotFittedError):
        maker.transform(joined)
    fitted = clone(maker).fit(joined)
    assert list(fitted.get_feature_names_out()) == [f.name for f in features.FEATURES]
    # one account alone is measured by the gaps of those in the fit: 70 days, not its own 30
    alone = fitted.transform(joined[joined["account"] == "single"])
    assert alone["order_interval"].tolist() == [70.0]


def test_the_fitted_transformation_is_kept_with_its_rule_for_missing_values():
    table = features.build(*tables())
    used, left_out = features.usable(table)
    scaler = scaling.FeatureScaler().fit(table[used])
    rules = scaling.rules(table, scaler, used, left_out).set_index("feature")
    assert list(rules.index) == list(table.columns.drop("account"))
    value = rules.loc["expected_contribution"]
    # median 90: ln(1 + x / 90) of 300, 40 and 90
    logs = np.log1p(np.array([300, 40, 90]) / 90)
    assert value[["transform", "log_unit", "used", "reason"]].tolist() == ["log", 90.0, True, ""]
    assert [value["centre"], value["scale"]] == pytest.approx([np.log(2), logs.std()])
    assert rules.loc["p_alive", ["used", "reason"]].tolist() == [
        False,
        "describes the segments, but does not make them",
    ]
    assert rules.loc["growth", "known"] == pytest.approx(1 / 3)
    assert np.isnan(rules.loc["growth", "centre"])


def scaled(**columns):
    frame = pd.DataFrame(columns)
    return scaling.FeatureScaler(log_features=("money",)).fit(frame).transform(frame)


def test_scaling_computed_by_hand():
    # the median amount is 10: ln(1 + x/10) of 0, 10, 90 with the sign of the value
    out = scaled(money=[-10.0, 0.0, 10.0, 10.0, 90.0], share=[0.0, 0.0, 1.0, 1.0, np.nan])
    logs = np.array([-np.log(2), 0, np.log(2), np.log(2), np.log(10)])
    np.testing.assert_allclose(out["money"], (logs - np.log(2)) / logs.std())
    # the missing share becomes the median of the known ones, 0.5
    np.testing.assert_allclose(out["share"], np.array([-0.5, -0.5, 0.5, 0.5, 0]) / np.sqrt(0.2))


def test_an_immaterial_spread_stays_small():
    frame = pd.DataFrame({"tenure": [1.00, 1.01, 1.02]})
    out = scaling.FeatureScaler().fit_transform(frame)["tenure"]
    np.testing.assert_allclose(out, [-0.02, 0.0, 0.02])  # in units of half a year, the feature's resolution


@settings(deadline=None, max_examples=50)
@given(
    values=hnp.arrays(float, st.integers(3, 40), elements=st.floats(-1e6, 1e6).map(lambda v: round(v, 2))),
    factor=st.sampled_from([0.01, 3.0, 24_000.0]),
)
def test_scaled_features_are_finite_bounded_and_free_of_currency(values, factor):
    if len(np.unique(values)) < 2:
        return
    here, there = scaled(money=values), scaled(money=values * factor)
    assert np.isfinite(here.to_numpy()).all()
    assert (here.abs() <= scaling.MAX_DEVIATIONS).all().all()
    np.testing.assert_allclose(here, there, rtol=1e-6, atol=1e-9)
    order = np.argsort(values, kind="stable")
    assert (np.diff(here["money"].to_numpy()[order]) >= -1e-12).all()


def test_the_scaler_keeps_the_conventions_of_scikit_learn():
    frame = features.build(*tables())[["expected_contribution", "p_alive"]]
    scaler = scaling.FeatureScaler()
    with pytest.raises(NotFittedError):
        scaler.transform(frame)
    fitted = clone(scaler).fit(frame)
    assert not hasattr(scaler, "scale_")
    assert fitted.get_params() == {"log_features": feature_list.LOG_FEATURES}
    assert list(fitted.get_feature_names_out()) == ["expected_contribution", "p_alive"]
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.transform(frame), fitted.transform(frame))
    # accounts that were not in the fit are put on the fitted scale
    assert fitted.transform(frame.assign(p_alive=frame["p_alive"].median()))["p_alive"].tolist() == [0, 0, 0]


def test_the_scaler_refuses_what_it_cannot_scale():
    frame = pd.DataFrame({"a": [1.0, 1.0], "b": [np.nan, np.nan], "c": [1.0, 2.0]})
    with pytest.raises(DataError, match="cannot be scaled: a, b"):
        scaling.FeatureScaler().fit(frame)
    with pytest.raises(DataError, match="fitted to c, not to d"):
        scaling.FeatureScaler().fit(frame[["c"]]).transform(frame.rename(columns={"c": "d"})[["d"]])
