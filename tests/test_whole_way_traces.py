"""The numbers of the management report come again from the table, column and filter that they name."""

import numpy as np
import pandas as pd
import pytest
from sample_report import pdf_text, plain, tables

from kamlab.i18n import Translator


def traced(sample, origin):
    """Rows of the run's tables that an origin or a trace names; of two tables, joined by account."""
    found = tables(sample)
    names = origin.table.split(", ")
    rows = found[names[0]]
    for name in names[1:]:
        rows = rows.merge(
            found[name].drop(columns=[c for c in rows if c in found[name] and c != "account"]), on="account"
        )
    if names == ["ledger"]:
        rows = rows.assign(date=pd.to_datetime(rows["date"]), **rows[["amount", "cost"]].astype(float))
    return rows.query(origin.where) if origin.where else rows


def test_the_numbers_of_the_first_pages_come_again_from_table_column_and_filter(sample):
    from kamlab import runs
    from kamlab.reports.sections.origins import origins

    opened, t = runs.open(sample.link), Translator("en", currency="CNY")
    listed = origins(opened, t)
    assert len(listed) > 40
    text = pdf_text(sample.reports[0])
    for origin in listed:
        rows = traced(sample, origin)
        if origin.how in ("lower", "upper"):
            sums = rows.set_index("account").sum()
            again = np.quantile(sums, 0.05 if origin.how == "lower" else 0.95)
        elif origin.how == "count":
            again = len(rows)
        else:
            values = rows.eval(origin.column)
            values = values.clip(lower=0) if origin.how == "floored" else values
            again = -values.sum() if origin.how == "negative" else values.sum()
        assert again == pytest.approx(origin.value, rel=1e-6), origin
        written = t.number(origin.value) if origin.unit == "number" else t.money(origin.value)
        if origin.table == "changes":
            written = ("+" if origin.value > 0 and origin.unit == "money" else "") + written.removeprefix("CNY\u00a0")
        assert plain(written) in text, origin


SHOWN = {
    "Strategy": "The strategies",
    "Type": "The four types",
    "Protect": "Accounts that still buy, but clearly less",
    "Win back": "Accounts that have gone silent",
    "Promote": "Accounts to promote",
    "Acquire": "Prospects to acquire",
    "Repair": "Accounts that lose money",
    "Retain": "The most valuable accounts",
    "Owner": "Owners by what",
    "Region": "Revenue of the last 12 months less that",
    "Forecast by": "Forecast made from the data",
    "The next": "What today's accounts are worth",
}


LINES = {
    "Wait and see": "static",
    "Win back": "win_back",
    "12 months": "clv_1y",
    "3 years": "clv_3y",
    "5 years": "clv_5y",
    "Model and last period, mixed": "blend",
    "Same as in the last period": "last_horizon",
    "As often as ever before": "same_count",
    "Rate so far, carried on": "rate",
    **{name: name.lower() for name in ("Acquire", "Promote", "Retain")},
    **{f"Type {kind}": kind for kind in "ABCD"},
}
"""A line's first cell → its key in the run's table, where the two differ."""


UNTRACED = {"90% interval", "Why", "Stance", "Owner", "Load is", "Growth", "Likeliest segment"}
"""Columns of words, and those that follow from their neighbours."""


def test_every_cell_of_the_management_report_comes_again_from_table_column_and_filter(sample):
    """The tables are read from the executed notebook, the cells recomputed by what the appendix says of them."""
    from kamlab import runs
    from kamlab.reports.export import read_document
    from kamlab.reports.sections.traces import traces

    t = Translator("en", currency="CNY")
    body = read_document(sample.link / "notebooks" / "05_management_report.en.ipynb")["body"]
    printed = {e["caption"]: e for e in body if e["kind"] == "table" and not e["caption"].startswith("Decisions")}
    listed, seen, cells = traces(runs.open(sample.link), t), set(), 0
    for trace in listed:
        [(caption, table)] = [(c, e) for c, e in printed.items() if c.startswith(SHOWN[trace.shown])]
        labels = [column["label"] for column in table["columns"]]
        seen.add((caption, trace.label))
        rows = traced(sample, trace)
        for line in table["rows"]:
            key = LINES.get(line[0], line[0])
            mine = rows if line[0] in ("All", "All accounts") else rows[rows[trace.line] == key]
            cell = plain(line[labels.index(trace.label)])
            cells += 1
            assert len(mine) or cell == "–", (trace, line)
            assert cell in recomputed(mine, trace, t), (trace, line)
    assert cells > 250
    every = {(c, column["label"]) for c, e in printed.items() for column in e["columns"][1:]}
    assert {(c, label) for c, label in every - seen if label not in UNTRACED} - {(c, "Type") for c in printed} == set()


def recomputed(rows, trace, t):
    """Every way to write what the rows give."""
    if trace.how in ("count", "distinct"):
        return {t.number(len(rows) if trace.how == "count" else rows[trace.column].nunique())}
    values = rows.eval(trace.column).astype(float)
    value = values.sum() if len(rows) != 1 or trace.how == "sum" else values.iloc[0]
    if not len(values.dropna()):
        return {"–"}
    percent = t.percent(value)
    ways = {t.money(value), t.number(value), percent, "+" + percent, t.money(0) if abs(value) < 1 else ""}
    return {plain(way) for way in ways} | ({"under 5%"} if value < 0.05 else set())
