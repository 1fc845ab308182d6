"""The data's way, one function a step: each reads the tables before it and writes its own, once.

The chapters call these in order; a chapter that runs alone gets missing tables made by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kamlab import freshness as _freshness
from kamlab import inputs, tables
from kamlab.accounts import decision_units
from kamlab.buying import product_mix, product_windows, swings
from kamlab.errors import DataError
from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.planning_steps import effort, review, targets
from kamlab.summary import monthly_revenue, revenue_windows, summarize
from kamlab.terms import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run


def ledger(run: Run) -> Ledger:
    """Write `ledger`, `quarantine`, `reconciliation`, `books`, `accounts`, `membership` and the facts `freshness`.

    Raises
    ------
    DataError
        If the log cannot be read, or is stale and the run does not accept that.
    """
    lines, readings = inputs.read_lines(run.config, scratch=run.scratch)
    fresh = inputs.check_source(lines, run.config, run.period)
    if not run.accept_stale:
        _freshness.refuse_stale(fresh, run.period)
    for name, bad in (
        ("quarantine", lines.quarantine),
        ("table_quarantine", inputs.check_tables(run.config, run.period)),
    ):
        run.write(name, bad)
        run.write_csv(name, bad)
    run.write("reconciliation", _known_then(lines.reconciliation(run.period.calibration_end)))
    run.write("books", inputs.compare_with_books(run.config, lines, run.period))
    ids = lines.accounts_until(run.period.calibration_end)
    master = inputs.read_master(run.config)
    unlisted = inputs.unlisted(master, ids)
    units, membership = decision_units(
        master, ids, level=run.config.company.account_level, as_of=run.period.calibration_end
    )
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
            "accounts_in_log": int(membership.loc[membership["member"].isin(ids), "account"].nunique()),
            "readings": [[r.source, list(r.what), sorted(r.found), r.example] for r in readings],
        },
    )
    run.write("membership", membership)
    run.write_ledger(lines, until=run.period.calibration_end)
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


def value(run: Run) -> pd.DataFrame:
    """Write the contest's tables, the forecast's, and the facts `choice` and `spend`.

    The contest's are `backtest`, `contest`, `calibration` and `record_groups`; the forecast's are `models`, `margins`,
    `draws`, `revenue_draws`, `forecast`, `lifetime`, `lifetime_totals` and `lifetime_draws`.
    """
    from kamlab import backtest, clv, forecast, lifetime, margins
    from kamlab.clv.spend import independence

    lines, table, units = run.ledger(), run.read("summary"), run.read("accounts")
    known = _covariates(run)
    choice = backtest.choose(
        lines,
        run.period,
        accounts=run.read("membership"),
        covariates=known,
        forecaster=run.config.value.forecaster,
        seed=run.config.seed,
        summary=table,
    )
    run.write("backtest", choice.record)
    run.write("contest", choice.candidates)
    run.write("calibration", choice.calibration)
    run.write("record_groups", choice.groups)
    models = [m for m in (choice.transactions, choice.spend) if m is not None]
    run.write("models", clv.parameter_table(models))
    facts, wanted = choice.facts(), run.config.value.draws
    n_draws = forecast.affordable_draws(wanted, len(table))
    facts["notes"] += [forecast.NOTE_FEWER_DRAWS] if n_draws < wanted else []
    run.write_facts("choice", facts)
    run.write_facts("spend", independence(table).facts() if choice.spend_fitted else {})
    rates = None
    if lines.has_cost:
        channels = units.set_index("account")["channel"].reindex(table["account"])
        costs = _costs(run)
        served = None if costs is None else margins.cost_to_serve(costs, run.period, accounts=run.read("membership"))
        rates = margins.rates(table, groups=channels, costs=served)
        run.write("margins", rates)
    options: dict[str, Any] = {
        "margins": rates,
        "horizon_days": DAYS_PER_YEAR,
        "discount_rate_annual": run.config.value.discount_rate_annual,
        "level": run.config.value.level,
        "n_draws": n_draws,
        "seed": run.config.seed,
    }
    table = backtest.described(table, known)
    future, draws, revenue_draws = forecast.value_and_draws(table, choice, **options)
    run.write("draws", draws)
    run.write("revenue_draws", revenue_draws)
    beyond, sums, beyond_draws = lifetime.value(
        table,
        choice,
        future,
        draws,
        groups=_owners(units),
        discount_rate_annual=run.config.value.discount_rate_annual,
        seed=run.config.seed,
    )
    run.write("lifetime", beyond)
    run.write("lifetime_totals", sums)
    run.write("lifetime_draws", beyond_draws)
    return run.write("forecast", future)


def _covariates(run: Run) -> pd.DataFrame | None:
    """Return what models with covariates may take of the account master, where the configuration names any."""
    names = run.config.value.covariates
    return run.read("accounts")[["account", *names]] if names else None


def _costs(run: Run) -> pd.DataFrame | None:
    """Return what serving accounts has cost, where a table of costs is given."""
    if "costs" not in tables.given(run.config):
        return None
    return tables.read(run.config, "costs", as_of=run.period.calibration_end).rows


def _owners(units: pd.DataFrame) -> dict[str, pd.Series]:
    """Return each account's owner, where there are owners at all."""
    owner = units.set_index("account")["owner"]
    return {"owner": owner} if owner.notna().any() else {}


