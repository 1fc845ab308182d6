"""A run's folder: drafts, hand-over through tables, the lock, and the switch in one step."""

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pytest

import kamlab as kl
from kamlab import config as settings_module
from kamlab import resources
from kamlab.errors import ConfigError, DataError, ReportError
from kamlab.runs import drafts, folder, identity, runner
from kamlab.runs.chapters import execute
from kamlab.runs.folder import BEFORE, HANDED_ON
from kamlab.runs.kernels import kernel_environment
from kamlab.runs.output import hand_on
from kamlab.sources import file_hash

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


def built(folder, frozen, *_):
    """Stand in for the chapters: a run with one table."""
    for name in ("tables", "log"):
        (folder / name).mkdir(parents=True)
    settings_module.freeze(frozen, folder / "log" / "config.json")
    (folder / "tables" / "x.parquet").write_bytes(b"1")
    return {"step": 1.0}


def never(*_):
    raise AssertionError("the chapters ran")


@pytest.fixture
def finished(company, monkeypatch):
    monkeypatch.setattr(runner, "build", built)
    return runner.run(company / "kamlab.toml", out=company / "out", as_of="2024-11-30", accept_stale=True)


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


def test_a_run_makes_no_table_that_is_missing(company):
    (company / "some-run").mkdir()
    run = kl.runs.open(company / "some-run", config=company / "kamlab.toml")
    with pytest.raises(ConfigError, match="the chapter that makes it has not run"):
        run.read("summary")
    assert list((company / "some-run").iterdir()) == []


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


def test_rows_of_a_table_without_rows_are_none(company):
    run = kl.runs.open(config=company / "kamlab.toml")
    run.write("features", pd.DataFrame({"account": pd.Series([], dtype=object), "x": []}))
    found = run.read("features", columns=["x"], where={"account": ["A", "B"]})
    assert found.empty
    assert list(found) == ["x"]


def test_a_table_that_was_read_is_read_anew_only_when_it_changes(company, monkeypatch):
    run = kl.runs.open(config=company / "kamlab.toml")
    run.write("features", pd.DataFrame({"account": ["A", "B"], "x": [1.0, 2.0]}))
    first = run.read("features")
    first.loc[0, "x"] = 9.0
    first["y"] = 0
    assert run.read("features").to_dict("list") == {"account": ["A", "B"], "x": [1.0, 2.0]}
    run.write("features", pd.DataFrame({"account": ["C"], "x": [3.0]}))
    assert run.read("features")["account"].tolist() == ["C"]
    monkeypatch.setattr(folder, "KEPT_BYTES", 0)
    assert run.read("features")["account"].tolist() == ["C"]
    assert not run._tables


def test_a_write_that_fails_leaves_the_old_table(company):
    path = company / "table.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), resources.replacing(path) as temporary:
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

    monkeypatch.setattr(runner, "build", broken)
    with pytest.raises(DataError):
        runner.run(company / "kamlab.toml", out=out)
    assert os.readlink(out / "acme-2024-12-31") == ".runs/acme-2024-12-31-00000000"
    assert sorted(p.name for p in (out / ".runs").iterdir()) == [".lock", good.name]


def test_a_finished_run_supersedes_the_last_one_in_one_step(company, monkeypatch):
    out = company / "out"
    old = out / ".runs" / "acme-2024-12-31-00000000"
    old.mkdir(parents=True)
    (out / "acme-2024-12-31").symlink_to(old.relative_to(out))

    monkeypatch.setattr(runner, "build", built)
    result = runner.run(company / "kamlab.toml", out=out)
    assert (out / "acme-2024-12-31" / "tables" / "x.parquet").read_bytes() == b"1"
    assert json.loads((result.folder / "manifest.json").read_text())["supersedes"] == old.name
    assert old.is_dir()
    assert runner.run(company / "kamlab.toml", out=out).reused


def test_a_folder_in_the_place_of_the_link_is_refused_before_anything_runs(company, monkeypatch):
    out = company / "out"
    (out / "acme-2024-12-31").mkdir(parents=True)
    monkeypatch.setattr(runner, "build", never)
    with pytest.raises(ConfigError, match="where a link to the newest run should be"):
        runner.run(company / "kamlab.toml", out=out)
    assert [p.name for p in out.iterdir()] == ["acme-2024-12-31"]


