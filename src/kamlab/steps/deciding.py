"""The steps that decide: strategies, coverage, account plans, and what changed by dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kamlab import tables
from kamlab.buying import product_mix, product_windows
from kamlab.ids import beside
from kamlab.period import DAYS_PER_YEAR
from kamlab.steps.once import once
from kamlab.steps.valuing import playbook, undisputed
from kamlab.terms import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run

COVERED_BY = ("coverage_004", "cadence_002")
"""Schemes that say who looks after an account, and how often."""


@once("strategies")
def strategies(run: Run) -> pd.DataFrame:
    """Write `position`, `account_table`, `strategies`, `gains`, `strategy_gains`, `handling` and `labels`.

    These are every account's strategy, what planned work is assumed to win there, whether that pays for a person of its
    own, and all its labels with rule and probability. The facts `left_out` name the schemes that say nothing for want
    of data, `overrides` people's expired decisions.
    """
    from kamlab import strategies as module

    book = playbook(run)
    cuts = run.read("tiers")
    fitted = cuts[(cuts["axis"] == "contribution") & (cuts["scheme"] == "fitted")].set_index("cut")["value"]
    run.write("position", _position(run))
    accounts = run.write("account_table", account_table(run))
    as_of, high = run.period.calibration_end, float(fitted["high"])
    decided = run.write("strategies", module.assign(accounts, book, as_of=as_of, contribution_cut_high=high))
    won = _gains(run, beside(accounts, decided.drop(columns=["name", "owner"])))
    accounts = beside(accounts, _handling(run, accounts, decided, won))
    chances = run.read("class_probabilities")
    labels = module.assign_all(accounts, book, as_of=as_of, contribution_cut_high=high, class_probabilities=chances)
    run.write("labels", labels)
    run.write_facts("left_out", dict(module.left_out(accounts, book)))
    in_force, expired = book.overrides_at(as_of)
    run.write_facts(
        "overrides",
        {
            "in_force": len(in_force),
            "expired": [[o.account, o.scheme, o.label, o.owner, o.until.isoformat()] for o in expired],
        },
    )
    return decided


def _gains(run: Run, accounts: pd.DataFrame) -> pd.DataFrame:
    """Write `gains` and `strategy_gains`; return the first."""
    from kamlab import gains

    shares, level = run.config.planning.gain, run.config.value.level
    rooms = gains.room(accounts)
    drawn = gains.share_draws(shares, n_draws=run.config.value.draws, seed=run.config.seed)
    run.write("strategy_gains", gains.by_strategy(rooms, drawn, shares, level=level))
    return run.write("gains", gains.by_account(rooms, drawn, shares, level=level))


def _handling(run: Run, accounts: pd.DataFrame, decided: pd.DataFrame, won: pd.DataFrame) -> pd.DataFrame:
    """Write `handling`; return of it what the playbook asks for."""
    from kamlab import handling, side_tables
    from kamlab.coverage import people
    from kamlab.strategies.fields import AFTERWARDS

    here = people(accounts["owner"], side_tables.active_people(run.config, run.period, accounts["owner"]))
    needing = beside(accounts, decided[["account", "plan_required"]])
    cost = run.config.planning.cost_per_person
    table = handling.weigh(needing, won, cost_per_person=cost, people=len(here) or None)
    return run.write("handling", table)[["account", *AFTERWARDS]]


def _position(run: Run) -> pd.DataFrame:
    """Say how each account stands with us, from the optional tables and the log."""
    from kamlab import position as module

    return module.table(
        run.ledger(),
        run.config,
        run.period,
        units=run.read("accounts"),
        accounts=run.read("membership"),
        summary=run.read("summary"),
    )


@once("coverage")
def coverage(run: Run) -> pd.DataFrame:
    """Write `coverage`, `reassignment`, `cadence`, `roster` and facts `headcount`: who looks after whom, how often."""
    from dataclasses import asdict

    from kamlab import coverage as module
    from kamlab import handling, side_tables

    numbers = playbook(run).numbers
    labels = run.read("labels", columns=["account", "scheme", "label", "rule"], where={"scheme": COVERED_BY})
    wide = labels.pivot(index="account", columns="scheme", values="label").reset_index()
    wide = wide.reindex(columns=["account", *COVERED_BY])
    # Without a class by amount everybody is served from the pool.
    wide["coverage_004"] = wide["coverage_004"].fillna("pooled")
    table = run.read("account_table").merge(wide, on="account")
    table = table.merge(run.read("strategies")[["account", "plan_required"]], on="account")
    active = side_tables.active_people(run.config, run.period, table["owner"])
    here = table["owner"] if active is None else table["owner"].where(table["owner"].isin(active))
    run.write_facts("headcount", asdict(handling.count(table, here, run.read("handling"), numbers=numbers)))
    run.write("reassignment", module.reassign(table, active=active, numbers=numbers))
    contacts = side_tables.contacts(run.config, run.period, accounts=run.read("membership"))
    run.write("cadence", module.cadence(table, contacts, as_of=run.period.calibration_end, numbers=numbers))
    covered = labels[labels["scheme"] == "coverage_004"][["account", "rule"]]
    pooled = table[table["coverage_004"] == "pooled"].merge(covered, on="account", how="left")
    pooled = pooled.assign(key_account=pooled["plan_required"], rule=pooled["rule"].astype(object).fillna(""))
    run.write("roster", pooled[[column.name for column in TABLES["roster"]]].sort_values("account"))
    return run.write("coverage", module.load(table, active=active, numbers=numbers))


@once("plans")
def plans(run: Run) -> pd.DataFrame:
    """Write `plans` and the tables of account plans: who needs one, what is known, and what is to be done."""
    from kamlab import plans as module
    from kamlab import side_tables
    from kamlab.plans.making import SIDE_TABLES, Known
    from kamlab.plans.notes import read_notes

    as_of, members = run.period.calibration_end, run.read("membership")
    given = [name for name in SIDE_TABLES if name in tables.given(run.config)]
    side = {name: tables.read(run.config, name, as_of=as_of).rows for name in given}
    side = {name: side_tables.of_units(rows, members) if "account" in rows else rows for name, rows in side.items()}
    settings = run.config.plans
    written = read_notes(run.config.resolve(settings.notes), personal=settings.personal_data)
    labels = run.read("strategies").drop(columns=["name", "owner"])
    known = Known(
        accounts=beside(run.read("account_table"), labels),
        credit=run.read("credit"),
        cadence=run.read("cadence"),
        deals=run.read("pipeline"),
        mix=product_mix(run.ledger(), run.period, accounts=members),
        side=side,
        notes=written.at(as_of),
    )
    month = run.config.company.fiscal_year_start_month
    made = module.make(known, settings, as_of=as_of, fiscal_year_start_month=month)
    for name, table in made.items():
        run.write(name, table)
    return made["plans"]


@once("dimensions")
def dimensions(run: Run) -> pd.DataFrame:
    """Write `changes` and `dimensions`: why revenue changed; value, growth and risk by region, owner and the like."""
    from kamlab import dimensions as module

    windows = product_windows(run.ledger(), run.period, accounts=run.read("membership"))
    changes = run.write("changes", module.change_by_account(windows))
    by_line = module.change_by_account(windows, by=("account", "product_line"))
    comparable = run.read_facts("revenue")["previous"] is not None
    known = ("account", "has_bought", "p_alive", "expected_contribution", "clv", *module.COLUMNS)
    accounts = run.read("account_table", columns=known)
    return run.write("dimensions", module.table(accounts, changes, comparable=comparable, by_line=by_line))


def account_table(run: Run) -> pd.DataFrame:
    """Merge all that is known of each account, one row an account, prospects included, ordered by account."""
    import pandas as pd

    from kamlab.backtest.probability import gone_below
    from kamlab.features import growth_lower
    from kamlab.forecast import SOON_DAYS

    parts = [undisputed(run), *(run.read(name) for name in ("forecast", "potential", "schemes"))]
    table = run.read("accounts")
    for part in parts:
        table = beside(table, part)
    table["has_bought"] = table["purchase_days"].notna()
    table["p_gone"] = gone_below(run.read("calibration"))
    as_of = pd.Timestamp(run.period.calibration_end)
    table["days_known"] = (as_of - table["first_purchase"]).dt.days
    compared = beside(table[["account", "days_known"]], run.read("growth_windows"))
    table["growth_lower"] = growth_lower(compared)
    table["volume_90"] = table["expected_revenue"] * (SOON_DAYS / DAYS_PER_YEAR)
    table = beside(table, run.read("position"))
    paying, graded = run.read("credit"), run.read("prospects")
    if len(paying):
        owed = ["account", "credit_002", "overdue", "overdue_90", "disputed", "disputed_90"]
        table = beside(table, paying[owed])
    if len(graded):
        table = beside(table, graded[["account", "prospect_004"]])
        deals = run.read("pipeline")
        soon = (deals["value"] * deals["p_win_91"]).groupby(deals["account"]).sum(min_count=1)
        # What sales expects of open deals stands before what the model expects of orders.
        table["volume_90"] = table["account"].map(soon).astype(float).fillna(table["volume_90"])
    return table.sort_values("account", ignore_index=True)