def potential(run: Run) -> pd.DataFrame:
    """Write `potential`, `potential_fit` and `look_alikes`: what each account could buy in a year, and whence."""
    from kamlab import look_alikes
    from kamlab import potential as module

    table, units = _undisputed(run), run.read("accounts")
    mix = product_mix(run.ledger(), run.period, accounts=run.read("membership"))
    fitted, record = look_alikes.upper_revenue(table, units, mix, seed=run.config.seed)
    run.write("potential_fit", record)
    run.write("look_alikes", look_alikes.nearest(table, units))
    open_deals = run.read("prospects").set_index("account")["open_value"]
    estimate = module.estimate(table, units, fitted=fitted.to_dict(), pipeline=open_deals.to_dict())
    return run.write("potential", module.with_headroom(estimate, run.read("forecast")))


def _undisputed(run: Run) -> pd.DataFrame:
    """Return the summary as accounts are judged by it: less what they dispute."""
    from kamlab import credit as module

    return module.without_disputed(run.read("summary"), run.read("credit"))


def credit(run: Run) -> pd.DataFrame:
    """Write `credit`: how each account pays; without rows where invoices and payments are not given."""
    from kamlab import side_tables

    spend = run.read("forecast").set_index("account")["expected_revenue"]
    return run.write(
        "credit", side_tables.credit(run.config, run.period, accounts=run.read("membership"), expected_revenue=spend)
    )


def prospects(run: Run) -> pd.DataFrame:
    """Write `pipeline`, `prospects`, `pipeline_record` and the facts `pipeline_total`: open deals and their chances."""
    import pandas as pd

    from kamlab import side_tables

    found = side_tables.pipeline(run.config, run.period, accounts=run.read("membership"), seed=run.config.seed)
    parts = {} if found is None else {"pipeline": found.deals, "prospects": found.prospects}
    parts |= {} if found is None else {"pipeline_record": found.record}
    for name in ("pipeline", "pipeline_record", "prospects"):
        run.write(name, parts.get(name, pd.DataFrame(columns=[column.name for column in TABLES[name]])))
    known = found is not None and found.model != "closing_dates"
    total = {} if found is None or not known else {"total": found.total, "lower": found.lower, "upper": found.upper}
    run.write_facts("pipeline_total", {"model": "" if found is None else found.model, **total})
    return run.read("prospects")


def features(run: Run) -> pd.DataFrame:
    """Write `features`: what the segments are made from, and what describes them."""
    from kamlab import features as module

    tables = [run.read(name) for name in ("summary", "forecast", "accounts", "potential")]
    lines, units = run.ledger(), run.read("membership")
    table = module.build(
        *tables,
        mix=product_mix(lines, run.period, accounts=units),
        swings=swings(lines, run.period, accounts=units),
        payments=run.read("credit"),
        windows=run.read("growth_windows"),
    )
    return run.write("features", table)


