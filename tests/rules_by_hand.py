"""The rules of the playbook written down a second time, from their description, with plain ifs and the numbers in them.

Nothing here reads the playbook's file: whoever changes a rule there changes it here, knowingly.
"""

from types import SimpleNamespace

import pandas as pd


def known(value):
    return value is not None and not pd.isna(value)


def below(value, limit):
    return known(value) and known(limit) and value < limit


def above(value, limit):
    return known(value) and known(limit) and value > limit


def at_least(value, limit):
    return known(value) and known(limit) and value >= limit


def at_most(value, limit):
    return known(value) and known(limit) and value <= limit


def states(a):
    """Return what is true of an account."""
    s = SimpleNamespace()
    s.prospect = not a.has_bought and not a.only_returned
    s.returner = not a.has_bought and a.only_returned
    quiet = a.days_since_last > 1.25 * a.longest_gap if known(a.longest_gap) else above(a.days_since_last, 365)
    gone = below(a.p_alive, a.p_gone) or a.purchase_days == 1 or a.trailing_purchase_days == 0
    s.silent = gone and quiet
    s.shrinking = (
        at_least(a.days_known, 730)
        and above(a.prior_peak_revenue, 0)
        and at_most(a.trailing_revenue, 0.7 * a.prior_peak_revenue)
    )
    s.decline = (s.silent or s.shrinking) and at_least(a.purchase_days, 3)
    buys = a.has_bought and above(a.trailing_purchase_days, 0)
    s.negative = buys and at_least(a.p_negative, 0.8)
    loss = max(-a.expected_contribution, 0) / a.trailing_revenue if above(a.trailing_revenue, 0) else None
    s.kept = a.strategic and not above(loss, 0.1)
    s.new = a.has_bought and (below(a.purchase_days, 3) or below(a.days_known, 365))
    peak = a.peak_revenue * a.margin_rate if known(a.margin_rate) else a.peak_revenue
    s.peak_high = at_least(peak, a.cut_high)
    high, low = a.contribution_class == "High", a.contribution_class == "Low"
    s.worth = a.potential_class in ("Mid", "High")
    s.saturated = a.has_bought and at_least(a.wallet_share, 0.8)
    room = at_most(a.wallet_share, 0.7) if known(a.wallet_share) else low
    s.future = a.has_bought and s.worth and room and not s.silent and not s.negative
    s.level = "Mid" if high and at_most(a.wallet_share, 0.2) else a.contribution_class
    return s


def type_of(level, potential):
    box = {"High": "BAA", "Mid": "BBA", "Low": "DCC"}[level]
    return box[("Low", "Mid", "High").index(potential if potential in ("Low", "Mid", "High") else "Low")]


def strategy_of(a, s, type_000):
    if s.prospect:
        if s.worth:
            return "acquire"
        if a.potential_class == "Low" and a.potential_source in ("declared", "fitted", "own_peak"):
            return "static"
        return "acquire" if a.prospect_004 in ("A", "B") else "static"
    if s.returner:
        return "static"
    if s.negative:
        return "retain" if s.kept else "static"
    if s.decline and s.peak_high and not s.new:
        return "win_back"
    if s.silent:
        return "retain" if a.contribution_class == "High" else "static"
    if type_000 == "D" or (type_000 == "C" and not s.future):
        return "static"
    if s.future and (type_000 == "C" or s.level == "Mid"):
        return "promote"
    return "retain"


def matrix_of(a, s, type_000):
    share = a.product_share if known(a.product_share) else a.wallet_share
    if not known(share):
        return "self_service" if type_000 == "D" and not s.negative else "unknown"
    large = above(a.volume_90, a.volume_median)
    if share >= 0.5:
        return "strengthen" if large else "contact"
    if large and not s.negative:
        return "develop"
    if s.future:
        return "acquire"
    return "abandon" if s.negative else "self_service"


def value_of(a, s):
    if s.negative:
        return "BZ_strategic" if s.kept else "BZ"
    if a.contribution_class == "High":
        return "MVC"
    if s.future:
        return "MGC" if above(a.growth_lower, 0) and not s.new else "growable"
    return "other"