def test_a_finished_run_is_opened_as_it_was_started(company, finished):
    (company / "kamlab.toml").write_text(TOML.replace("Acme", "Bolt"), "utf-8")
    run = kl.runs.open(finished.link)
    assert run.config.company.name == "Acme"
    assert run.period.calibration_end.isoformat() == "2024-11-30"
    assert run.accept_stale
    assert not run.draft
    assert run.config.resolve("orders.csv") == company / "orders.csv"


def test_a_finished_run_refuses_other_settings(company, finished):
    assert kl.runs.open(finished.link, config=company / "kamlab.toml", as_of="2024-11-30").folder == finished.folder
    (company / "other.toml").write_text(TOML + "[value]\ndraws = 100\n", "utf-8")
    with pytest.raises(ConfigError, match=r"other\.toml'? holds other settings; as_of='2024-12-31' is not its as-of"):
        kl.runs.open(finished.link, config=company / "other.toml", as_of="2024-12-31")


def test_a_finished_run_does_not_change(company, finished):
    run = kl.runs.open(finished.link)
    for write in (run.write, run.write_facts):
        with pytest.raises(ConfigError, match=r'finished and does not change any more\. Open a draft with run_dir=""'):
            write("summary", {})
    with pytest.raises(ConfigError, match="finished and does not change"):
        kl.steps.ledger(run)
    assert [p.name for p in (finished.folder / "tables").iterdir()] == ["x.parquet"]


def test_a_run_that_is_not_there_is_said(company):
    with pytest.raises(ConfigError, match=r"no run in .*nowhere: no such folder"):
        kl.runs.open(company / "nowhere", config=company / "kamlab.toml")


def test_the_configuration_is_looked_for_above_but_not_beyond_the_working_tree(company, monkeypatch, capsys):
    deep = company / "a" / "b" / "c"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert kl.runs.open().config.company.name == "Acme"
    (company / "a" / ".git").mkdir()
    assert capsys.readouterr().err == ""
    drafts._say_that_it_is_the_sample.cache_clear()
    for _ in range(2):
        assert drafts.find_config(parents=3) == resources.sample() / "kamlab.toml"
    assert capsys.readouterr().err == "No kamlab.toml here: reporting on the sample company.\n"


def test_a_report_takes_the_configuration_of_the_working_directory_alone(company, monkeypatch):
    monkeypatch.chdir(company)
    assert drafts.find_config() == company / "kamlab.toml"
    (company / "below").mkdir()
    monkeypatch.chdir(company / "below")
    assert drafts.find_config() == resources.sample() / "kamlab.toml"


def test_the_draft_of_an_installed_sample_lies_in_the_working_directory(company, monkeypatch):
    settings = settings_module.load(company / "kamlab.toml")
    monkeypatch.setattr(resources, "_PACKAGE", company)
    (company / "work").mkdir()
    monkeypatch.chdir(company / "work")
    assert drafts.draft_root(settings) == company / "work" / "reports" / ".draft"


def test_a_draft_that_can_be_written_nowhere_else_is_private(company, monkeypatch):
    settings = settings_module.load(company / "kamlab.toml")
    monkeypatch.setattr(drafts.os, "access", lambda *_: False)
    monkeypatch.setattr(drafts.tempfile, "gettempdir", lambda: str(company))
    root = drafts.draft_root(settings)
    assert root.parent == company
    assert root.stat().st_mode & 0o777 == 0o700
    root.chmod(0o755)
    with pytest.raises(ConfigError, match="others can read it"):
        drafts.draft_root(settings)


def test_a_draft_is_another_one_for_other_parameters(company):
    options = [{}, {"accept_stale": True}, {"variant": "k=4"}, {"variant": "k=5"}, {"as_of": "2024-11-30"}]
    folders = [kl.runs.open(config=company / "kamlab.toml", **option).folder for option in options]
    assert len(set(folders)) == len(options)


