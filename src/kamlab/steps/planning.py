"""The steps of planning and review: targets, effort, and what became of the last period; see `steps`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from kamlab import tables
from kamlab.buying import sold_between
from kamlab.ids import beside, places
from kamlab.period import DAYS_PER_YEAR, fiscal_quarters
from kamlab.steps.once import once
from kamlab.terms import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run

GROUPED_BY = ("owner", "region")
"""Columns of the account master that targets are added up by."""


def labelled(run: Run, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of the account table and of the table of strategies, one row an account, prospects included."""
    given = {column.name for column in TABLES["strategies"]} - {"name", "owner"}
    labels = run.read("strategies", columns=["account", *(name for name in columns if name in given)])
    known = run.read("account_table", columns=["account", *(name for name in columns if name not in given)])
    return beside(known, labels)


@once("targets")
def targets(run: Run) -> pd.DataFrame:
    """Write `targets`, `plan` and the facts `plan`: proposed targets, and the fiscal quarters against those set."""
    from kamlab import planning
    from kamlab import targets as module

    settings, as_of = run.config.planning, run.period.calibration_end
    lines, groups = run.ledger(), _groups(run)
    quarters = fiscal_quarters(as_of, run.config.company.fiscal_year_start_month, years=2)
    quarters = [(start, min(end, as_of)) for start, end in quarters if start <= as_of]
    trailing = run.period.window_start(DAYS_PER_YEAR), as_of
    coming = as_of + timedelta(days=1), as_of + timedelta(days=DAYS_PER_YEAR)
    before = [planning.year_before(*quarter) for quarter in quarters]
    members = run.read("membership")
    sold = sold_between(lines, run.period, [*quarters, *before], accounts=_alike(members, groups))
    last = sold_between(lines, run.period, [trailing], accounts=members)
    seasons = planning.seasons(run.read("months"), before=quarters[0][0])
    units = members.set_index("member")["account"]
    plan = planning.planned(_set(run), [*quarters, trailing, coming], seasons, units=units)
    n = len(quarters)
    run.write("plan", planning.quarterly(plan, sold, quarters, groups, first_day=lines.first_date))
    against, came = planning.company_plan(plan, n), float(last["revenue"].sum())
    run.write_facts(
        "plan",
        {
            "trailing": {"plan": against[0], "by": against[1], "actual": came} if against else {},
            "coming": planning.set_sums(plan, n + 1),
        },
    )
    table = module.propose(
        run.read("forecast"),
        run.read("revenue_draws"),
        run.read("gains"),
        last,
        groups,
        shares=settings.gain,
        plan=plan[plan["window"] == n + 1],
        level=run.config.value.level,
        seed=run.config.seed,
    )
    return run.write("targets", table)


@once("effort")
def effort(run: Run) -> pd.DataFrame:
    """Write `effort` and the facts `effort`: hours now and proposed; no rows and no facts without a table of hours."""
    import pandas as pd

    from kamlab import effort as module

    if "effort" not in tables.given(run.config):
        run.write_facts("effort", {})
        return run.write("effort", _empty("effort"))
    as_of = run.period.calibration_end
    rows = tables.read(run.config, "effort", as_of=as_of).rows
    rows = rows[rows["date"] >= pd.Timestamp(run.period.window_start(DAYS_PER_YEAR))]
    unit = run.read("membership").set_index("member")["account"]
    spent = rows.groupby(rows["account"].map(unit))["hours"].sum()
    settings = run.config.planning
    shift = module.propose(
        run.read("account_table", columns=["account", "owner", "expected_contribution", "p_alive"]),
        run.read("gains"),
        spent,
        shares=settings.gain,
        elasticity=settings.effort_elasticity,
        level=run.config.value.level,
        n_draws=run.config.value.draws,
        seed=run.config.seed,
    )
    run.write_facts("effort", {**shift.facts(), **_capacity(run, shift.table)})
    return run.write("effort", shift.table)


