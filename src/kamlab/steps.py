"""The data's way, one function a step: each reads the tables before it and writes its own, once.

The chapters call these in order; a chapter that runs alone gets missing tables made by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamlab import freshness as _freshness
from kamlab import intake, quality, tables
from kamlab.accounts import decision_units, read_accounts
from kamlab.config import Config
from kamlab.errors import DataError, first_ids
from kamlab.ledger import Ledger, read_ledger
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.sources import Reading, parquet_files
from kamlab.summary import monthly_revenue, revenue_windows, summarize
from kamlab.terms import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run


LARGEST_UNLISTED_SHARE = 0.5
"""A master that lacks more than this share of the log's accounts is another company's, or writes ids otherwise."""


def read_lines(config: Config, *, scratch: Path | None = None) -> tuple[Ledger, tuple[Reading, ...]]:
    """Read the configured transaction log, and say how its files were read; temporary files go to `scratch`.

    Raises
    ------
    DataError
        If it cannot be read, or more of its rows or of its money is impossible than the configuration allows.
    """
    table, source = config.source.transactions, config.source
    options: dict[str, Any] = {
        "purchase": table.purchase,
        "currency": config.company.currency,
        "max_quarantined_share": table.max_quarantined_share,
        "engine": config.engine,
        "scratch": scratch,
    }
    files = parquet_files(table.path, base=config.base)
    if files and source.rates is None and intake.is_plain(table):
        formats: dict[str, Any] = {
            "date_format": table.date_format,
            "decimal": table.decimal,
            "thousands": table.thousands,
        }
        columns = intake.dated_columns(table)
        lines = read_ledger(config.resolve(table.path), columns=columns, **formats, **options)
        readings: tuple[Reading, ...] = ()
    else:
        raw, columns = intake.transactions(config)
        lines, readings = read_ledger(raw, columns=columns, **options), raw.readings
    quality.refuse_much_money(lines, table.max_quarantined_money)
    return lines, tuple(reading for reading in dict.fromkeys(readings) if reading.what)


def read_master(config: Config) -> pd.DataFrame | None:
    """Read the configured account master, if there is one."""
    table = config.source.accounts
    if table is None:
        return None
    raw = intake.read(table, config.base, "account master")
    formats = {"date_format": table.date_format, "decimal": table.decimal, "thousands": table.thousands}
    return read_accounts(raw, columns=table.columns, **formats)


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
    lines, readings = read_lines(run.config, scratch=run.scratch)
    fresh = check_source(lines, run.config, run.period)
    if not run.accept_stale:
        _freshness.refuse_stale(fresh)
    for name, bad in (("quarantine", lines.quarantine), ("table_quarantine", check_tables(run.config, run.period))):
        run.write(name, bad)
        run.write_csv(name, bad)
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
            "repeated_lines": lines.repeated_lines,
            "has_money": lines.has_money,
            "has_cost": lines.has_cost,
            "has_master": master is not None,
            "unlisted_accounts": len(unlisted),
            "readings": [[r.source, list(r.what), sorted(r.found), r.example] for r in readings],
        },
    )
    units, membership = decision_units(
        master, ids, level=run.config.company.account_level, as_of=run.period.calibration_end
    )
    run.write("membership", membership)
    run.write_ledger(lines)
    run.write("accounts", units)
    return run.ledger()


def check_tables(config: Config, period: StudyPeriod) -> pd.DataFrame:
    """Read all optional tables and return their quarantine.

    Raises
    ------
    DataError
        If so much of a table cannot be used that the rest would mislead; all such tables in one message.
    """
    import pandas as pd

    found = [tables.read(config, name, as_of=period.calibration_end) for name in tables.given(config)]
    refused = [" ".join(line.strip() for line in table.said()) for table in found if table.too_many]
    if refused:
        raise DataError(" ".join(refused))
    columns = [column.name for column in TABLES["table_quarantine"]]
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    parts = [table.quarantine for table in found if len(table.quarantine)]
    return pd.concat(parts, ignore_index=True) if parts else empty.astype({"line": "int64", "amount": "float64"})


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
    """Write `potential`: what each account could buy in twelve months, where that number comes from, and headroom."""
    from kamlab import potential as module

    estimate = module.estimate(run.read("summary"), run.read("accounts"))
    return run.write("potential", module.with_headroom(estimate, run.read("forecast")))


def features(run: Run) -> pd.DataFrame:
    """Write `features`: what the segments are made from."""
    from kamlab import features as module

    table = module.build(run.read("summary"), run.read("forecast"), run.read("accounts"), run.read("potential"))
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


def segments(run: Run, *, k: int | None = None) -> pd.DataFrame:
    """Write `segments`, `candidates`, `profile` and the facts `segmentation`; `k` overrides the rule."""
    from kamlab import segments as module

    found = module.fit(run.read("features"), k=k, seed=run.config.seed)
    run.write("candidates", found.candidates)
    run.write("profile", found.profile)
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
    **dict.fromkeys(
        ("ledger", "quarantine", "table_quarantine", "reconciliation", "accounts", "membership", "freshness"), ledger
    ),
    **dict.fromkeys(("summary", "months", "revenue"), summary),
    **dict.fromkeys(("backtest", "models", "margins", "draws", "revenue_draws", "forecast", "choice"), value),
    "potential": potential,
    "features": features,
    **dict.fromkeys(("tiers", "schemes"), tiers),
    **dict.fromkeys(("segments", "candidates", "profile", "segmentation"), segments),
    **dict.fromkeys(("account_table", "strategies"), strategies),
}
"""Which step writes which table or facts."""