def tiers(run: Run) -> pd.DataFrame:
    """Write `tiers`, `schemes`, `scheme_list`, `class_probabilities`, `transitions` and `earlier`.

    These are the fitted and the fixed borders, every account's class by each scheme with its probability, how it
    moved since the quarter before, and what runs at earlier dates would have said.
    """
    from kamlab import earlier, schemes, side_tables
    from kamlab import tiers as module

    if not run.ledger().has_money:
        raise DataError(
            "The log has no amounts, so there are no borders, types or strategies to report. Map a column with the "
            "value of each line as amount; chapters 01 and 02 and the models of purchases work without."
        )
    if run.read("forecast")["expected_contribution"].isna().all():
        raise DataError(
            "Order values cannot be modelled, because no account has bought for more than nothing; without expected "
            "values there are no borders, types or strategies. Check the column of amounts."
        )
    levels, seed = run.config.levels, run.config.seed
    fixed = {"contribution": levels.contribution, "potential": levels.potential}
    settings = _settings(run, fixed)
    past = run.write("earlier", earlier.look_back(run.ledger(), run.period, settings))
    values = schemes.inputs(run.read("accounts"), _undisputed(run), run.read("forecast"), run.read("potential"))
    paying = run.read("credit")
    if len(paying):
        values = values.merge(paying[["account", "credit_002"]], on="account", how="left")
    told = side_tables.attitude(run.config, run.period, accounts=run.read("membership"))
    if told is not None:
        values = values.merge(told, on="account", how="left")
    bought, newest = values[values["expected_contribution"].notna()], past[past["back"] == 1]
    cuts = {"contribution": earlier.contribution_cuts(bought, newest, levels.contribution, seed=seed)}
    worth = values["potential_revenue"]
    if worth.notna().any():
        cuts["potential"] = module.fit(worth, configured=levels.potential, seed=seed)
    run.write("tiers", module.table(cuts, fixed))
    applied = schemes.apply(values, cuts, fixed, seed=seed)
    run.write("scheme_list", applied.listing)
    run.write("class_probabilities", schemes.probabilities(run.read("draws"), values, applied.cuts))
    moved = run.write("transitions", earlier.transitions(run.ledger(), run.period, settings, values, applied.cuts))
    return run.write("schemes", _with_classes(applied.table, moved, "held"))


def _with_classes(classes: pd.DataFrame, moved: pd.DataFrame, which: str) -> pd.DataFrame:
    """Put the classes that are in force ("held"), or those by the value alone ("now"), into the table of schemes."""
    by_column = {column: rows.set_index("account")[which] for column, rows in moved.groupby("column")}
    return classes.assign(**{c: classes["account"].map(found).astype("str") for c, found in by_column.items()})


def _settings(run: Run, fixed: dict[str, tuple[float, float]]) -> Any:
    """Return what runs at earlier dates share with this one."""
    from kamlab import earlier

    return earlier.Settings(
        units=run.read("accounts"),
        membership=run.read("membership"),
        fixed=fixed,
        forecaster=run.read_facts("choice")["forecaster"],
        covariates=_covariates(run),
        level=run.config.value.level,
        seed=run.config.seed,
        costs=_costs(run),
        then=_then(run),
    )


def _then(run: Run) -> Callable[[StudyPeriod], tuple[pd.DataFrame, dict[str, float]]]:
    """Return what tells account master and open deals as they were known on an earlier date."""
    from kamlab import side_tables

    master = inputs.read_master(run.config)
    level, members = run.config.company.account_level, run.read("membership")

    def then(period: StudyPeriod) -> tuple[pd.DataFrame, dict[str, float]]:
        units, _ = decision_units(master, members["member"], level=level, as_of=period.calibration_end)
        found = side_tables.pipeline(run.config, period, accounts=members, seed=run.config.seed)
        deals = {} if found is None else found.prospects.set_index("account")["open_value"].to_dict()
        return units, deals

    return then


def evidence(run: Run) -> pd.DataFrame:
    """Write `evidence`: whether the fitted borders serve better than each other scheme, judged on the past."""
    from kamlab import evidence as module

    # classes of earlier dates are those of the value alone, so today's are too
    today = _with_classes(run.read("schemes"), run.read("transitions"), "now")
    return run.write("evidence", module.measure(run.read("earlier"), today, seed=run.config.seed))


