"""The data's way, one function a step: each reads the tables before it and writes its own, once.

The chapters call these in order; a chapter that runs alone gets missing tables made by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kamlab import freshness as _freshness
from kamlab.accounts import decision_units, read_accounts
from kamlab.config import Config, Table
from kamlab.errors import DataError, first_ids
from kamlab.ledger import Ledger, read_ledger
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.sources import read_table
from kamlab.summary import monthly_revenue, product_mix, revenue_windows, summarize, swings

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run


LARGEST_UNLISTED_SHARE = 0.5
"""A master that lacks more than this share of the log's accounts is another company's, or writes ids otherwise."""


def read_source(config: Config) -> Ledger:
    """Read the configured transaction log."""
    table = config.source.transactions
    return read_ledger(
        config.resolve(table.path),
        columns=table.columns,
        date_format=table.date_format,
        delimiter=table.delimiter,
        header=table.header,
        encoding=table.encoding,
        purchase=table.purchase,
        currency=config.company.currency,
        max_quarantined_share=table.max_quarantined_share,
    )


def read_master(config: Config) -> pd.DataFrame | None:
    """Read the configured account master, if there is one."""
    table = config.source.accounts
    if table is None:
        return None
    raw = read_table(
        config.resolve(table.path),
        delimiter=table.delimiter,
        header=table.header,
        encoding=table.encoding,
        content="account master",
    )
    return read_accounts(raw, columns=table.columns, date_format=table.date_format)


def input_tables(config: Config) -> list[Table]:
    """Return the input tables that the configuration names."""
    return [t for t in (config.source.transactions, config.source.accounts) if t is not None]


def check_source(ledger: Ledger, config: Config, period: StudyPeriod) -> _freshness.Freshness:
    """Judge whether the log is complete up to the as-of date."""
    return _freshness.assess(ledger, period, max_data_lag_days=config.period.max_data_lag_days)


def ledger(run: Run) -> Ledger:
    """Write `ledger`, `quarantine`, `reconciliation`, `accounts`, `membership` and the facts `freshness`.

    Raises
    ------
    DataError
        If the log cannot be read, or is stale and the run does not accept that.
    """
    lines = read_source(run.config)
    fresh = check_source(lines, run.config, run.period)
    if not run.accept_stale:
        _freshness.refuse_stale(fresh)
    run.write("quarantine", lines.quarantine)
    run.write("reconciliation", lines.reconciliation(run.period.calibration_end))
    ids = lines.accounts_until(run.period.calibration_end)
    master = read_master(run.config)
    unlisted = _unlisted(master, ids)
    run.write_facts(
        "freshness",
        {
            "first_line": lines.first_date,
            "last_line": fresh.last_line,
            "lag_days": fresh.lag_days,
            "last_month_lines": fresh.last_month_lines,
            "norm_lines": fresh.norm_lines,
            "findings": fresh.findings,
            "repeated_lines": sum(lines.lines["repeated"].to_pylist()),
            "has_money": lines.has_money,
            "has_cost": lines.has_cost,
            "has_master": master is not None,
            "unlisted_accounts": len(unlisted),
        },
    )
    units, membership = decision_units(
        master, ids, level=run.config.company.account_level, as_of=run.period.calibration_end
    )
    run.write("membership", membership)
    run.write_ledger(lines)
    run.write("accounts", units)
    return lines


def _unlisted(master: pd.DataFrame | None, ids: list[str]) -> list[str]:
    """Return the log's accounts that the master lacks; refuse a master that names less than half of them."""
    if master is None:
        return []
    unlisted = sorted(set(ids) - set(master["account"]))
    if len(unlisted) > LARGEST_UNLISTED_SHARE * len(ids):
        raise DataError(
            f"The account master lacks {len(unlisted)} of the log's {len(ids)} accounts (first: {first_ids(unlisted)}; "
            f"in the master: {first_ids(master['account'], limit=3)}). The ids of the two files are probably written "
            "differently; map the column that holds the same ids, or leave the master out."
        )
    return unlisted


def summary(run: Run) -> pd.DataFrame:
    """Write `summary`, `months` and the facts `revenue`."""
    lines = run.ledger()
    run.write("months", monthly_revenue(lines, run.period))
    run.write_facts("revenue", revenue_windows(lines, run.period))
    return run.write("summary", summarize(lines, run.period, accounts=run.read("membership")))


def value(run: Run) -> pd.DataFrame:
    """Write `backtest`, `models`, `margins`, `draws`, `revenue_draws`, `forecast` and the facts `choice`."""
    from kamlab import backtest, clv, forecast, margins

    lines, table, units = run.ledger(), run.read("summary"), run.read("accounts")
    choice = backtest.choose(lines, run.period, accounts=run.read("membership"), seed=run.config.seed)
    run.write("backtest", choice.record)
    models = [m for m in (choice.transactions, choice.spend) if m is not None]
    run.write("models", clv.parameter_table(models))
    run.write_facts("choice", choice.facts())
    rates = None
    if lines.has_cost:
        channels = units.set_index("account")["channel"].reindex(table["account"])
        rates = margins.rates(table, groups=channels)
        run.write("margins", rates)
    options: dict[str, Any] = {
        "margins": rates,
        "horizon_days": DAYS_PER_YEAR,
        "discount_rate_annual": run.config.value.discount_rate_annual,
        "level": run.config.value.level,
        "n_draws": run.config.value.draws,
        "seed": run.config.seed,
    }
    future, draws, revenue_draws = forecast.value_and_draws(table, choice, **options)
    run.write("draws", draws)
    run.write("revenue_draws", revenue_draws)
    return run.write("forecast", future)


