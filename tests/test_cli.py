"""Mistakes of a user: one paragraph that says what is wrong and what to do; exit code 1; nothing left behind."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from own_process import without_kernels

from kamlab import cli

ROOT = Path(__file__).parents[1]
CASES = os.environ.get("KAMLAB_CASES")
SAMPLE = ROOT / "data" / "sample" / "kamlab.toml"
needs_cases = pytest.mark.skipif(not CASES, reason="KAMLAB_CASES does not name the folder of real data")

MINIMAL = """
[company]
name = "Acme"
[source.transactions]
path = "{path}"
columns = {{ account = "customer", date = "day", amount = "net" }}
{more}
[period]
as_of = 2024-12-31
"""


def process(*arguments, cwd):
    command = [sys.executable, "-m", "kamlab", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def kamlab(capfd, monkeypatch):
    """Call the command line as `process` does, without a process that has to import everything first.

    What the kernels write is caught too, because it goes to the same files.
    """

    def called(*arguments, cwd):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["kamlab", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return subprocess.CompletedProcess(sys.argv, ended.value.code, said.out, said.err)

    return called


def configured(tmp_path, *, lines=None, path="orders.csv", more=""):
    if lines is not None:
        (tmp_path / path).write_text(lines, "utf-8")
    (tmp_path / "kamlab.toml").write_text(MINIMAL.format(path=path, more=more), "utf-8")
    return "report", "--config", "kamlab.toml"


@pytest.fixture
def report(kamlab):
    def called(tmp_path, *, options=(), **files):
        return kamlab(*configured(tmp_path, **files), *options, cwd=tmp_path)

    return called


def assert_refused(done, tmp_path, *parts, code=1):
    assert done.returncode == code, done.stderr
    # Progress lines come before it; the message itself is one paragraph.
    said = [line for line in done.stderr.strip().splitlines() if not line.startswith("[")]
    assert len(said) == 1
    assert said[0].startswith("kamlab: ")
    for part in parts:
        assert part in said[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "reports").exists()


GOOD = "customer,day,net\n" + "".join(
    f"C{i % 5},2024-{m:02d}-{i % 27 + 1:02d},10\n" for m in range(1, 13) for i in range(9)
)


def test_no_file(report, tmp_path):
    assert_refused(report(tmp_path), tmp_path, "There is no file", "orders.csv", "Check the path")


def test_an_empty_file(report, tmp_path):
    assert_refused(report(tmp_path, lines=""), tmp_path, "is empty: 0 bytes", "Export the transaction log again")


def test_no_date_column(tmp_path):
    done = process(*configured(tmp_path, lines="customer,when,net,备注\nA,2024-01-01,1,\n"), cwd=tmp_path)
    assert_refused(done, tmp_path, '"date" should be in column "day", which is not there', "customer, when, net, 备注")


def test_fewer_accounts_than_a_model_needs(report, tmp_path):
    with without_kernels():
        done = report(tmp_path, lines=GOOD + "C1,2024-12-31,10\n")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.rglob("*.pdf")]


@pytest.mark.parametrize("day", ["2020-01-01", "2030-01-01"])
def test_an_as_of_date_outside_the_data(report, day, tmp_path):
    with without_kernels():
        done = report(tmp_path, lines=GOOD, options=("--as-of", day))
    assert_refused(done, tmp_path, day, "2024-12", "as-of")


def test_an_as_of_date_that_is_none(report, tmp_path):
    done = report(tmp_path, lines=GOOD, options=("--as-of", "31.12.2024"))
    assert_refused(done, tmp_path, '"31.12.2024" is no date', code=2)


def test_an_unknown_language(report, tmp_path):
    done = report(tmp_path, lines=GOOD, options=("--lang", "en,xx"))
    assert_refused(done, tmp_path, "written in xx", "Languages are: en", code=2)
    done = report(tmp_path, lines=GOOD, more='[report]\nlanguages = ["xx"]')
    assert_refused(done, tmp_path, "written in xx", "Languages are: en")


def test_an_unknown_setting(report, tmp_path):
    done = report(tmp_path, lines=GOOD, more="[valeu]\nlevel = 0.9")
    assert_refused(done, tmp_path, '"valeu" is no setting. Did you mean "value"?')


def test_no_configuration_of_that_name(kamlab, tmp_path):
    assert_refused(kamlab("report", "--config", "nothing.toml", cwd=tmp_path), tmp_path, "no configuration file")


def test_the_default_name_of_the_configuration_must_exist_when_it_is_asked_for(kamlab, tmp_path):
    assert_refused(kamlab("report", "--config", "kamlab.toml", cwd=tmp_path), tmp_path, "no configuration file")


def test_the_sample_is_never_taken_silently(tmp_path):
    done = process("report", "--lang", "xx", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "No kamlab.toml here: reporting on the sample company."


def test_empty_and_repeated_languages(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from kamlab import runs
    from kamlab.errors import ConfigError

    asked = []

    def run(*_, languages, **__):
        asked.append(languages)
        return runs.Result(tmp_path, tmp_path, (), False, {})

    monkeypatch.setattr(runs, "run", run)
    assert CliRunner().invoke(cli.app, ["report", "--lang", "en,, en"]).exit_code == 0
    assert set(asked[0]) == {"en"}
    with pytest.raises(ConfigError, match="written in ,"):
        CliRunner().invoke(cli.app, ["report", "--lang", ","], catch_exceptions=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing(number, tmp_path):
    (tmp_path / "orders.csv").write_text(GOOD, "utf-8")
    (tmp_path / "kamlab.toml").write_text(MINIMAL.format(path="orders.csv", more=""), "utf-8")
    # A shell starts what runs in the background with SIGINT ignored.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from kamlab.cli import main; main()"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code, "report", "--out", "some/new/folder"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert re.fullmatch(r"\[1/\d+\] 01_data_quality\.en\n", running.stderr.readline())
        running.send_signal(number)
        said = running.communicate(timeout=60)[1]
    finally:
        running.kill()
    assert running.returncode == 128 + number
    assert said == "kamlab: stopped; nothing was changed.\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kamlab.toml", "orders.csv"]


def test_a_wrong_option_is_a_usage_error(kamlab, tmp_path):
    assert kamlab("report", "--colour", "blue", cwd=tmp_path).returncode == 2


@needs_cases
@pytest.mark.parametrize(
    ("name", "more", "parts"),
    [
        ("zh_orders.csv", "", ('"date" should be in column "day"', "客户ID, 产品名称")),
        ("zh_orders.csv", 'encoding = "gb18030"', ('"date" should be in column "day"', "客户ID, 产品名称")),
        ("wholesale_nbsp_emptycols.csv", "", ("cannot be read as a transaction log", "Channel, Region, Fresh")),
        ("wholesale_nbsp_emptycols.csv", 'encoding = "cp1252"', ("cannot be read as a transaction log", "Channel")),
    ],
)
def test_files_that_are_no_ledger(report, name, more, parts, tmp_path):
    with without_kernels():
        done = report(tmp_path, path=f"{CASES}/messy/{name}", more=more)
    assert_refused(done, tmp_path, *parts)


def test_another_run_holds_the_lock(tmp_path):
    (tmp_path / "reports" / ".runs").mkdir(parents=True)
    with FileLock(tmp_path / "reports" / ".runs" / ".lock"):
        done = process("report", cwd=tmp_path)
    assert done.returncode == 3
    assert "Another run is writing to" in done.stderr


def test_check_says_what_the_sample_holds(kamlab, tmp_path):
    done = kamlab("check", SAMPLE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Read 48,969 lines" in done.stdout
    assert "quarantined 20 lines" in done.stdout
    assert "line id is repeated (lines 8430, 13930, 30971, 41946)" in done.stdout
    assert "Account master: 600 accounts" in done.stdout
    assert "Complete up to the as-of date 2025-12-31." in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_check_proves_a_playbook(kamlab, tmp_path):
    shipped = ROOT / "src" / "kamlab" / "strategies" / "playbook.toml"
    done = kamlab("check", "--playbook", shipped, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        "every scheme gives exactly one label (contribution_level, potential_level, type_000, strategy" in done.stdout
    )
    assert "None of them breaks one of the 16 coherence rules." in done.stdout
    text = shipped.read_text("utf-8").replace('op = "<=", value = 0.7', 'op = "<=", value = 0.9')
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    done = kamlab("check", "--playbook", "mine.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert '"the saturated are not promoted" is broken by an account with has_bought=yes' in done.stdout


def test_check_of_nothing_says_what_it_takes(kamlab, tmp_path):
    done = kamlab("check", cwd=tmp_path)
    assert done.returncode == 2
    assert "There is nothing to check" in done.stderr


def test_check_of_a_stale_log_fails(kamlab, tmp_path):
    configured(tmp_path, lines=GOOD)
    done = kamlab("check", "kamlab.toml", "--as-of", "2025-03-09", cwd=tmp_path)
    assert done.returncode == 1
    assert "2024-12-09, 90 days before" in done.stdout
    assert "--as-of 2024-12-09, or as_of = 2024-12-09 under [period]" in done.stdout


def test_check_of_a_bare_file_shows_its_guess(kamlab, tmp_path):
    (tmp_path / "orders.csv").write_text("Customer ID,Order Date,Net Amount\nA,2024-01-01,1.5\nB,oops,1\n", "utf-8")
    done = kamlab("check", "orders.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "account = Customer ID, date = Order Date, amount = Net Amount" in done.stdout
    assert "Read 2 lines, 2.50: accepted 1 lines, 1.50; quarantined 1 lines, 1.00." in done.stdout


def test_check_of_a_bare_file_judges_it_as_of_a_day(kamlab, tmp_path):
    (tmp_path / "orders.csv").write_text(GOOD.replace("day", "date", 1) + "D1,2025-01-05,10\n", "utf-8")
    done = kamlab("check", "orders.csv", "--as-of", "2024-12-31", cwd=tmp_path)
    assert done.returncode == 1
    # The newest line of GOOD is of 9 December; D1 is not known yet.
    assert "2024-12-09, 22 days before" in done.stdout
    assert "5 accounts up to the as-of date; after it: 1 lines, 10.00." in done.stdout
    done = kamlab("check", "orders.csv", "--as-of", "2024-12-10", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Complete up to the as-of date 2024-12-10." in done.stdout


def test_check_knows_an_account_from_its_first_line_on(kamlab, tmp_path):
    (tmp_path / "orders.csv").write_text(GOOD + "D1,2025-01-05,10\n", "utf-8")
    (tmp_path / "accounts.csv").write_text("id,group\nC1,G\nC2,G\nD1,\n", "utf-8")
    more = '[source.accounts]\npath = "accounts.csv"\ncolumns = { account = "id", parent = "group" }'
    (tmp_path / "kamlab.toml").write_text(MINIMAL.format(path="orders.csv", more=more), "utf-8")
    done = kamlab("check", "kamlab.toml", "--as-of", "2024-12-10", cwd=tmp_path)
    assert "5 accounts up to the as-of date" in done.stdout
    # C1 and C2 are one group; C0, C3, C4 stand outside the master; D1 is in it but has not bought yet.
    assert "3 accounts, 1 without a line up to the as-of date; decisions are taken for 5" in done.stdout
    assert "3 accounts with lines are not in it (C0, C3, C4)." in done.stdout


def test_check_foresees_what_a_report_refuses(kamlab, tmp_path):
    (tmp_path / "orders.csv").write_text(GOOD, "utf-8")
    (tmp_path / "accounts.csv").write_text("id\nX1\nX2\n", "utf-8")
    (tmp_path / "bills.csv").write_text("no,who,day,n,said\n1,C1,2024-05-01,5,perhaps\n", "utf-8")
    (tmp_path / "paid.csv").write_text("who,day,n\nC1,2024-06-01,5\n", "utf-8")
    more = """