def test_two_notebooks_do_not_make_a_draft_at_once(company):
    from threading import Thread

    from filelock import FileLock

    first = kl.runs.open(config=company / "kamlab.toml")
    first.folder.mkdir(parents=True)
    second = Thread(target=first.read, args=("months",))
    with FileLock(first.folder / ".lock"):
        second.start()
        second.join(0.5)
        assert second.is_alive()
        assert not (first.folder / "tables").exists()
    second.join()
    assert first.has("months")


@pytest.mark.parametrize(("part", "other"), [("versions", {"numpy": "0"}), ("_code_hash", "0")])
def test_a_draft_is_another_one_with_other_packages_or_code(part, other, company, monkeypatch):
    before = kl.runs.open(config=company / "kamlab.toml").folder
    monkeypatch.setattr(identity, part, lambda: other)
    assert kl.runs.open(config=company / "kamlab.toml").folder != before


def test_the_fonts_count_as_code():
    fonts = {p.suffix for p in (ROOT / "src" / "kamlab" / "reports" / "fonts").iterdir() if p.suffix != ".txt"}
    assert fonts <= identity.CODE_SUFFIXES


def test_data_that_changes_during_the_run_is_refused(company, monkeypatch):
    def slow(folder, frozen, *_):
        with (company / "orders.csv").open("a", encoding="utf-8") as file:
            file.write("C1,2024-12-31,99\n")
        return built(folder, frozen)

    monkeypatch.setattr(runner, "build", slow)
    with pytest.raises(DataError, match=r"orders\.csv changed while the run was reading it; run again"):
        runner.run(company / "kamlab.toml", out=company / "out")
    assert not (company / "out").exists()


def test_the_playbook_is_the_one_that_the_run_was_started_with(company, monkeypatch):
    shipped = ROOT / "src" / "kamlab" / "strategies" / "playbook.toml"
    (company / "mine.toml").write_bytes(shipped.read_bytes())
    (company / "kamlab.toml").write_text(TOML + '[strategies]\nplaybook = "mine.toml"\n', "utf-8")

    def slow(folder, frozen, *_):
        timings = built(folder, frozen)
        (company / "mine.toml").write_text("version = 1\n", "utf-8")
        return timings

    monkeypatch.setattr(runner, "build", slow)
    result = runner.run(company / "kamlab.toml", out=company / "out")
    run = kl.runs.open(result.link)
    read = run.config.resolve(run.config.strategies.playbook)
    assert read == result.folder / "log" / "playbook.toml"
    assert read.read_bytes() == shipped.read_bytes()
    inputs = json.loads((result.folder / "manifest.json").read_text("utf-8"))["inputs"]
    assert inputs["mine.toml"] == file_hash(shipped)


def test_a_playbook_that_is_not_there_is_refused_before_anything_runs(company, monkeypatch):
    (company / "kamlab.toml").write_text(TOML + '[strategies]\nplaybook = "none.toml"\n', "utf-8")
    monkeypatch.setattr(runner, "build", never)
    with pytest.raises(ConfigError, match=r"playbook .*none\.toml cannot be read"):
        runner.run(company / "kamlab.toml", out=company / "out")


def test_a_log_without_amounts_is_refused_before_anything_runs(company, monkeypatch):
    (company / "kamlab.toml").write_text(TOML.replace(', amount = "net"', ""), "utf-8")
    monkeypatch.setattr(runner, "build", never)
    with pytest.raises(DataError, match="The log has no amounts"):
        runner.run(company / "kamlab.toml", out=company / "out")


def test_a_damaged_run_is_built_anew_behind_the_same_link(company, finished):
    (finished.folder / "tables" / "x.parquet").write_bytes(b"damaged")
    again = runner.run(company / "kamlab.toml", out=company / "out", as_of="2024-11-30", accept_stale=True)
    assert not again.reused
    assert again.folder == finished.folder
    assert (again.link / "tables" / "x.parquet").read_bytes() == b"1"
    assert sorted(p.name for p in (company / "out" / ".runs").iterdir()) == [".lock", again.folder.name]


def test_what_a_killed_run_left_is_removed(company, finished):
    left = [company / "out" / ".runs" / name for name in (".building-acme-2023-12-31-0", ".replaced-acme-0")]
    for folder_left in left:
        (folder_left / "tables").mkdir(parents=True)
    assert runner.run(company / "kamlab.toml", out=company / "out", as_of="2024-11-30", accept_stale=True).reused
    assert not any(p.exists() for p in left)