def potential(run: Run) -> pd.DataFrame:
    """Write `potential`, `potential_fit` and `look_alikes`: what each account could buy in a year, and whence."""
    from kamlab import look_alikes
    from kamlab import potential as module

    table, units = run.read("summary"), run.read("accounts")
    mix = product_mix(run.ledger(), run.period, accounts=run.read("membership"))
    fitted, record = look_alikes.upper_revenue(table, units, mix, seed=run.config.seed)
    run.write("potential_fit", record)
    run.write("look_alikes", look_alikes.nearest(table, units))
    estimate = module.estimate(table, units, fitted=fitted.to_dict())
    return run.write("potential", module.with_headroom(estimate, run.read("forecast")))


def features(run: Run) -> pd.DataFrame:
    """Write `features`: what the segments are made from, and what describes them."""
    from kamlab import features as module

    tables = [run.read(name) for name in ("summary", "forecast", "accounts", "potential")]
    lines, units = run.ledger(), run.read("membership")
    table = module.build(
        *tables,
        mix=product_mix(lines, run.period, accounts=units),
        swings=swings(lines, run.period, accounts=units),
    )
    return run.write("features", table)


def tiers(run: Run) -> pd.DataFrame:
    """Write `tiers` and `schemes`: the fitted and the fixed borders, and every account's class by each."""
    from kamlab import schemes
    from kamlab import tiers as module

    if not run.ledger().has_money:
        raise DataError(
            "The log has no amounts, so there are no borders, types or strategies to report. Map a column with the "
            "value of each line as amount; chapters 01 and 02 and the models of purchases work without."
        )
    if run.read("forecast")["expected_contribution"].isna().all():
        raise DataError(
            "Order values cannot be modelled, because fewer than 10 accounts have bought again for more than nothing; "
            "without expected values there are no borders, types or strategies. Take a longer log."
        )
    future, table = run.read("forecast"), run.read("summary")
    joined = future.merge(table, on="account")
    to_value = joined["margin_rate"].fillna(1.0)
    levels = run.config.levels
    contribution = module.fit(
        future["expected_contribution"],
        earlier_values=joined["previous_revenue"] * to_value,
        next_values=joined["trailing_revenue"] * to_value,
        configured=levels.contribution,
        seed=run.config.seed,
    )
    worth = run.read("potential")
    cuts = {"contribution": contribution}
    if worth["potential_revenue"].notna().any():
        cuts["potential"] = module.fit(worth["potential_revenue"], configured=levels.potential, seed=run.config.seed)
    fixed = {"contribution": levels.contribution, "potential": levels.potential}
    run.write("tiers", module.table(cuts, fixed))
    return run.write("schemes", schemes.assign(_values(run), cuts, fixed))


def segments(run: Run, *, k: int | None = None, method: str | None = None) -> pd.DataFrame:
    """Write `segments`, their probabilities, candidates, rules and profile, and the facts `segmentation`.

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
    return run.write("segments", found.labels)


def strategies(run: Run) -> pd.DataFrame:
    """Write `account_table` and `strategies`: type and strategy of every account, each with rule and values."""
    from kamlab import strategies as module

    path = run.config.strategies.playbook
    playbook = module.load_playbook(run.config.resolve(path) if path else None)
    cuts = run.read("tiers")
    fitted = cuts[(cuts["axis"] == "contribution") & (cuts["scheme"] == "fitted") & (cuts["cut"] == "high")]
    accounts = run.write("account_table", account_table(run))
    labels = module.assign(
        accounts,
        playbook,
        as_of=run.period.calibration_end,
        contribution_cut_high=float(fitted["value"].iloc[0]),
    )
    return run.write("strategies", labels)


def account_table(run: Run) -> pd.DataFrame:
    """Merge all that is known of each account, one row an account, prospects included, ordered by account."""
    import pandas as pd

    parts = [run.read(name) for name in ("summary", "forecast", "potential", "schemes")]
    table = run.read("accounts")
    for part in parts:
        table = table.merge(part, on="account", how="left", validate="one_to_one")
    table["has_bought"] = table["purchase_days"].notna()
    as_of = pd.Timestamp(run.period.calibration_end)
    table["days_known"] = (as_of - table["first_purchase"]).dt.days
    return table.sort_values("account", ignore_index=True)


def _values(run: Run) -> pd.DataFrame:
    """Return what the schemes class every account by, prospects included."""
    units, worth = run.read("accounts"), run.read("potential")
    past = run.read("summary")[["account", "trailing_revenue"]]
    future = run.read("forecast")[["account", "expected_contribution"]]
    table = units[["account"]].merge(future, on="account", how="left").merge(past, on="account", how="left")
    return table.merge(worth[["account", "potential_revenue"]], on="account", how="left")


MAKERS: dict[str, Callable[[Run], Any]] = {
    **dict.fromkeys(("ledger", "quarantine", "reconciliation", "accounts", "membership", "freshness"), ledger),
    **dict.fromkeys(("summary", "months", "revenue"), summary),
    **dict.fromkeys(("backtest", "models", "margins", "draws", "revenue_draws", "forecast", "choice"), value),
    **dict.fromkeys(("potential", "potential_fit", "look_alikes"), potential),
    "features": features,
    **dict.fromkeys(("tiers", "schemes"), tiers),
    **dict.fromkeys(("segments", "candidates", "profile", "segmentation"), segments),
    **dict.fromkeys(("feature_rules", "segment_rules", "segment_probabilities"), segments),
    **dict.fromkeys(("account_table", "strategies"), strategies),
}
"""Which step writes which table or facts."""
