"""The analysts' chapters in another language: prose through the catalogue, tables as they stand, excerpts in words."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
from fake_run import FakeRun
from own_process import without_kernels

from kamlab.i18n import Translator
from kamlab.reports.sections import excerpts
from kamlab.runs.chapters import execute
from kamlab.steps.once import once, stands

T = Translator("en", currency="EUR")


class Folder(SimpleNamespace):
    def has(self, name):
        return name in self.tables

    def read(self, name):
        return self.tables[name]

    def writing(self):
        return nullcontext()


@pytest.mark.parametrize(
    ("draft", "tables", "said"),
    [(False, {"x": "as it stands"}, "as it stands"), (False, {}, "made"), (True, {"x": 0}, "made")],
)
def test_a_step_makes_a_runs_table_once_and_a_drafts_anew(draft, tables, said):
    run = Folder(draft=draft, tables=tables)
    assert once("x")(lambda _: "made")(run) == said
    assert stands(run, "x") == (said != "made")


def test_prose_is_written_in_the_language_of_the_parameters(tmp_path):
    prose = "## Data quality\n\nAn analyst's own remark."
    cells = [
        nbformat.v4.new_markdown_cell(prose),
        nbformat.v4.new_code_cell('lang = "en"  # language', metadata={"tags": ["parameters"]}),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tmp_path / "x.ipynb")
    said = {}
    with without_kernels():
        for lang in ("en", "es"):
            execute(tmp_path / "x.ipynb", tmp_path / f"{lang}.ipynb", {"lang": lang}, tmp_path)
            said[lang] = nbformat.read(tmp_path / f"{lang}.ipynb", as_version=4).cells[0].source
    assert said["en"] == prose
    # What the catalogue does not know, such as a paragraph of an analyst's own chapter, stays.
    assert said["es"] == f"{Translator('es')('## Data quality')}\n\nAn analyst's own remark."


def forecasts(**columns):
    base = {
        "account": ["A", "B"],
        "p_alive": [0.5, 0.999],
        "expected_purchases": [3.21, 1.5],
        "purchases_lower": [1.0, 0.0],
        "purchases_upper": [6.0, 4.0],
        "expected_revenue": [1000.0, 250_000.0],
        "revenue_lower": [0.0, 90_000.0],
        "revenue_upper": [3000.0, 400_000.0],
        "expected_contribution": [500.0, 20_000.0],
        "contribution_lower": [0.0, 1000.0],
        "contribution_upper": [900.0, 50_000.0],
        "basis": ["contribution", "contribution"],
    }
    return pd.DataFrame(base | columns)


def shown(future):
    run = FakeRun({"forecast": future, "accounts": pd.DataFrame({"account": ["A", "B"], "name": ["Ann", "Bob"]})})
    (block,) = excerpts.forecast(run, T)
    heads = [column.label for column in block.columns]
    return heads, [[cell.replace("\u00a0", " ") for cell in row] for row in block.rows]


def test_the_forecast_is_shown_as_far_as_it_goes():
    interval = "90% interval"
    heads = ["Account", "Still buys", "Expected purchase days", interval, "Expected revenue (EUR)", interval]
    found, rows = shown(forecasts())
    assert found == [*heads, "Expected contribution (EUR)", interval]
    assert rows[0][2:] == ["1.5", "0 to 4", "250 k", "90.0 k to 400 k", "20.0 k", "1.00 k to 50.0 k"]
    # Without costs value is revenue; without amounts there are purchases alone, and they order the accounts.
    assert shown(forecasts(basis="revenue"))[0] == heads
    money = {c: float("nan") for c in forecasts() if "revenue" in c or "contribution" in c}
    found, rows = shown(forecasts(**money, basis="purchases"))
    assert found == heads[:4]
    assert rows == [["Ann", "50%", "3.2", "1 to 6"], ["Bob", "over 95%", "1.5", "0 to 4"]]


def test_the_account_master_is_described_column_by_column():
    units = pd.DataFrame(
        {
            "account": ["A", "B", "C"],
            "name": ["Ann", "Bob", "Bob"],
            "region": ["North", None, ""],
            "declared_potential": [5.0, float("nan"), 5.0],
            "strategic": [True, False, True],
        }
    )
    (block,) = excerpts.master(FakeRun({"accounts": units}), T)
    assert block.rows == [
        ["Name", "name", "3", "2", "Bob (2)"],
        ["Region", "region", "1", "1", "–"],
        ["Potential declared by sales", "declared_potential", "2", "1", "–"],
        ["Kept as strategic", "strategic", "3", "2", "2 accounts"],
    ]


def test_a_column_without_any_value_is_not_described():
    rows = {"account": ["A", "B"], "frequency": [1, 4], "margin": float("nan"), "return_rate": [0.0, 0.125]}
    (block,) = excerpts.described(FakeRun({"summary": pd.DataFrame(rows)}), T, "summary")
    assert block.rows == [
        ["Purchase days after the first", "frequency", "2", "1", "2.50", "2.50", "4"],
        ["Share of value returned", "return_rate", "2", "0.0%", "6.2%", "6.2%", "12.5%"],
    ]
    assert block.note == "Amounts in EUR. Counted in weeks: recency, T, log_gaps."


def test_unusable_lines_stand_there_as_the_file_holds_them():
    lines = pd.DataFrame(
        {
            "source": "log.csv",
            "line": [4546, 8955],
            "reason": ["line id is repeated", "2 fields where the header has 3"],
            "original": [json.dumps({"who": "A", "net": "1;5"}), json.dumps({"fields": ["A", "x"]})],
        }
    )
    (block,) = excerpts.quarantine(FakeRun({"quarantine": lines}), Translator("zh"))
    assert [row[1] for row in block.rows] == ["4546", "8955"]
    assert [row[3] for row in block.rows] == ["who: A; net: 1;5", "A; x"]
    assert excerpts.quarantine(FakeRun({"quarantine": lines.head(0)}), T) == []
