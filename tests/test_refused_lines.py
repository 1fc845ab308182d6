"""What a run is refused for can be looked at: every line that cannot be used is in a CSV that the message names."""

import json

import pandas as pd
import pytest
from own_process import without_kernels
from test_cli import GOOD, assert_refused, configured, kamlab, report  # noqa: F401  (fixtures)

from kamlab.runs import runner

BAD = [f"C{i},2024-13-01,{i}.5\n" for i in range(30)]
ACCOUNTS = 'id,name,wallet\nC1,"Công ty, Một",oops\nC2,Two,-5\nC3,Three,9\nC4,Four,1\nC0,Nil,7\n'
MASTER = """
[source.accounts]
path = "accounts.csv"
columns = { account = "id", name = "name", declared_potential = "wallet" }
max_quarantined_share = 0.9
max_quarantined_money = 0.9
"""


def test_the_lines_for_which_a_run_is_refused_stand_in_a_csv_until_a_run_succeeds(
    report,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    (tmp_path / "accounts.csv").write_text(ACCOUNTS, "utf-8")
    with without_kernels():
        done = report(tmp_path, lines=GOOD + "".join(BAD), more=MASTER)
    path = tmp_path / "reports" / "acme-2024-12-31.quarantine.csv"
    assert done.returncode == 1
    assert "30 of 138 lines of orders.csv cannot be used" in done.stderr
    assert f"All lines that cannot be used, each with its reason, stand in {path}." in done.stderr
    assert [p.name for p in (tmp_path / "reports").rglob("*")] == [path.name]
    bad = pd.read_csv(path, encoding="utf-8-sig")
    log, master = bad[bad["table"] == "transactions"], bad[bad["table"] == "accounts"]
    assert log["line"].tolist() == list(range(110, 140))
    assert log["amount"].sum() == sum(i + 0.5 for i in range(30))
    assert set(log["reason"]) == {"date is missing or impossible"}
    assert log["remedy"].str.startswith("fill in the day").all()
    assert json.loads(log["original"].iloc[3]) == {"customer": "C3", "day": "2024-13-01", "net": "3.5"}
    assert master["line"].tolist() == [2, 3]
    assert json.loads(master["original"].iloc[0])["name"] == "Công ty, Một"
    monkeypatch.setattr(runner, "build", lambda building, *_: building.mkdir() or {})
    mended = report(tmp_path, lines=GOOD + "C1,2024-12-31,10\n", more=MASTER)
    assert mended.returncode == 0, mended.stderr
    assert not path.exists()


def test_check_writes_the_lines_where_it_is_told_to_and_over_nothing_else(kamlab, tmp_path):  # noqa: F811
    configured(tmp_path, lines=GOOD + "".join(BAD[:2]))
    done = kamlab("check", "kamlab.toml", cwd=tmp_path)
    assert "To get all of these lines as CSV, add --unusable FILE.csv." in done.stdout
    for _ in range(2):
        done = kamlab("check", "kamlab.toml", "--unusable", "bad.csv", cwd=tmp_path)
        assert "All 2 lines that cannot be used, each with its reason: bad.csv" in done.stdout
    assert pd.read_csv(tmp_path / "bad.csv")["line"].tolist() == [110, 111]
    done = kamlab("check", "orders.csv", "--unusable", "orders.csv", cwd=tmp_path)
    assert_refused(done, tmp_path, "orders.csv is there already", "Name another file")
    assert (tmp_path / "orders.csv").read_text("utf-8").startswith(GOOD)


@pytest.mark.parametrize("data", ["kamlab.toml", "orders.csv"])
def test_check_without_faults_offers_no_list(data, kamlab, tmp_path):  # noqa: F811
    configured(tmp_path, lines=GOOD + "C1,2024-12-31,10\n")
    done = kamlab("check", data, cwd=tmp_path)
    assert "--unusable" not in done.stdout
