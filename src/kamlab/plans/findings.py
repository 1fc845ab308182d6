"""Strengths, weaknesses, opportunities and threats that the data shows of an account, each with its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kamlab.plans.cases import Case

PARTS = ("strength", "weakness", "opportunity", "threat")

MOST = 3
"""Findings of one part that are kept: the first ones of `RULES`."""

USUAL = 0.5
"""A product line that this share of an industry's buyers buys is usual there."""

KEPT, SMALL, LARGE = 0.7, 0.2, 0.5
"""Revenue that counts as shrunk against the best year before; small and large shares of what an account buys."""

SURE, DOUBTFUL = 0.9, 0.5
SLOW_DAYS = 15
CONTENT, DISCONTENT, ANSWERS = 8.0, 5.0, 2
DEPENDENCE = 0.05
PLAINLY = 0.02
"""By so much a margin rate must differ from the usual one to be worth a word."""

Values = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One line: its part, its code, and the values that its sentence holds."""

    part: str
    code: str
    values: Values


Rule = tuple[str, str, Callable[[Case], Values | None]]


def find(case: Case) -> list[Finding]:
    """Return what the data shows of an account, at most three lines a part, the weightiest first."""
    found: list[Finding] = []
    for part, code, rule in RULES:
        values = rule(case)
        if values is not None and sum(f.part == part for f in found) < MOST:
            found.append(Finding(part, code, values))
    return found


def _share_high(case: Case) -> Values | None:
    share = case.number("wallet_share")
    return {"share": share} if share >= LARGE else None


def _share_low(case: Case) -> Values | None:
    share = case.number("wallet_share")
    return {"share": share} if share <= SMALL and case.number("trailing_revenue") > 0 else None


def _grown(case: Case) -> Values | None:
    if not case.number("growth_lower") > 0:
        return None
    return {"money": case.number("trailing_revenue"), "before": case.number("previous_revenue")}


def _faithful(case: Case) -> Values | None:
    days = case.number("trailing_purchase_days", 0)
    sure = case.number("p_alive") >= SURE and days >= 6
    return {"number": int(days), "probability": case.number("p_alive")} if sure else None


def _good_margin(case: Case) -> Values | None:
    rate, usual = case.number("margin_rate"), case.company["margin_rate"]
    return {"share": rate, "other": usual} if rate >= usual + PLAINLY and _profitable(case) else None


def _poor_margin(case: Case) -> Values | None:
    rate, usual = case.number("margin_rate"), case.company["margin_rate"]
    poor = rate < case.company["low_margin_rate"] and rate <= usual - PLAINLY
    return {"share": rate, "other": usual} if poor and _profitable(case) else None


def _profitable(case: Case) -> bool:
    return case.number("p_negative", 0.0) < DOUBTFUL


def _loses_money(case: Case) -> Values | None:
    chance = case.number("p_negative", 0.0)
    return {"probability": chance} if chance >= DOUBTFUL and case.number("trailing_purchase_days", 0) > 0 else None


def _pays_well(case: Case) -> Values | None:
    return {"name": case.credit["credit_002"]} if case.credit.get("credit_002") in ("AAA", "AA") else None


def _pays_late(case: Case) -> Values | None:
    days = case.owed("days_beyond_terms")
    return {"number": round(days)} if days > SLOW_DAYS else None


def _content(case: Case) -> Values | None:
    mean, answers = case.satisfaction
    return {"decimal": mean, "number": answers} if answers >= ANSWERS and mean >= CONTENT else None


def _discontent(case: Case) -> Values | None:
    mean, answers = case.satisfaction
    return {"decimal": mean, "number": answers} if answers >= ANSWERS and mean <= DISCONTENT else None


def _complaints(case: Case) -> Values | None:
    return {"number": case.open_complaints} if case.open_complaints else None


def _shrunk(case: Case) -> Values | None:
    now, best = case.number("trailing_revenue"), case.number("prior_peak_revenue")
    known = case.number("days_known", 0) >= 730
    return {"money": now, "before": best} if known and best > 0 and now <= KEPT * best else None


def _one_line(case: Case) -> Values | None:
    bought = case.mix[case.mix["share"] > 0]
    sold = len(case.mix) > 1
    return {"name": bought["product_line"].iloc[0]} if sold and len(bought) == 1 else None


def _no_decider(case: Case) -> Values | None:
    return {} if "persons" in case.asked and "decider" not in case.roles else None


def _contact_overdue(case: Case) -> Values | None:
    days = int(case.cadence.get("overdue_days") or 0)
    return {"number": days} if days > 0 else None


def _headroom(case: Case) -> Values | None:
    room = case.number("headroom", 0.0)
    return {"money": room} if room > 0 else None


def missing_lines(case: Case) -> list[str]:
    """Return the product lines that are usual in its industry and that the account does not buy."""
    rows = case.mix[(case.mix["share"] == 0) & (case.mix["usual"] >= USUAL)]
    return [str(line) for line in rows.sort_values(["usual", "product_line"], ascending=[False, True])["product_line"]]


def _lines_missing(case: Case) -> Values | None:
    lines = missing_lines(case)
    return {"names": lines} if lines else None


def _deals(case: Case) -> Values | None:
    if case.deals.empty:
        return None
    return {"number": len(case.deals), "money": float(case.deals["weighted_value"].fillna(0).sum())}


def _projects(case: Case) -> Values | None:
    if case.projects.empty:
        return None
    return {"number": len(case.projects), "money": float(case.projects["value"].fillna(0).sum())}


def _recover(case: Case) -> Values | None:
    lost = case.number("prior_peak_revenue", 0.0) - case.number("expected_revenue", 0.0)
    return {"money": lost} if case.row.get("strategy") == "win_back" and lost > 0 else None


def _rival(case: Case) -> Values | None:
    known = case.competitors.dropna(subset=["product_line", "share"])
    if known.empty:
        return None
    first = known.iloc[0]
    return {"name": first["competitor"], "line": first["product_line"], "share": float(first["share"])}


def _rival_inside(case: Case) -> Values | None:
    if case.competitors.empty or _rival(case) is not None:
        return None
    return {"name": case.competitors["competitor"].iloc[0]}


def _leaving(case: Case) -> Values | None:
    alive = case.number("p_alive")
    return {"probability": alive} if alive < SURE else None


def _overdue(case: Case) -> Values | None:
    return {"money": case.owed("overdue_90")} if case.owed("overdue_90") > 0 else None


def _disputed(case: Case) -> Values | None:
    return {"money": case.owed("disputed")} if case.owed("disputed") > 0 else None


def _dependence(case: Case) -> Values | None:
    share = case.number("trailing_revenue", 0.0) / max(case.company["trailing_revenue"], 1.0)
    return {"share": share} if share >= DEPENDENCE else None


def _one_order(case: Case) -> Values | None:
    largest, year = case.number("trailing_largest_order", 0.0), case.number("trailing_revenue", 0.0)
    return {"share": largest / year} if year > 0 and LARGE <= largest / year <= 1 else None


def _no_owner(case: Case) -> Values | None:
    return {} if "no_owner" in case.flags else None


RULES: tuple[Rule, ...] = (
    ("strength", "share_high", _share_high),
    ("strength", "grown", _grown),
    ("strength", "faithful", _faithful),
    ("strength", "good_margin", _good_margin),
    ("strength", "pays_well", _pays_well),
    ("strength", "content", _content),
    ("weakness", "loses_money", _loses_money),
    ("weakness", "complaints", _complaints),
    ("weakness", "shrunk", _shrunk),
    ("weakness", "share_low", _share_low),
    ("weakness", "discontent", _discontent),
    ("weakness", "no_decider", _no_decider),
    ("weakness", "contact_overdue", _contact_overdue),
    ("weakness", "poor_margin", _poor_margin),
    ("weakness", "one_line", _one_line),
    ("opportunity", "recover", _recover),
    ("opportunity", "headroom", _headroom),
    ("opportunity", "deals", _deals),
    ("opportunity", "lines_missing", _lines_missing),
    ("opportunity", "projects", _projects),
    ("threat", "no_owner", _no_owner),
    ("threat", "overdue", _overdue),
    ("threat", "disputed", _disputed),
    ("threat", "rival", _rival),
    ("threat", "rival_inside", _rival_inside),
    ("threat", "leaving", _leaving),
    ("threat", "one_order", _one_order),
    ("threat", "pays_late", _pays_late),
    ("threat", "dependence", _dependence),
)
"""Part, code and rule of each finding, the weightiest first."""