def test_a_run_that_fails_removes_every_folder_that_it_made(company, monkeypatch):
    def broken(*_):
        raise DataError("no good")

    monkeypatch.setattr(runner, "build", broken)
    with pytest.raises(DataError):
        runner.run(company / "kamlab.toml", out=company / "some" / "new" / "folder")
    assert not (company / "some").exists()


def test_a_company_whose_name_gives_the_same_folder_is_refused(company, finished, monkeypatch):
    (company / "kamlab.toml").write_text(TOML.replace('"Acme"', '"Acme!"'), "utf-8")
    monkeypatch.setattr(runner, "build", never)
    with pytest.raises(ConfigError, match='a report on "Acme", and this one is on "Acme!"'):
        runner.run(company / "kamlab.toml", out=company / "out", as_of="2024-11-30")
    assert json.loads((finished.link / "manifest.json").read_text("utf-8"))["company"] == "Acme"


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path):
    notebook = ROOT / "notebooks" / "01_data_quality.ipynb"
    with pytest.raises(ReportError, match=r'no parameter "as_off"\. Did you mean "as_of"'):
        execute(notebook, tmp_path / "x.ipynb", {"as_off": "2024-12-31"}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def notebook(path, source):
    import nbformat

    cells = [nbformat.v4.new_code_cell("a = 1  # number", metadata={"tags": ["parameters"]})]
    cells.append(nbformat.v4.new_code_cell(source))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def test_a_cell_that_fails_is_named(tmp_path):
    path = notebook(tmp_path / "broken.ipynb", "1 / 0")
    with pytest.raises(ReportError, match=r"broken\.ipynb failed in cell \d: ZeroDivisionError"):
        execute(path, tmp_path / "out.ipynb", {"a": 2}, tmp_path)


def test_a_kernel_that_dies_is_said_in_a_sentence(tmp_path):
    path = notebook(tmp_path / "broken.ipynb", "import os; os._exit(1)")
    with pytest.raises(ReportError, match=r"broken\.ipynb could not be run to its end: DeadKernelError: Kernel died"):
        execute(path, tmp_path / "out.ipynb", {"a": 2}, tmp_path)


def test_a_kernel_of_the_same_name_elsewhere_is_not_taken(tmp_path, monkeypatch):
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Python 3", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(spec), "utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    path = notebook(tmp_path / "own.ipynb", f"import sys; assert sys.executable == {sys.executable!r}")
    with kernel_environment():
        execute(path, tmp_path / "out.ipynb", {"a": 2}, tmp_path)
    assert (tmp_path / "out.ipynb").is_file()


def with_segments(folder, frozen, *_):
    """Stand in for the chapters: a run that hands on its segments."""
    built(folder, frozen)
    for name in HANDED_ON:
        (folder / "tables" / name).write_text(f"{name} of {frozen.as_of}", "utf-8")
    return {"step": 1.0}


def test_the_newest_earlier_run_of_the_same_company_is_handed_on(company, monkeypatch):
    given = []
    monkeypatch.setattr(runner, "build", lambda *args: given.append(args[2]) or with_segments(*args))

    def run(as_of, name="kamlab.toml"):
        return runner.run(company / name, out=company / "out", as_of=as_of, accept_stale=True)

    (company / "other.toml").write_text(TOML.replace("Acme", "Other"), "utf-8")
    september, november = run("2024-09-30"), run("2024-11-30")
    run("2024-10-31", "other.toml")
    december = run("2024-12-31")
    assert given == [None, september.folder, None, november.folder]
    # the numbers of its segments follow from the run before, so another run before makes another run
    october = run("2024-10-31")
    again = run("2024-11-30")
    assert not again.reused
    assert given[4:] == [september.folder, october.folder]
    assert again.folder != november.folder
    assert run("2024-12-31").folder == december.folder  # November handed on the same
    copy = company / "copy"
    hand_on(november.folder, copy)
    assert sorted(p.name for p in (copy / BEFORE / "tables").iterdir()) == sorted(HANDED_ON)


def test_a_run_without_an_earlier_one_has_nothing_before(company):
    assert kl.runs.open(config=company / "kamlab.toml").before() is None
