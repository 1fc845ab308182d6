"""What the run's tables hold, for analysts: each column described, first lines, labels counted."""

from __future__ import annotations

import json

import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from kamlab import evidence
from kamlab.figures.words import with_currency, without_currency
from kamlab.i18n import COMMAS, MISSING, SENTENCES, Translator
from kamlab.reasons import printed as words_of_reason
from kamlab.reports.blocks import Block, TableColumn, table
from kamlab.reports.sections import columns as named
from kamlab.reports.sections.evidence import HEADS, MONEY
from kamlab.reports.sections.source import Interval, Source, is_contribution, labelled
from kamlab.schemes import TITLES
from kamlab.strategies import texts, wording

SHOWN = 20
"""Lines of a table that are printed."""

IN_UNITS = ("recency", "T", "log_gaps")
"""Columns of the summary that count in the study period's unit of time."""

ALIKE = ["level", "basis"]
"""Columns that say the same of every account."""


def described(run: Source, t: Translator, name: str) -> list[Block]:
    """Table of a table's numbers and dates that hold anything: how many are known, lowest, middle, mean, highest."""
    rows = run.read(name).drop(columns=ALIKE, errors="ignore").dropna(axis="columns", how="all")
    plain, printed = without_currency(t), []
    for key in rows.columns:
        values = rows[key]
        if is_datetime64_any_dtype(values) or (is_numeric_dtype(values) and not is_bool_dtype(values)):
            column = named.declared(name, str(key))
            found = {how: values.agg(how) for how in ("min", "median", "mean", "max")}
            cells = {how: named.written(value, column, plain) for how, value in found.items()}
            what = named.label(str(key), t, features=name == "features")
            printed.append({"what": what, "column": str(key), "known": t.number(values.notna().sum()), **cells})
    columns = [
        TableColumn("what", t("What"), width=34),
        TableColumn("column", t("Column"), width=23),
        TableColumn("known", t("Known"), "right"),
        TableColumn("min", t("Lowest"), "right"),
        TableColumn("median", t("Middle"), "right"),
        TableColumn("mean", t("Mean"), "right"),
        TableColumn("max", t("Highest"), "right"),
    ]
    caption = t("Table {table}: {n} accounts, column by column.", table=name, n=t.number(len(rows)))
    return [table(pd.DataFrame(printed), columns=columns, caption=caption, note=_units(run, t, name))]


def _units(run: Source, t: Translator, name: str) -> str:
    """Say what amounts and times are counted in."""
    said = [t("Amounts in {currency}.", currency=t.currency)] if t.currency else []
    if name == "summary":
        unit = t(named.UNITS[run.period.unit])
        said.append(t("Counted in {unit}: {columns}.", unit=unit, columns=t.join(COMMAS, IN_UNITS)))
    return t.join(SENTENCES, said)


def master(run: Source, t: Translator) -> list[Block]:
    """Table of what the account master says: of how many accounts, in how many different values, and most often which."""
    rows = run.read("accounts").drop(columns="account")
    printed = []
    for key in rows.columns:
        values = rows[key].dropna()
        often = values[values != ""].astype(str).value_counts()
        most = MISSING
        if len(often) and often.iloc[0] > 1 and not is_numeric_dtype(rows[key]):
            most = t("{value} ({n})", value=often.index[0], n=t.number(often.iloc[0]))
        if is_bool_dtype(rows[key]):
            most = t.plural("{n} account", "{n} accounts", int(values.sum()))
        counts = {"known": t.number(often.sum()), "values": t.number(len(often))}
        printed.append({"what": named.label(str(key), t), "column": str(key), **counts, "most": most})
    columns = [
        TableColumn("what", t("What"), width=30),
        TableColumn("column", t("Column"), width=20),
        TableColumn("known", t("Known"), "right"),
        TableColumn("values", t("Different values"), "right"),
        TableColumn("most", t("Most often, or true of"), width=26),
    ]
    caption = t("Table {table}: {n} accounts, column by column.", table="accounts", n=t.number(len(rows)))
    return [table(pd.DataFrame(printed), columns=columns, caption=caption)]


