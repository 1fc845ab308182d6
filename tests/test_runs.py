"""A run's folder: drafts, hand-over through tables, the lock, and the switch in one step."""

import os
from pathlib import Path

import pandas as pd
import pytest

import kamlab as kl
from kamlab.errors import ConfigError, DataError, ReportError
from kamlab.runs import folder, runner
from kamlab.runs.chapters import execute

ROOT = Path(__file__).parents[1]

TOML = """
[company]
name = "Acme"
[source.transactions]
path = "orders.csv"
columns = { account = "customer", date = "day", amount = "net" }
[period]
as_of = 2024-12-31
"""


@pytest.fixture
def company(tmp_path):
    days = pd.date_range("2023-01-01", "2024-12-31", freq="3D")
    lines = "".join(f"C{i % 40},{d.date()},{10 + i % 7}\n" for i, d in enumerate(days))
    (tmp_path / "orders.csv").write_text("customer,day,net\n" + lines, "utf-8")
    (tmp_path / "kamlab.toml").write_text(TOML, "utf-8")
    return tmp_path


def test_a_draft_lies_under_reports_beside_the_configuration(company, monkeypatch):
    (company / "reports").mkdir()
    monkeypatch.chdir("/")
    run = kl.runs.open(config=company / "kamlab.toml")
    assert run.draft
    assert run.folder.parent == company / "reports" / ".draft"
    assert run.folder.name.startswith("acme-2024-12-31-")


def test_the_sample_company_is_the_default_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = kl.runs.open()
    assert run.config.company.name == "Niacin Trading"
    assert run.folder.is_relative_to(ROOT / "reports" / ".draft")


def test_a_draft_is_another_one_when_the_data_changes(company):
    before = kl.runs.open(config=company / "kamlab.toml").folder
    with (company / "orders.csv").open("a", encoding="utf-8") as file:
        file.write("C1,2024-12-31,99\n")
    assert kl.runs.open(config=company / "kamlab.toml").folder != before


def test_a_draft_makes_the_tables_that_are_missing(company):
    run = kl.runs.open(config=company / "kamlab.toml")
    assert len(run.read("summary")) == 40
    assert run.has("ledger")
    assert not run.has("forecast")
    assert run.read_facts("freshness")["last_line"] == "2024-12-30"


def test_a_finished_run_makes_nothing(company):
    run = kl.runs.open(company / "some-run", config=company / "kamlab.toml")
    with pytest.raises(ConfigError, match="the chapter that makes it has not run"):
        run.read("summary")
    assert not (company / "some-run").exists()


def test_an_unknown_table_is_named(company):
    run = kl.runs.open(config=company / "kamlab.toml")
    with pytest.raises(ConfigError, match=r'There is no table "sumary".*summary'):
        run.read("sumary")


def test_the_ledger_is_handed_over_with_its_facts(company):
    run = kl.runs.open(config=company / "kamlab.toml")
    first = kl.steps.ledger(run)
    again = kl.runs.open(config=company / "kamlab.toml").ledger()
    assert again.lines.equals(first.lines)
    assert again.has_money
    assert not again.has_cost


def test_a_write_that_fails_leaves_the_old_table(company):
    path = company / "table.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), folder.replacing(path) as temporary:
        temporary.write_text((company / "nothing").read_text())
    assert path.read_text() == "old"
    assert [p.name for p in company.iterdir() if p.name.startswith(".table")] == []


def test_a_run_that_fails_leaves_the_last_good_one(company, monkeypatch):
    out = company / "out"
    good = out / ".runs" / "acme-2024-12-31-00000000"
    good.mkdir(parents=True)
    (out / "acme-2024-12-31").symlink_to(good.relative_to(out))

    def broken(folder, *_):
        (folder / "tables").mkdir(parents=True)
        raise DataError("no good")

    monkeypatch.setattr(runner, "_build", broken)
    with pytest.raises(DataError):
        runner.run(company / "kamlab.toml", out=out)
    assert os.readlink(out / "acme-2024-12-31") == ".runs/acme-2024-12-31-00000000"
    assert sorted(p.name for p in (out / ".runs").iterdir()) == [".lock", good.name]


def test_a_finished_run_supersedes_the_last_one_in_one_step(company, monkeypatch):
    import json

    out = company / "out"
    old = out / ".runs" / "acme-2024-12-31-00000000"
    old.mkdir(parents=True)
    (out / "acme-2024-12-31").symlink_to(old.relative_to(out))

    def built(folder, *_):
        (folder / "tables").mkdir(parents=True)
        (folder / "tables" / "x.parquet").write_bytes(b"1")
        return {"step": 1.0}

    monkeypatch.setattr(runner, "_build", built)
    result = runner.run(company / "kamlab.toml", out=out)
    assert (out / "acme-2024-12-31" / "tables" / "x.parquet").read_bytes() == b"1"
    assert json.loads((result.folder / "manifest.json").read_text())["supersedes"] == old.name
    assert old.is_dir()
    assert runner.run(company / "kamlab.toml", out=out).reused


def test_a_folder_in_the_place_of_the_link_is_not_overwritten(company, monkeypatch):
    out = company / "out"
    (out / "acme-2024-12-31").mkdir(parents=True)
    monkeypatch.setattr(runner, "_build", lambda folder, *_: folder.mkdir(parents=True) or {})
    with pytest.raises(ConfigError, match="where a link to the newest run should be"):
        runner.run(company / "kamlab.toml", out=out)


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path):
    notebook = ROOT / "notebooks" / "01_data_quality.ipynb"
    with pytest.raises(ReportError, match=r'no parameter "as_off"\. Did you mean "as_of"'):
        execute(notebook, tmp_path / "x.ipynb", {"as_off": "2024-12-31"}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cell_that_fails_is_named(tmp_path):
    import nbformat

    cells = [nbformat.v4.new_code_cell("a = 1  # number", metadata={"tags": ["parameters"]})]
    cells.append(nbformat.v4.new_code_cell("1 / 0"))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tmp_path / "broken.ipynb")
    with pytest.raises(ReportError, match=r"broken\.ipynb failed in cell \d: ZeroDivisionError"):
        execute(tmp_path / "broken.ipynb", tmp_path / "out.ipynb", {"a": 2}, tmp_path)