[source.accounts]
path = "accounts.csv"
columns = { account = "id" }
[source.invoices]
path = "bills.csv"
columns = { invoice = "no", account = "who", date = "day", amount = "n", disputed = "said" }
[source.payments]
path = "paid.csv"
columns = { account = "who", date = "day", amount = "n" }
[strategies]
playbook = "none.toml"
[report]
languages = ["en", "xx"]
"""
    (tmp_path / "kamlab.toml").write_text(MINIMAL.format(path="orders.csv", more=more), "utf-8")
    done = kamlab("check", "kamlab.toml", "--as-of", "2024-12-10", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    # No terminal, so plain lines instead of a bar; they stay out of what is printed.
    assert done.stderr.splitlines()[0] == "[1/4] transaction log"
    said = [line for line in done.stdout.splitlines() if line.startswith("No report can be made: ")]
    for line, reason in zip(said, ("written in xx", "none.toml", "The account master lacks 5"), strict=True):
        assert reason in line
    # A dispute that is neither yes nor no is a line of its table that cannot be used.
    assert "1 × disputed is not yes or no (lines 2), 5.00 concerned" in done.stdout


def test_check_of_a_file_of_which_no_line_can_be_used(kamlab, tmp_path):
    (tmp_path / "orders.csv").write_text("Customer,Date,Net\nA,31 Dec 2024,1\nB,30 Dec 2024,1\n", "utf-8")
    done = kamlab("check", "orders.csv", cwd=tmp_path)
    assert_refused(done, tmp_path, '"Date" holds no dates ("31 Dec 2024")', "Set date_format")


@needs_cases
def test_check_of_a_file_that_is_no_ledger(kamlab, tmp_path):
    done = kamlab("check", f"{CASES}/messy/wholesale_nbsp_emptycols.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert 'No column is named for "account"' in done.stderr


def test_lab_opens_the_notebooks_or_a_copy_of_them(tmp_path, monkeypatch):
    from types import SimpleNamespace

    from typer.testing import CliRunner

    opened = []
    monkeypatch.setattr(cli.subprocess, "run", lambda command: opened.append(command) or SimpleNamespace(returncode=0))
    assert CliRunner().invoke(cli.app, ["lab"]).exit_code == 0
    assert opened[0][-1] == str(ROOT / "notebooks")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "01_data_quality.ipynb").write_text("changed by hand")
    assert CliRunner().invoke(cli.app, ["lab", str(tmp_path / "mine")]).exit_code == 0
    assert opened[1][-1] == str(tmp_path / "mine")
    # A copy never overwrites what an analyst has changed.
    assert (tmp_path / "mine" / "01_data_quality.ipynb").read_text() == "changed by hand"
    assert len(list((tmp_path / "mine").glob("*.ipynb"))) == 8


def test_lab_beside_a_configuration_opens_a_copy_that_finds_it(tmp_path, monkeypatch):
    from types import SimpleNamespace

    from typer.testing import CliRunner

    from kamlab.runs import find_config

    opened = []
    monkeypatch.setattr(cli.subprocess, "run", lambda command: opened.append(command) or SimpleNamespace(returncode=0))
    (tmp_path / "kamlab.toml").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli.app, ["lab"]).exit_code == 0
    assert opened[0][-1] == "kamlab-notebooks"
    monkeypatch.chdir(tmp_path / "kamlab-notebooks")
    assert len(list(Path().glob("*.ipynb"))) == 8
    assert find_config(parents=1) == tmp_path / "kamlab.toml"


def test_lab_says_where_notebooks_cannot_be_copied(kamlab, tmp_path):
    (tmp_path / "taken").write_text("")
    done = kamlab("lab", "taken", cwd=tmp_path)
    assert_refused(done, tmp_path, "cannot be copied to taken: File exists", "kamlab lab FOLDER")