def quarantine(run: Source, t: Translator) -> list[Block]:
    """Table of the first lines that cannot be used, as they stand in the file."""
    rows = run.read("quarantine").head(SHOWN)
    if rows.empty:
        return []
    printed = pd.DataFrame(
        {
            "file": rows["source"],
            "line": [str(line) for line in rows["line"]],
            "why": [words_of_reason(why, t) for why in rows["reason"]],
            "original": [_original(found) for found in rows["original"]],
        }
    )
    columns = [
        TableColumn("file", t("File"), width=14),
        TableColumn("line", t("Line"), "right"),
        TableColumn("why", t("Why"), width=18),
        TableColumn("original", t("What stands there"), width=60),
    ]
    return [table(printed, columns=columns, caption=t("The first lines that cannot be used, as the files hold them."))]


def _original(found: str) -> str:
    """Write a line's values as data, the same in every language; a row of too many or few fields has no names."""
    values = json.loads(found)
    if isinstance(values.get("fields"), list):
        return "; ".join(map(str, values["fields"]))
    return "; ".join(f"{field}: {value}" for field, value in values.items())


def _highest(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the rows with the highest values, accounts in order among equals; the wide table itself is not sorted."""
    order = rows[[by, "account"]].sort_values([by, "account"], ascending=[False, True])
    return rows.loc[order.index[:SHOWN]]


def forecast(run: Source, t: Translator) -> list[Block]:
    """Table of the accounts with the highest expected value: forecast of purchases, revenue and contribution."""
    rows = run.read("forecast")
    measures = [m for m in ("revenue", "contribution") if rows[f"expected_{m}"].notna().any()]
    measures = ["purchases", *(measures if is_contribution(run) else measures[:1])]
    by = f"expected_{measures[-1]}"
    rows = _highest(rows, by).merge(run.read("accounts", columns=["account", "name"]), on="account")
    plain = without_currency(t)
    printed = {"name": rows["name"], "alive": [wording.chance(p, t) for p in rows["p_alive"]]}
    columns = [TableColumn("name", t("Account"), width=22), TableColumn("alive", t("Still buys"), "right", width=9)]
    heads = {
        "purchases": t("Expected purchase days"),
        "revenue": with_currency(t("Expected revenue"), t),
        "contribution": with_currency(t("Expected contribution"), t),
    }
    level = t("{level} interval", level=t.percent(run.config.value.level))
    for measure in measures:
        counted = measure == "purchases"
        bounds = zip(rows[f"{measure}_lower"], rows[f"{measure}_upper"], strict=True)
        printed |= {
            measure: [t.number(v, 1) if counted else plain.money(v) for v in rows[f"expected_{measure}"]],
            f"{measure} interval": [
                t("{lower} to {upper}", lower=t.number(low), upper=t.number(high))
                if counted
                else Interval(0, low, high).text(plain)
                for low, high in bounds
            ],
        }
        columns += [TableColumn(measure, heads[measure], "right"), TableColumn(f"{measure} interval", level, "right")]
    caption = t("The forecast of the {n} accounts expected to bring most, 12 months.", n=t.number(len(rows)))
    note = t("All accounts: table forecast of the run.")
    return [table(pd.DataFrame(printed), columns=columns, caption=caption, note=note)]


def by_date(run: Source, t: Translator) -> list[Block]:
    """Table of every scheme by all measures at each earlier date."""
    found = run.read("evidence")
    found = found[found["origin"].notna() & found["measure"].isin(evidence.MEASURES)]
    if found.empty:
        return []
    plain, rows = without_currency(t), []
    for (column, origin), mine in found.groupby(["column", "origin"], sort=False):
        values = mine.set_index("measure")["value"]
        cells = {m: plain.money(values.get(m)) if m in MONEY else t.percent(values.get(m)) for m in evidence.MEASURES}
        rows.append({"scheme": t(TITLES[str(column)]), "origin": t.date(pd.Timestamp(origin).date()), **cells})
    columns = [
        TableColumn("scheme", t("Scheme"), width=30),
        TableColumn("origin", t("As of")),
        *(
            TableColumn(m, with_currency(t(HEADS[m]), t) if m in MONEY else t(HEADS[m]), "right")
            for m in evidence.MEASURES
        ),
    ]
    return [table(pd.DataFrame(rows), columns=columns, caption=t("Every scheme at each earlier date."))]


def reasons(run: Source, t: Translator) -> list[Block]:
    """Table of the accounts with the highest expected value: type and strategy, the rule that gave it, and why."""
    rows = _highest(labelled(run), "expected_contribution")
    printed = pd.DataFrame(
        {
            "name": rows["name"].astype(str),
            "type": [kind or MISSING for kind in rows["type_000"].fillna("")],
            "strategy": [wording.label_name(t, "strategy", label) for label in rows["strategy"]],
            "rule": rows["strategy_rule"],
            "why": [wording.reason(t, row) for row in rows.to_dict("records")],
        }
    )
    columns = [
        TableColumn("name", t("Account"), width=22),
        TableColumn("type", t("Type"), "center", width=5),
        TableColumn("strategy", t("Strategy")),
        TableColumn("rule", t("Rule"), width=16),
        TableColumn("why", t("Why"), width=44),
    ]
    caption = t("Why the {n} accounts worth most have their strategy.", n=t.number(len(rows)))
    return [table(printed, columns=columns, caption=caption, note=t("All accounts: table strategies of the run."))]


def rules(run: Source, t: Translator) -> list[Block]:
    """Table of how many accounts each rule of the playbook gave their strategy."""
    rows = run.read("strategies", columns=["strategy", "strategy_rule"])
    counted = rows.groupby(["strategy", "strategy_rule"]).size().rename("accounts").reset_index()
    order = {name: place for place, name in enumerate(texts.STRATEGIES)}
    counted = counted.sort_values("strategy", key=lambda names: names.map(order), kind="stable")
    printed = pd.DataFrame(
        {
            "strategy": [wording.label_name(t, "strategy", label) for label in counted["strategy"]],
            "rule": counted["strategy_rule"],
            "accounts": [t.number(n) for n in counted["accounts"]],
        }
    )
    columns = [
        TableColumn("strategy", t("Strategy")),
        TableColumn("rule", t("Rule")),
        TableColumn("accounts", t("Accounts"), "right"),
    ]
    return [table(printed, columns=columns, caption=t("Which rule of the playbook gave how many accounts a strategy."))]


def labels(run: Source, t: Translator) -> list[Block]:
    """Table of every scheme of the playbook by its labels: number of accounts, and their mean probability."""
    rows = run.read("labels", columns=["scheme", "label", "probability"])
    grouped = rows.groupby(["scheme", "label"], sort=False)
    counted = grouped.agg(accounts=("label", "size"), probability=("probability", "mean")).reset_index()
    place = {scheme: number for number, scheme in enumerate(rows["scheme"].drop_duplicates())}
    counted = counted.sort_values(["scheme", "label"], key=lambda key: key.map(place) if key.name == "scheme" else key)
    printed = pd.DataFrame(
        {
            "scheme": [t(wording.SCHEMES.get(scheme, scheme)) for scheme in counted["scheme"]],
            "label": [wording.label_name(t, row.scheme, row.label) for row in counted.itertuples()],
            "accounts": [t.number(n) for n in counted["accounts"]],
            "probability": [t.percent(p) for p in counted["probability"]],
        }
    )
    columns = [
        TableColumn("scheme", t("Scheme")),
        TableColumn("label", t("Label")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("probability", t("Mean probability"), "right"),
    ]
    caption = t("Every scheme of the playbook, by its labels.")
    note = t("All accounts, with rule and values: table labels of the run, and the workbook.")
    return [table(printed, columns=columns, caption=caption, note=note)]