@once("actions_review")
def review(run: Run) -> pd.DataFrame:
    """Write `standing`, `comparison`, `held_against`, `actions_result`, `actions_review` and facts of these.

    These are what the next run compares itself with; this run against the same company's run before, without rows where
    there was none; last year's forecast against what came; and what became of the last 12 months' actions.
    """
    from kamlab import history, past_forecast

    as_of, level, seed = run.period.calibration_end, run.config.value.level, run.config.seed
    now = run.write("standing", history.standing(labelled(run, history.STANDING_OF), as_of=as_of))
    before = run.before()
    found = history.compare(before.read("standing"), now) if before is not None and before.has("standing") else None
    run.write("comparison", _empty("comparison") if found is None else found)
    since = {} if before is None or found is None else {"since": before.read("standing")["as_of"].max()}
    run.write_facts("comparison", since)
    run.write(
        "held_against",
        past_forecast.held_against(
            run.ledger(),
            run.period,
            membership=run.read("membership"),
            forecaster=run.read_facts("choice")["forecaster"],
            record=run.read("backtest"),
            groups=_groups(run),
            level=level,
            seed=seed,
        ),
    )
    if "actions" not in tables.given(run.config):
        run.write("actions_result", _empty("actions_result"))
        run.write_facts("actions_review", {})
        return run.write("actions_review", _empty("actions_review"))
    rows = tables.read(run.config, "actions", as_of=as_of).rows
    unit = run.read("membership").set_index("member")["account"]
    rows = rows.assign(account=rows["account"].map(unit).fillna(rows["account"]))
    agreed = history.reviewed(rows, as_of=as_of, days=DAYS_PER_YEAR)
    run.write("actions_result", history.results(agreed, run.read("summary"), level=level, seed=seed))
    counts = agreed["state"].value_counts()
    run.write_facts(
        "actions_review", {"agreed": len(agreed), **{state: int(counts.get(state, 0)) for state in history.STATES}}
    )
    return run.write("actions_review", agreed)


def _empty(name: str) -> pd.DataFrame:
    """Return a table without rows."""
    import pandas as pd

    return pd.DataFrame(columns=[column.name for column in TABLES[name]])


def _capacity(run: Run, table: pd.DataFrame) -> dict[str, float]:
    """Return the hours that people in sales have for customers, and how many spend more; empty where not given."""
    import pandas as pd

    if "owners" not in tables.given(run.config):
        return {}
    as_of = run.period.calibration_end
    people = tables.read(run.config, "owners", as_of=as_of).rows
    people = people[people["capacity_hours"].notna() & ~(people["active_to"] <= pd.Timestamp(as_of))]
    if people.empty:
        return {}
    spent = people["owner"].map(table.groupby("owner")["hours"].sum()).fillna(0.0)
    return {"capacity": float(people["capacity_hours"].sum()), "beyond": int((spent > people["capacity_hours"]).sum())}


def _groups(run: Run) -> dict[str, pd.Series]:
    """Return each account's owner and region, where any are known."""
    units = run.read("accounts", columns=["account", *GROUPED_BY]).set_index("account")
    return {kind: units[kind] for kind in GROUPED_BY if units[kind].notna().any()}


def _alike(members: pd.DataFrame, groups: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return the accounts of each member anew: the first one of those that are in the same groups stands for all.

    What they sold together is then added up by the engine, and not handed over account by account.
    """
    import numpy as np
    import pandas as pd

    alike = np.zeros(len(members), dtype=np.int64)
    for by in groups.values():
        code = np.append(pd.factorize(by)[0], -1)[places(members["account"], by.index.to_series())]
        alike = pd.factorize(alike * (code.max(initial=0) + 2) + code + 1)[0]
    _, first = np.unique(alike, return_index=True)
    return members.assign(account=members["account"].take(first[alike]).to_numpy())


def _set(run: Run) -> pd.DataFrame:
    """Return the rows of the table of targets, or none."""
    import pandas as pd

    if "targets" not in tables.given(run.config):
        return pd.DataFrame(columns=list(tables.SCHEMAS["targets"].columns))
    return tables.read(run.config, "targets", as_of=run.period.calibration_end).rows