def segments(run: Run, *, k: int | None = None, method: str | None = None) -> pd.DataFrame:
    """Write `segments`, their probabilities, candidates, rules, profile and `totals`, and the facts `segmentation`.

    `k` and `method` override the rule. Segments keep their numbers where the same company's run before had some.
    """
    from kamlab import segments as module

    found = module.fit(run.read("features"), k=k, method=method, seed=run.config.seed)
    before = run.before()
    if before is not None:
        highest = before.read_facts("segmentation")["highest_id"]
        found = found.after(before.read("profile"), before.read("segments"), highest)
    run.write("candidates", found.candidates)
    run.write("profile", found.profile)
    run.write("feature_rules", found.feature_rules)
    run.write("segment_rules", found.rules)
    run.write("segment_probabilities", found.probabilities)
    run.write_facts("segmentation", found.facts())
    run.write("totals", _totals(run, found.labels))
    return run.write("segments", found.labels)


def _totals(run: Run, labels: pd.DataFrame) -> pd.DataFrame:
    """Add up what the company, owners and segments bring in 12 months, and their value of 3 and 5 years."""
    import pandas as pd

    from kamlab.totals import totals

    future, groups = run.read("forecast").set_index("account"), _owners(run.read("accounts"))
    groups["segment"] = labels.set_index("account")["segment_name"]
    basis = str(future["basis"].iloc[0])
    of_money = [("revenue", "revenue_draws", "revenue"), ("contribution", "draws", basis)]
    measures = [("purchases", "draws", basis)] if basis == "purchases" else of_money
    level = run.config.value.level
    added = [
        totals(future[f"expected_{measure}"], run.read(draws), groups, measure=measure, basis=kind, level=level)
        for measure, draws, kind in measures
    ]
    beyond = run.read("lifetime").set_index("account")
    for years, drawn in run.read("lifetime_draws").groupby("years"):
        name = f"clv_{years}y"
        drawn = drawn.drop(columns="years")
        added.append(totals(beyond[name], drawn, groups, measure=name, basis=basis, level=level))
    return pd.concat(added, ignore_index=True)


def strategies(run: Run) -> pd.DataFrame:
    """Write `position`, `account_table`, `strategies` and `labels`: every account's labels with rule and probability.

    The facts `left_out` name the schemes that say nothing for want of data, `overrides` people's expired decisions.
    """
    from kamlab import strategies as module

    path = run.config.strategies.playbook
    playbook = module.load_playbook(run.config.resolve(path) if path else None)
    cuts = run.read("tiers")
    fitted = cuts[(cuts["axis"] == "contribution") & (cuts["scheme"] == "fitted")].set_index("cut")["value"]
    run.write("position", _position(run))
    accounts = run.write("account_table", account_table(run))
    as_of, high = run.period.calibration_end, float(fitted["high"])
    chances = run.read("class_probabilities")
    labels = module.assign_all(accounts, playbook, as_of=as_of, contribution_cut_high=high, class_probabilities=chances)
    run.write("labels", labels)
    run.write_facts("left_out", dict(module.left_out(accounts, playbook)))
    in_force, expired = playbook.overrides_at(as_of)
    run.write_facts(
        "overrides",
        {
            "in_force": len(in_force),
            "expired": [[o.account, o.scheme, o.label, o.owner, o.until.isoformat()] for o in expired],
        },
    )
    return run.write("strategies", module.assign(accounts, playbook, as_of=as_of, contribution_cut_high=high))


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


