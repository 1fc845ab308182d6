"""The steps that value accounts: contest and forecast, credit, open deals and potential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kamlab import tables
from kamlab.buying import product_mix
from kamlab.period import DAYS_PER_YEAR
from kamlab.steps.once import once
from kamlab.terms import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run
    from kamlab.strategies.model import Playbook


@once("forecast")
def value(run: Run) -> pd.DataFrame:
    """Write the contest's tables, the forecast's, and the facts `choice` and `spend`.

    The contest's are `backtest`, `contest`, `calibration` and `record_groups`; the forecast's are `models`, `margins`,
    `draws`, `revenue_draws`, `forecast`, `lifetime`, `lifetime_totals` and `lifetime_draws`.
    """
    from kamlab import backtest, clv, forecast, lifetime, margins
    from kamlab.clv.spend import independence

    lines, table, units = run.ledger(), run.read("summary"), run.read("accounts")
    known = covariates(run)
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
        spent = costs(run)
        served = None if spent is None else margins.cost_to_serve(spent, run.period, accounts=run.read("membership"))
        rates = margins.rates(table, groups=channels, costs=served, receivables=_receivables(run, table["account"]))
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
        groups=owners(units),
        discount_rate_annual=run.config.value.discount_rate_annual,
        seed=run.config.seed,
    )
    run.write("lifetime", beyond)
    run.write("lifetime_totals", sums)
    run.write("lifetime_draws", beyond_draws)
    return run.write("forecast", future)


def _receivables(run: Run, accounts: pd.Series) -> pd.DataFrame | None:
    """Return what selling on credit takes of each account's revenue, where invoices and payments are given."""
    from kamlab import receivables, side_tables

    books = side_tables.invoices_and_payments(run.config, run.period, accounts=run.read("membership"))
    if books is None:
        return None
    rate = run.config.value.discount_rate_annual
    return receivables.rates(*books, accounts, as_of=run.period.calibration_end, discount_rate_annual=rate)


def covariates(run: Run) -> pd.DataFrame | None:
    """Return what models with covariates may take of the account master, where the configuration names any."""
    names = run.config.value.covariates
    return run.read("accounts")[["account", *names]] if names else None


def costs(run: Run) -> pd.DataFrame | None:
    """Return what serving accounts has cost, where a table of costs is given."""
    if "costs" not in tables.given(run.config):
        return None
    return tables.read(run.config, "costs", as_of=run.period.calibration_end).rows


def owners(units: pd.DataFrame) -> dict[str, pd.Series]:
    """Return each account's owner, where there are owners at all."""
    owner = units.set_index("account")["owner"]
    return {"owner": owner} if owner.notna().any() else {}


@once("potential")
def potential(run: Run) -> pd.DataFrame:
    """Write `potential`, `potential_fit` and `look_alikes`: what each account could buy in a year, and whence."""
    import pandas as pd

    from kamlab import look_alikes
    from kamlab import potential as module

    table, units = undisputed(run), run.read("accounts")
    mix = pd.DataFrame(columns=["account"])
    if units["channel"].notna().any():  # look-alikes are sought within a channel
        mix = product_mix(run.ledger(), run.period, accounts=run.read("membership"))
    fitted, record = look_alikes.upper_revenue(table, units, mix, seed=run.config.seed)
    run.write("potential_fit", record)
    run.write("look_alikes", look_alikes.nearest(table, units))
    open_deals = run.read("prospects").set_index("account")["open_value"]
    estimate = module.estimate(table, units, fitted=fitted.to_dict(), pipeline=open_deals.to_dict())
    return run.write("potential", module.with_headroom(estimate, run.read("forecast")))


def undisputed(run: Run) -> pd.DataFrame:
    """Return the summary as accounts are judged by it: less what they dispute."""
    from kamlab import credit as module

    return module.without_disputed(run.read("summary"), run.read("credit"))


def playbook(run: Run) -> Playbook:
    """Return the playbook that the configuration names, or the shipped one."""
    from kamlab.strategies import load_playbook

    path = run.config.strategies.playbook
    return load_playbook(run.config.resolve(path) if path else None)


@once("credit")
def credit(run: Run) -> pd.DataFrame:
    """Write `credit`: how each account pays; without rows where invoices and payments are not given."""
    from kamlab import side_tables

    spend, numbers = run.read("forecast").set_index("account")["expected_revenue"], playbook(run).numbers
    table = side_tables.credit(
        run.config,
        run.period,
        accounts=run.read("membership"),
        expected_revenue=spend,
        months=numbers.credit_limit_months,
        policy_limit=numbers.credit_policy_limit,
        borders=dict(sorted(numbers.credit_scores.items(), key=lambda pair: -pair[1])),
        least_invoices=numbers.credit_least_invoices,
    )
    return run.write("credit", table)


@once("prospects")
def prospects(run: Run) -> pd.DataFrame:
    """Write `pipeline`, `prospects`, `pipeline_record` and the facts `pipeline_total`: open deals and their chances."""
    import pandas as pd

    from kamlab import side_tables

    numbers = playbook(run).numbers
    found = side_tables.pipeline(
        run.config,
        run.period,
        accounts=run.read("membership"),
        seed=run.config.seed,
        grade_days=dict(sorted(numbers.prospect_days.items())),
        grade_chance=numbers.prospect_chance,
    )
    parts = {} if found is None else {"pipeline": found.deals, "prospects": found.prospects}
    parts |= {} if found is None else {"pipeline_record": found.record}
    for name in ("pipeline", "pipeline_record", "prospects"):
        run.write(name, parts.get(name, pd.DataFrame(columns=[column.name for column in TABLES[name]])))
    known = found is not None and found.model != "closing_dates"
    total = {} if found is None or not known else {"total": found.total, "lower": found.lower, "upper": found.upper}
    run.write_facts("pipeline_total", {"model": "" if found is None else found.model, **total})
    return run.read("prospects")
