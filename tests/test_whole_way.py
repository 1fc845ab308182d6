"""The whole way from a log to the PDF, as a user walks it: on the sample, on CDNOW and on a real wholesaler."""

import json
import os
import subprocess
import sys
from pathlib import Path

import checkers
import pandas as pd
import pytest
from own_process import without_kernels
from sample_report import CASES, ROOT, SAMPLE, pdf_text, tables

from kamlab.runs import run
from kamlab.runs.output import is_intact


def test_the_sample_gives_a_report_behind_a_relative_link(sample):
    assert sample.link.name == "niacin-trading-2025-12-31"
    assert not Path(os.readlink(sample.link)).is_absolute()
    assert sample.reports == tuple(
        sample.link / "pdf" / f"{name}.en.pdf"
        for name in ("management-report", "account-plans", "period-review", "appendix")
    )
    assert sample.reports[0].read_bytes().startswith(b"%PDF-")


def test_tables_have_their_documented_columns(sample):
    from kamlab.terms import TABLES

    found = tables(sample)
    assert set(found) == set(TABLES)
    for name, columns in TABLES.items():
        documented = [c.name for c in columns if "…" not in c.name]
        assert [c for c in documented if c not in found[name].columns] == [], name
        if not any("…" in c.name for c in columns):
            assert set(found[name].columns) == set(documented), name


def test_the_manifest_names_inputs_settings_and_outputs(sample):
    manifest = json.loads((sample.link / "manifest.json").read_text("utf-8"))
    assert set(manifest["inputs"]) == {path.name for path in SAMPLE.parent.glob("*.csv")}
    assert manifest["as_of"] == "2025-12-31"
    assert manifest["versions"]["kamlab"]
    assert "pdf/management-report.en.pdf" in manifest["outputs"]
    assert "tables/strategies.parquet" in manifest["outputs"]


def test_running_again_changes_nothing(sample):
    before = {p: p.stat().st_mtime_ns for p in sample.folder.rglob("*")}
    again = run(SAMPLE, out=sample.link.parent)
    assert again.reused
    assert {p: p.stat().st_mtime_ns for p in sample.folder.rglob("*")} == before


def test_a_folder_that_was_tampered_with_is_not_taken_for_finished(sample, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(sample.folder, copy)
    assert is_intact(copy)
    (copy / "pdf" / "management-report.en.pdf").write_bytes(b"x")
    assert not is_intact(copy)


@pytest.mark.skipif(not CASES, reason="KAMLAB_CASES does not name the folder of real data")
def test_a_real_wholesaler_with_91_companies(tmp_path):
    with without_kernels():
        result = run(ROOT / "examples" / "northwind" / "kamlab.toml", out=tmp_path)
    text = pdf_text(result.reports[0])
    ledger = pd.read_parquet(result.link / "tables" / "ledger.parquet")
    # Of its 2,155 lines those after 30 April 1998, the as-of date, are not kept.
    assert len(ledger) == 2096
    accounts = pd.read_parquet(result.link / "tables" / "strategies.parquet")
    assert len(accounts) == 91
    # Two of its customers never ordered: they are prospects whose potential nobody has declared.
    assert (accounts["strategy_rule"] == "prospect.unknown").sum() == 2
    assert "Save-a-lot Markets" in text
    assert "No declared potential" in text


@checkers.with_outloud
def test_a_pdf_checker_hears_no_fault(sample, tmp_path):
    plan = sorted((sample.link / "pdf" / "plans").glob("*.pdf"))[0]
    documents = [sample.reports[0], sample.link / "pdf" / "period-review.en.pdf", plan]
    assert checkers.faults_heard([path.resolve() for path in documents], tmp_path) == []


@checkers.with_axe
@pytest.mark.parametrize("name", ["management-report.en", "01_data_quality"])
def test_a_page_checker_sees_no_fault(sample, tmp_path, name):
    faults, passed = checkers.faults_seen((sample.link / "html" / f"{name}.html").resolve(), tmp_path)
    assert faults == []
    assert passed > 20


def kamlab(*arguments, cwd, env=None, **options):
    command = [sys.executable, "-m", "kamlab", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory):
    """The folder in which CDNOW was reported on by the command line, in an empty environment and without a home."""
    folder = tmp_path_factory.mktemp("cdnow")
    (folder / "home").mkdir(mode=0o500)
    (folder / "elsewhere").mkdir()
    done = kamlab(
        *("report", "--config", ROOT / "examples" / "cdnow" / "kamlab.toml", "--out", folder / "out"),
        cwd=folder / "elsewhere",
        env={"LANG": "C", "HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    return folder


def test_the_command_line_works_in_an_empty_environment(cdnow):
    said = (cdnow / "stdout").read_text()
    assert said.strip().endswith("cdnow-1998-06-30/pdf/appendix.en.pdf")
    assert all(Path(path).is_file() for path in said.splitlines())
    steps = [line for line in (cdnow / "stderr").read_text().splitlines() if line.startswith("[")]
    assert steps[0].endswith("] 01_data_quality")
    assert [line.split("]")[0] for line in steps] == [f"[{n}/{len(steps)}" for n in range(1, len(steps) + 1)]
    assert list((cdnow / "home").iterdir()) == []
    assert list((cdnow / "elsewhere").iterdir()) == []


def test_cdnow_gives_a_shorter_report_that_says_what_it_lacks(cdnow):
    link = cdnow / "out" / "cdnow-1998-06-30"
    text = pdf_text(link / "pdf" / "management-report.en.pdf")
    assert "No costs: values are revenue, not contribution" in text
    assert "No account master: no names, owners, groups, prospects or declared potential." in text
    assert "no full year before it in the log" in text
    record = pd.read_parquet(link / "tables" / "backtest.parquet")
    row = record[(record["forecaster"] == "bg_nbd") & (record["target"] == "purchases")].iloc[0]
    # Published for the 39-week holdout of this log: 1,882 purchases, bias −12.2 %, RMSE 1.608.
    assert row["actual"] == 1882
    assert row["bias"] == pytest.approx(-0.122, abs=0.001)
    assert row["rmse"] == pytest.approx(1.608, abs=0.001)