def coverage(run: Run) -> pd.DataFrame:
    """Write `coverage`, `reassignment`, `cadence`, `roster` and facts `headcount`: who looks after whom, how often."""
    from dataclasses import asdict

    from kamlab import coverage as module
    from kamlab import side_tables

    wide = run.read("labels").pivot(index="account", columns="scheme", values="label").reset_index()
    wide = wide.reindex(columns=["account", "coverage_004", "cadence_002"])
    # Without a class by amount everybody is served from the pool.
    wide["coverage_004"] = wide["coverage_004"].fillna("pooled")
    table = run.read("account_table").merge(wide, on="account")
    table = table.merge(run.read("strategies")[["account", "plan_required"]], on="account")
    active = side_tables.active_people(run.config, run.period, table["owner"])
    here = table["owner"] if active is None else table["owner"].where(table["owner"].isin(active))
    run.write_facts("headcount", asdict(module.headcount(table["coverage_004"], here)))
    run.write("reassignment", module.reassign(table, active=active))
    contacts = side_tables.contacts(run.config, run.period, accounts=run.read("membership"))
    run.write("cadence", module.cadence(table, contacts, as_of=run.period.calibration_end))
    pooled = table[table["coverage_004"] == "pooled"]
    run.write("roster", pooled[[column.name for column in TABLES["roster"]]].sort_values("account"))
    return run.write("coverage", module.load(table, active=active))


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
        accounts=run.read("account_table").merge(labels, on="account", validate="one_to_one"),
        credit=run.read("credit"),
        cadence=run.read("cadence"),
        deals=run.read("pipeline"),
        mix=product_mix(run.ledger(), run.period, accounts=members),
        draws=run.read("revenue_draws"),
        side=side,
        notes=written.at(as_of),
    )
    month = run.config.company.fiscal_year_start_month
    made = module.make(known, settings, as_of=as_of, fiscal_year_start_month=month)
    for name, table in made.items():
        run.write(name, table)
    return made["plans"]


def dimensions(run: Run) -> pd.DataFrame:
    """Write `changes` and `dimensions`: why revenue changed; value, growth and risk by region, owner and the like."""
    from kamlab import dimensions as module

    windows = product_windows(run.ledger(), run.period, accounts=run.read("membership"))
    changes = run.write("changes", module.change_by_account(windows))
    by_line = module.change_by_account(windows, by=("account", "product_line"))
    comparable = run.read_facts("revenue")["previous"] is not None
    accounts = run.read("account_table")
    return run.write("dimensions", module.table(accounts, changes, comparable=comparable, by_line=by_line))


def account_table(run: Run) -> pd.DataFrame:
    """Merge all that is known of each account, one row an account, prospects included, ordered by account."""
    import pandas as pd

    from kamlab.features import growth_lower
    from kamlab.forecast import SOON_DAYS

    parts = [_undisputed(run), *(run.read(name) for name in ("forecast", "potential", "schemes"))]
    table = run.read("accounts")
    for part in parts:
        table = table.merge(part, on="account", how="left", validate="one_to_one")
    table["has_bought"] = table["purchase_days"].notna()
    as_of = pd.Timestamp(run.period.calibration_end)
    table["days_known"] = (as_of - table["first_purchase"]).dt.days
    compared = table[["account", "days_known"]].merge(run.read("growth_windows"), on="account", how="left")
    table["growth_lower"] = growth_lower(compared)
    table["volume_90"] = table["expected_revenue"] * (SOON_DAYS / DAYS_PER_YEAR)
    table = table.merge(run.read("position"), on="account", how="left", validate="one_to_one")
    paying, graded = run.read("credit"), run.read("prospects")
    if len(paying):
        owed = ["account", "credit_002", "overdue", "overdue_90", "disputed", "disputed_90"]
        table = table.merge(paying[owed], on="account", how="left", validate="one_to_one")
    if len(graded):
        table = table.merge(graded[["account", "prospect_004"]], on="account", how="left", validate="one_to_one")
        deals = run.read("pipeline")
        soon = (deals["value"] * deals["p_win_91"]).groupby(deals["account"]).sum(min_count=1)
        # What sales expects of open deals stands before what the model expects of orders.
        table["volume_90"] = table["account"].map(soon).astype(float).fillna(table["volume_90"])
    return table.sort_values("account", ignore_index=True)


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
    **dict.fromkeys(("position", "account_table", "strategies", "labels", "left_out", "overrides"), strategies),
    **dict.fromkeys(("coverage", "reassignment", "cadence", "roster", "headcount"), coverage),
    **dict.fromkeys(("plans", "plan_notes", "plan_people", "plan_mix", "plan_findings"), plans),
    **dict.fromkeys(("plan_actions", "plan_projects", "plan_competitors"), plans),
    **dict.fromkeys(("changes", "dimensions"), dimensions),
    **dict.fromkeys(("gains", "strategy_gains", "targets", "plan"), targets),
    "effort": effort,
    **dict.fromkeys(("standing", "comparison", "held_against", "actions_review", "actions_result"), review),
    **dict.fromkeys(("feature_rules", "segment_rules", "segment_probabilities"), segments),
}
"""Which step writes which table or facts."""
