"""The fitted potential on simulated companies whose upper level of revenue is known, and whom prospects are like."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from kamlab import look_alikes, terms

SIZES = {"S": 9.0, "M": 11.0, "L": 13.0}
SPREAD = 0.8
UPPER = 1.2815515655446004  # standard normal 90 % quantile


def no_mix(accounts):
    return pd.DataFrame({"account": accounts})


@cache
def company(n=600, seed=0, channel="end user", shift=0.0):
    """Log-normal revenue whose middle depends on the size class; the 90th percentile follows from it."""
    rng = np.random.default_rng(seed)
    size = rng.choice(list(SIZES), n)
    centre = np.array([SIZES[s] for s in size]) + shift
    accounts = pd.DataFrame(
        {
            "account": [f"{channel[0]}{i:04d}" for i in range(n)],
            "channel": channel,
            "industry": rng.choice(["feed", "food"], n),
            "region": None,
            "country": "Spain",
            "territory": None,
            "size": size,
            "truth": np.exp(centre + SPREAD * UPPER),
        }
    )
    revenue = np.exp(centre + SPREAD * rng.normal(size=n))
    summary = pd.DataFrame({"account": accounts["account"], "trailing_revenue": revenue})
    return summary, accounts


def test_the_known_upper_level_is_recovered_and_covers_nine_in_ten():
    summary, accounts = company()
    fitted, record = look_alikes.upper_revenue(summary, accounts, no_mix(accounts["account"]))
    row = record.iloc[0]
    assert list(record.columns) == [c.name for c in terms.TABLES["potential_fit"]]
    assert record[["channel", "given", "accounts", "used"]].values.tolist() == [
        ["end user", "firmographics", 600, True]
    ]
    assert row["coverage"] == pytest.approx(0.9, abs=0.03)  # binomial deviation of 600 accounts: 0.012
    # the loss of the truth, out of sample, is what the best fit could have
    y, truth = np.log(summary["trailing_revenue"]), np.log(accounts["truth"])
    one = np.full(len(y), np.quantile(y, 0.9))
    best = 1 - loss(y, truth) / loss(y, one)
    assert 0.8 * best < row["skill"] <= best
    error = np.log(fitted.to_numpy()) - truth
    assert np.abs(error).median() < 0.25  # ± 25 %: 200 accounts a size, the deviation of such a quantile is 0.1


def loss(y, level):
    return np.where(y >= level, 0.9 * (y - level), 0.1 * (level - y)).mean()


def test_no_account_sees_itself():
    summary, accounts = company()
    mix = no_mix(accounts["account"])
    before, _ = look_alikes.upper_revenue(summary, accounts, mix)
    changed = summary.copy()
    changed.loc[7, "trailing_revenue"] *= 1000
    after, _ = look_alikes.upper_revenue(changed, accounts, mix)
    assert after.iloc[7] == before.iloc[7]
    assert (after != before).any()


def test_channels_are_never_mixed():
    summary, accounts = company()
    dear, dear_accounts = company(300, 1, "distributor", 3.0)
    both, units = pd.concat([summary, dear]), pd.concat([accounts, dear_accounts])
    alone, _ = look_alikes.upper_revenue(summary, accounts, no_mix(accounts["account"]))
    together, record = look_alikes.upper_revenue(both, units, no_mix(units["account"]))
    pd.testing.assert_series_equal(together[alone.index], alone)
    assert record["channel"].tolist() == ["distributor", "end user"]
    unnamed, record = look_alikes.upper_revenue(summary, accounts.assign(channel=None), no_mix(accounts["account"]))
    assert unnamed.empty
    assert record.empty


def test_a_fit_that_does_not_hold_is_not_used_and_says_why():
    summary, accounts = company()
    mix = no_mix(accounts["account"])
    few, record = look_alikes.upper_revenue(summary.head(99), accounts.head(99), mix)
    assert few.empty
    assert record["reason"].tolist() == ["too few buyers"]
    told_nothing = accounts.assign(size=None, industry=None)
    alike, record = look_alikes.upper_revenue(summary, told_nothing, mix)
    assert alike.empty
    assert record["reason"].tolist() == ["nothing tells the accounts apart"]
    # the industry says nothing about revenue here, so one number for the channel does as well
    blind, record = look_alikes.upper_revenue(summary, accounts.assign(size=None), mix)
    assert blind.empty
    assert record["reason"].tolist() == ["hardly better than one number for the whole channel"]
    assert abs(record["skill"].iloc[0]) < look_alikes.MIN_SKILL


def test_prospects_get_the_level_of_their_kind_and_the_mix_helps_buyers_where_it_tells():
    summary, accounts = company()
    silent = pd.DataFrame({"account": ["p1", "p2"], "channel": "end user", "industry": "feed", "country": "Spain"})
    silent = silent.assign(size=["S", "L"], region=None, territory=None)
    # the mix tells the sizes apart, the master does not know them for most
    shares = accounts["size"].map({"S": 0.1, "M": 0.5, "L": 0.9})
    mix = pd.DataFrame({"account": accounts["account"], "Feed": shares, "Food": 1 - shares})
    units = pd.concat([accounts, silent])
    fitted, _ = look_alikes.upper_revenue(summary, units, mix)
    expected = {p: np.exp(SIZES[size] + SPREAD * UPPER) for p, size in (("p1", "S"), ("p2", "L"))}
    assert np.log(fitted["p1"] / expected["p1"]) == pytest.approx(0, abs=0.4)  # fifty small trees shrink to the middle
    assert np.log(fitted["p2"] / expected["p2"]) == pytest.approx(0, abs=0.4)
    only_mix = units.assign(size=None)
    fitted, record = look_alikes.upper_revenue(summary, only_mix, mix)
    assert record.set_index("given")["used"].to_dict() == {"firmographics": False, "firmographics_and_mix": True}
    assert not set(silent["account"]) & set(fitted.index)


def test_look_alikes_by_hand():
    accounts = pd.DataFrame(
        {
            "account": ["far", "other", "rich", "same", "prospect", "unknown"],
            "channel": ["end user", "distributor", "end user", "end user", "end user", "end user"],
            "industry": ["food", "feed", "feed", "feed", "feed", None],
            "region": ["north", "south", "north", "south", "south", None],
        }
    )
    summary = pd.DataFrame({"account": ["far", "other", "rich", "same"], "trailing_revenue": [9.0, 8.0, 7.0, 1.0]})
    table = look_alikes.nearest(summary, accounts)
    assert list(table.columns) == [c.name for c in terms.TABLES["look_alikes"]]
    # "far" agrees in nothing, "other" is of another channel, of "unknown" nothing is known
    assert table.values.tolist() == [["prospect", 1, "same", 1.0, 1.0], ["prospect", 2, "rich", 0.5, 7.0]]


def test_equally_alike_buyers_stand_by_revenue():
    n = 40
    accounts = pd.DataFrame({"account": [f"b{i:02d}" for i in range(n)] + ["x"], "channel": "c", "industry": "feed"})
    accounts.loc[0, "industry"] = "food"
    revenue = np.random.default_rng(0).permutation(n) + 1.0
    summary = pd.DataFrame({"account": accounts["account"].head(n), "trailing_revenue": revenue})
    table = look_alikes.nearest(summary, accounts)
    best = summary.drop(index=0).nlargest(3, "trailing_revenue")
    assert table["look_alike"].tolist() == best["account"].tolist()


def test_without_anything_in_common_there_are_no_look_alikes():
    accounts = pd.DataFrame({"account": ["a", "b"], "channel": None, "industry": None})
    table = look_alikes.nearest(pd.DataFrame({"account": ["a"], "trailing_revenue": [1.0]}), accounts)
    assert table.empty
    assert list(table.columns) == [c.name for c in terms.TABLES["look_alikes"]]