def engagement_of(a, given):
    if a.joint_project and given["plan_required"] == "yes":
        return "together"
    if given.get("type_000") == "A" and given.get("value_004") == "MVC":
        return "team"
    if given["plan_required"] == "yes":
        return "one_to_one"
    if given.get("type_000") == "B" or given["strategy"] in ("acquire", "promote"):
        return "niche"
    return "segment" if given.get("type_000") == "C" else "market"


def coverage_of(a, given):
    if given["plan_required"] == "yes" and a.abc_004 in ("A", "B", "C"):
        pays = above(a.uplift, a.handling_cost) if known(a.handling_cost) else True
        fits = at_most(a.handling_place, a.handling_places) if known(a.handling_places) else True
        if not pays or not fits:
            return "pooled"
        return {"A": "one", "B": "two", "C": "three_to_five"}[a.abc_004]
    rare = at_most(a.trailing_purchase_days, 4)
    return "self_service" if given.get("type_000") == "D" and rare else "pooled"


def terms_of(a):
    if above(a.overdue_90, 0) or above(a.disputed_90, 0):
        return "stopped"
    return {"AAA": "open", "AA": "short", "A": "part_deposit", "none": "deposit"}.get(a.credit_002, "unknown")


def cadence_of(given):
    if given["strategy"] == "static":
        return "90"
    if given.get("type_000") == "A" or given["strategy"] == "win_back":
        return "14"
    return "30" if given.get("type_000") == "B" or given["strategy"] in ("acquire", "promote") else "90"


def labels(row, *, cut_high, volume_median):
    """Return scheme → label of an account: a row of the account table, in whose absent columns nothing is known."""
    flags = dict.fromkeys(("has_bought", "strategic", "only_returned", "owner_left", "negative_before"), False)
    flags |= dict.fromkeys(("incumbent_rival", "joint_project"), False)
    words = ("potential_class", "potential_source", "prospect_004", "abc_004", "credit_002", "contribution_class")
    numbers = ("growth_lower", "p_negative_standard", "product_share", "volume_90", "overdue_90", "disputed_90")
    numbers += ("uplift", "handling_cost", "handling_place", "handling_places")
    blank = dict.fromkeys((*words, *numbers)) | flags | {"p_gone": 0.5}
    given_row = {k: v for k, v in row.items() if k not in flags or known(v)}
    a = SimpleNamespace(**blank | given_row, cut_high=cut_high, volume_median=volume_median)
    s, given = states(a), {}
    if a.has_bought:
        given["contribution_level"] = s.level
        given["potential_level"] = a.potential_class if a.potential_class in ("Mid", "High") else "Low"
        given["type_000"] = type_of(s.level, a.potential_class)
    given["strategy"] = strategy_of(a, s, given.get("type_000"))
    important = given.get("type_000") == "C" and a.potential_class == "High"
    planned = given.get("type_000") == "A" or important or given["strategy"] == "win_back"
    given["plan_required"] = "yes" if planned else "no"
    if a.has_bought:
        valuable = a.contribution_class in ("Mid", "High")
        if s.future:
            given["four_001"] = "I" if valuable else "III"
        else:
            given["four_001"] = "II" if valuable else "III" if given["strategy"] == "win_back" else "IV"
        given["value_004"] = value_of(a, s)
        given["matrix_004"] = matrix_of(a, s, given["type_000"])
        lost = s.negative and at_least(a.p_negative_standard, 0.8) and given["four_001"] == "IV" and not a.strategic
        given["remove_list"] = ("proposed" if a.negative_before else "watched") if lost else "no"
    stance = {"promote": "cultivate", "acquire": "capture", "retain": "protect", "win_back": "protect"}
    given["key_003"] = "remove" if given.get("remove_list") == "proposed" else stance.get(given["strategy"], "serve")
    if s.prospect:
        given["lifecycle_002"] = "prospect"
    elif s.silent or s.returner:
        given["lifecycle_002"] = "lost"
    else:
        given["lifecycle_002"] = "new" if s.new else "at_risk" if s.decline else "active"
    given["engagement_001"] = engagement_of(a, given)
    given["coverage_004"] = coverage_of(a, given)
    given["terms_002"] = terms_of(a)
    given["cadence_002"] = cadence_of(given)
    return given
