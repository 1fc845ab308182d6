"""The steps that class accounts: features, borders and schemes, their evidence, segments and totals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kamlab.accounts import decision_units, read_master
from kamlab.buying import product_mix, swings
from kamlab.errors import DataError
from kamlab.period import StudyPeriod
from kamlab.steps.once import once, stands
from kamlab.steps.valuing import costs, covariates, owners, undisputed

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run


@once("features")
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


@once("schemes")
def tiers(run: Run) -> pd.DataFrame:
    """Write `tiers`, `schemes`, `scheme_list`, `class_probabilities`, `transitions` and `earlier`.

    These are the fitted and the fixed borders, every account's class by each scheme with its probability, how it
    moved since the quarter before, and what runs at earlier dates would have said.
    """
    from kamlab import earlier, quarters, schemes, side_tables
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
    values = schemes.inputs(run.read("accounts"), undisputed(run), run.read("forecast"), run.read("potential"))
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
    moved = run.write("transitions", quarters.transitions(run.ledger(), run.period, settings, values, applied.cuts))
    return run.write("schemes", _with_classes(applied.table, moved, "held"))


def _with_classes(classes: pd.DataFrame, moved: pd.DataFrame, which: str) -> pd.DataFrame:
    """Put the classes that are in force ("held"), or those by the value alone ("now"), into the table of schemes."""
    by_column = {column: rows.set_index("account")[which] for column, rows in moved.groupby("column")}
    return classes.assign(**{c: classes["account"].map(found).astype("str") for c, found in by_column.items()})


def _settings(run: Run, fixed: dict[str, tuple[float, float]]) -> Any:
    """Return what runs at earlier dates share with this one."""
    from kamlab import earlier, side_tables

    return earlier.Settings(
        units=run.read("accounts"),
        membership=run.read("membership"),
        fixed=fixed,
        forecaster=run.read_facts("choice")["forecaster"],
        covariates=covariates(run),
        level=run.config.value.level,
        seed=run.config.seed,
        costs=costs(run),
        books=side_tables.invoices_and_payments(run.config, run.period, accounts=run.read("membership")),
        discount_rate_annual=run.config.value.discount_rate_annual,
        then=_then(run),
    )


def _then(run: Run) -> Callable[[StudyPeriod], tuple[pd.DataFrame, dict[str, float]]]:
    """Return what tells account master and open deals as they were known on an earlier date."""
    from kamlab import side_tables

    listed = read_master(run.config, as_of=run.period.calibration_end)
    master = None if listed is None else listed.rows
    level, members = run.config.company.account_level, run.read("membership")

    def then(period: StudyPeriod) -> tuple[pd.DataFrame, dict[str, float]]:
        # Without a master nothing that is known of the accounts has a date.
        units = run.read("accounts")
        if master is not None:
            units, _ = decision_units(master, members["member"], level=level, as_of=period.calibration_end)
        found = side_tables.pipeline(run.config, period, accounts=members, seed=run.config.seed)
        deals = {} if found is None else found.prospects.set_index("account")["open_value"].to_dict()
        return units, deals

    return then


@once("evidence")
def evidence(run: Run) -> pd.DataFrame:
    """Write `evidence`: whether the fitted borders serve better than each other scheme, judged on the past."""
    from kamlab import evidence as module

    past = run.read("earlier")
    judged = {"account": past["account"].unique().tolist()}
    moved = run.read("transitions", columns=["account", "column", "now"], where=judged)
    # classes of earlier dates are those of the value alone, so today's are too
    today = _with_classes(run.read("schemes", where=judged), moved, "now")
    return run.write("evidence", module.measure(past, today, seed=run.config.seed))


def segments(run: Run, *, k: int | None = None, method: str | None = None) -> pd.DataFrame:
    """Write `segments`, their probabilities, candidates, rules, profile and `totals`, and the facts `segmentation`.

    And `prospect_segments` with facts of that name: which segment each prospect would probably join.

    `k` and `method` override the rule. Segments keep their numbers where the same company's run before had some.
    """
    from kamlab import prospect_segments
    from kamlab import segments as module

    if k is method is None and stands(run, "segments"):
        return run.read("segments")
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
    likely, record = prospect_segments.likely(run.read("accounts"), found.labels)
    run.write("prospect_segments", likely)
    run.write_facts("prospect_segments", record)
    return run.write("segments", found.labels)


def _totals(run: Run, labels: pd.DataFrame) -> pd.DataFrame:
    """Add up what the company, owners and segments bring in 12 months, and their value of 3 and 5 years."""
    import pandas as pd

    from kamlab.totals import totals

    future, groups = run.read("forecast").set_index("account"), owners(run.read("accounts"))
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
