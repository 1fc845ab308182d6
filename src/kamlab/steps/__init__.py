"""The data's way, one function a step: each reads the tables before it and writes its own, once.

The chapters call these in order; a chapter that runs alone gets missing tables made by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kamlab.steps.classing import evidence, features, segments, tiers
from kamlab.steps.deciding import account_table, coverage, dimensions, plans, strategies
from kamlab.steps.planning import effort, review, targets
from kamlab.steps.reading import ledger, summary
from kamlab.steps.valuing import credit, potential, prospects, value

if TYPE_CHECKING:
    from kamlab.runs import Run

__all__ = [
    "MAKERS",
    "account_table",
    "coverage",
    "credit",
    "dimensions",
    "effort",
    "evidence",
    "features",
    "ledger",
    "plans",
    "potential",
    "prospects",
    "review",
    "segments",
    "strategies",
    "summary",
    "targets",
    "tiers",
    "value",
]

MAKERS: dict[str, Callable[[Run], Any]] = {
    **dict.fromkeys(
        ("ledger", "quarantine", "table_quarantine", "reconciliation", "books", "accounts", "membership", "freshness"),
        ledger,
    ),
    **dict.fromkeys(("summary", "growth_windows", "months", "revenue", "festivals", "signals"), summary),
    **dict.fromkeys(("backtest", "contest", "calibration", "record_groups", "choice"), value),
    **dict.fromkeys(("models", "spend", "margins", "draws", "revenue_draws", "forecast"), value),
    **dict.fromkeys(("lifetime", "lifetime_totals", "lifetime_draws"), value),
    **dict.fromkeys(("potential", "potential_fit", "look_alikes"), potential),
    "credit": credit,
    **dict.fromkeys(("pipeline", "prospects", "pipeline_record", "pipeline_total"), prospects),
    "features": features,
    **dict.fromkeys(
        ("tiers", "schemes", "scheme_list", "class_probabilities", "transitions", "earlier"),
        tiers,
    ),
    "evidence": evidence,
    **dict.fromkeys(("segments", "candidates", "profile", "segmentation", "totals"), segments),
    **dict.fromkeys(("position", "account_table", "strategies", "gains", "strategy_gains"), strategies),
    **dict.fromkeys(("handling", "labels", "left_out", "overrides"), strategies),
    **dict.fromkeys(("coverage", "reassignment", "cadence", "roster", "headcount"), coverage),
    **dict.fromkeys(("plans", "plan_notes", "plan_people", "plan_mix", "plan_findings"), plans),
    **dict.fromkeys(("plan_actions", "plan_projects", "plan_competitors"), plans),
    **dict.fromkeys(("changes", "dimensions"), dimensions),
    **dict.fromkeys(("targets", "plan"), targets),
    "effort": effort,
    **dict.fromkeys(("standing", "comparison", "held_against", "actions_review", "actions_result"), review),
    **dict.fromkeys(("feature_rules", "segment_rules", "segment_probabilities", "prospect_segments"), segments),
}
"""Which step writes which table or facts."""
