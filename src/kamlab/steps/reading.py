"""The first steps: the order lines read and checked, and summed up by account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kamlab import freshness as _freshness
from kamlab import inputs
from kamlab.accounts import decision_units
from kamlab.errors import DataError
from kamlab.ids import among
from kamlab.ledger import Ledger
from kamlab.revenue import monthly_revenue, revenue_windows
from kamlab.steps.once import once, stands
from kamlab.summary import summarize

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run


def ledger(run: Run) -> Ledger:
    """Write `ledger`, `quarantine`, `reconciliation`, `books`, `accounts`, `membership` and the facts `freshness`.

    Raises
    ------
    DataError
        If the log or another table cannot be read, or so much of them cannot be used that the rest would mislead, all
        of them in one message that names a CSV of the faulty lines; if the log is stale and the run does not accept
        that.
    """
    if stands(run, "ledger"):
        return run.ledger()
    as_of = run.period.calibration_end
    lines, readings = inputs.read_lines(run.config, as_of=as_of, scratch=run.scratch)
    beside = inputs.read_beside(run.config, run.period)
    if refused := inputs.refusals(lines, beside.values(), run.config, as_of=as_of):
        path = run.write_refused(inputs.quarantined(lines, beside.values()))
        raise DataError(" ".join([*refused, f"All lines that cannot be used, each with its reason, stand in {path}."]))
    fresh = inputs.check_source(lines, run.config, run.period)
    if not run.accept_stale:
        _freshness.refuse_stale(fresh, run.period)
    unusable = {"quarantine": lines.quarantine, "table_quarantine": inputs.table_quarantine(beside.values())}
    for name, bad in unusable.items():
        run.write(name, bad)
        run.write_csv(name, bad)
    run.write("reconciliation", _known_then(lines.reconciliation(as_of)))
    run.write("books", inputs.compare_with_books(run.config, lines, run.period))
    ids = lines.accounts_until(as_of)
    master = beside["accounts"].rows if "accounts" in beside else None
    unlisted = inputs.unlisted(master, ids)
    units, membership = decision_units(master, ids, level=run.config.company.account_level, as_of=as_of)
    run.write_facts(
        "freshness",
        {
            "first_line": lines.first_date,
            "last_line": fresh.last_line,
            "lag_days": fresh.lag_days,
            "last_month_lines": fresh.last_month_lines,
            "norm_lines": fresh.norm_lines,
            "findings": fresh.findings,
            "repeated_lines": lines.repeated_lines,
            "has_money": lines.has_money,
            "has_cost": lines.has_cost,
            "has_master": master is not None,
            "unlisted_accounts": len(unlisted),
            "accounts_in_log": int(membership.loc[among(membership["member"], ids), "account"].nunique()),
            "readings": [[r.source, list(r.what), sorted(r.found), r.example] for r in readings],
        },
    )
    run.write("membership", membership)
    run.write_ledger(lines, until=as_of)
    run.write("accounts", units)
    return run.ledger()


def _known_then(reconciliation: pd.DataFrame) -> pd.DataFrame:
    """Leave out the money of lines after the as-of date, which nobody knew on that day; their number stays."""
    found = reconciliation.set_index("part")
    later = found.loc["after_as_of", "money"]
    for part in ("read", "accepted"):
        found.loc[part, "money"] -= later
    if found.loc["after_as_of", "rows"]:
        found.loc["after_as_of", "money"] = None
    return found.reset_index()


@once("summary")
def summary(run: Run) -> pd.DataFrame:
    """Write `summary`, `growth_windows`, `months` and the facts `revenue`, `festivals` and `signals`."""
    from kamlab import growth, signals

    lines, members = run.ledger(), run.read("membership")
    run.write("months", monthly_revenue(lines, run.period))
    revenue, holidays = revenue_windows(lines, run.period), run.config.company.holidays
    run.write_facts("revenue", revenue)
    run.write_facts("festivals", growth.facts(lines, run.period, holidays, revenue))
    table = run.write("summary", summarize(lines, run.period, accounts=members))
    run.write("growth_windows", growth.windows(lines, run.period, table, holidays, accounts=members))
    run.write_facts("signals", signals.find(lines, run.period, table, accounts=members).facts())
    return table
