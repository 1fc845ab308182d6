"""How the numbers were made, what stands behind them, and what this report does not do yet."""

from __future__ import annotations

import pandas as pd

from kamlab.backtest import BLEND
from kamlab.i18n import SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections import segments
from kamlab.reports.sections.names import MODEL_NAMES
from kamlab.reports.sections.source import Source, has_cost_to_serve, has_credit_cost, is_contribution

SOURCES = (
    "P. S. Fader, B. G. S. Hardie, K. L. Lee (2005): “Counting Your Customers” the Easy Way: An Alternative to the "
    "Pareto/NBD Model. Marketing Science 24(2), 275–284.",
    "P. S. Fader, B. G. S. Hardie, K. L. Lee (2005): RFM and CLV: Using Iso-Value Curves for Customer Base Analysis. "
    "Journal of Marketing Research 42(4), 415–430.",
    "P. S. Fader, B. G. S. Hardie (2013): The Gamma-Gamma Model of Monetary Value. Technical note.",
)


def method(run: Source, t: Translator) -> list[Block]:
    """What was computed, in the order of the data's way."""
    period, value = run.period, run.config.value
    lines = [
        t(
            "**Period.** Nothing after {as_of} was read. 12 months are 365 days. Intervals hold {level} of "
            "what is to be expected.",
            as_of=period.calibration_end,
            level=t.percent(value.level),
        ),
        t(
            "**Purchases.** The {model} model gives each account a probability that it still buys and the spread of the "
            "purchase days to be expected, brought to the mean of the forecast in force and corrected by how often "
            "earlier intervals held.",
            model=MODEL_NAMES[run.read_facts("choice")["model"]],
        ),
        *_blend(run, t),
        _order_value(run, t),
        _contribution(run, t),
        t(
            "**Totals.** Expected values are added; intervals of totals come from joint draws that hold the "
            "error of the model's level at earlier dates, so they are wider than those of independent "
            "accounts."
        ),
        t(
            "**Lifetime value.** Contribution of the next 12 months, 3 and 5 years, month by month, discounted at {rate} "
            "a year. After 12 months purchases wane as the model expects, while order values and margin rates stay; the "
            "error of level adds up from year to year. Orders to come are all purchase days of the future, discounted, "
            "which is a finite number even where a model lets nobody leave.",
            rate=t.percent(value.discount_rate_annual),
        ),
        t(
            "**Potential.** What sales has declared, but at least the account's best 12 months of the last "
            "36. Without a declaration, the level that one in ten similar accounts of the same channel exceeds, "
            "where enough of them buy and the level holds on accounts left out of the fit; else these best 12 "
            "months alone, and then the type is provisional and no share of wallet is computed."
        ),
        t("**Segments.** {rule}", rule=segments.rule(run, t)),
        t(
            "**Levels, types and strategies.** Borders are fitted to the data. Types and strategies follow "
            "from rules in the playbook file; every label is stored with its rule and the values that gave "
            "it."
        ),
    ]
    return [text(t("## Method") + "\n\n" + "\n".join(f"- {line}" for line in lines))]


def _order_value(run: Source, t: Translator) -> str:
    """Say which model of order values is in force."""
    if (run.read("models")["model"] == "log_normal_spend").any():
        return t(
            "**Order value.** A log-normal model in which an account's order value goes with how often it orders; where "
            "an account's order value rises or falls clearly, the mean of its last 12 months; for accounts with one "
            "order, that order. Returns are deducted by the account's return rate."
        )
    return t(
        "**Order value.** The Gamma-Gamma model; where an account's order value rises or falls clearly, "
        "the mean of its last 12 months; for accounts with one order, that order. Returns are deducted "
        "by the account's return rate."
    )


def _contribution(run: Source, t: Translator) -> str:
    """Say what is deducted from revenue."""
    if not is_contribution(run):
        return t("**Contribution.** No costs are known: values are revenue.")
    served = (
        t("The cost to serve it is taken off: that of the last 12 months again, where it buys at all.")
        if has_cost_to_serve(run)
        else t("The cost to serve is not taken off, because no such data was read.")
    )
    base = t(
        "**Contribution.** Revenue times the account's margin rate, drawn towards the rate of its channel where it has few "
        "lines."
    )
    return t.join(SENTENCES, [base, served, _credit_cost(run, t)])


def _credit_cost(run: Source, t: Translator) -> str:
    """Say what selling on credit takes off, or that nothing of it could be taken off."""
    if not has_credit_cost(run):
        return t("What selling on credit costs is not taken off, because invoices and payments were not read.")
    future, rate = (
        run.read("forecast", columns=["receivables_cost", "credit_loss"]),
        t.percent(run.config.value.discount_rate_annual),
    )
    waiting = t.money(future["receivables_cost"].sum())
    if future["credit_loss"].isna().all():
        return t(
            "The cost of waiting for its money at {rate} a year is taken off too, {waiting} for all accounts; credit losses are not, "
            "because too few invoices are old enough to show any.",
            rate=rate,
            waiting=waiting,
        )
    return t(
        "What selling on credit costs is taken off too: waiting for the money at {rate} a year, {waiting} for all accounts, "
        "and expected credit losses, {loss}, both by how the account has paid.",
        rate=rate,
        waiting=waiting,
        loss=t.money(future["credit_loss"].sum()),
    )


def _blend(run: Source, t: Translator) -> list[str]:
    """Say how the model's purchases are mixed with the recent ones, where they are."""
    choice = run.read_facts("choice")
    if choice["forecaster"] != BLEND:
        return []
    return [
        t(
            "**Recent purchases.** What the model expects enters with {model}, the account's purchases of the last 12 months, "
            "as far as it still buys, with {recent}; the forecasts made at the earlier dates have chosen these weights.",
            model=t.percent(choice["weight"]),
            recent=t.percent(1 - choice["weight"]),
        )
    ]


def elsewhere(t: Translator) -> list[Block]:
    """Where the rest stands."""
    said = t(
        "How the figures came about, every forecaster and scheme that was tried, the parameters, the borders and the "
        "lines that could not be used stand in the appendix."
    )
    return [text(said)]


def parameters(run: Source, t: Translator) -> list[Block]:
    """Fitted parameters of the models with standard errors."""
    rows = run.read("models")
    printed = pd.DataFrame(
        {
            "model": rows["model"].map(MODEL_NAMES).fillna(rows["model"]),
            "parameter": rows["parameter"],
            "value": [_parameter(v, t) for v in rows["value"]],
            "error": [_parameter(v, t) for v in rows["standard_error"]],
            "likelihood": [t.number(v, 2) for v in rows["log_likelihood"]],
            "accounts": [t.number(v) for v in rows["accounts"]],
            "converged": [t("yes") if v else t("no") for v in rows["converged"]],
        }
    )
    columns = [
        TableColumn("model", t("Model"), width=14),
        TableColumn("parameter", t("Parameter")),
        TableColumn("value", t("Value"), "right"),
        TableColumn("error", t("Standard error"), "right"),
        TableColumn("likelihood", t("Log-likelihood"), "right"),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("converged", t("Converged")),
    ]
    return [table(printed, columns=columns, caption=t("Parameters of the fitted models."))]


def _parameter(value: float, t: Translator) -> str:
    """Write four significant digits."""
    if pd.isna(value) or value == 0:
        return t.number(value, 4)
    digits = max(0, 3 - int(f"{abs(value):e}".split("e")[1]))
    return t.number(value, min(digits, 8))


def sources(t: Translator) -> list[Block]:
    """Papers that the models come from."""
    return [text(t("### Sources") + "\n\n" + "\n".join(f"- {source}" for source in SOURCES))]
