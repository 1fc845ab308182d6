"""An as-of run reads nothing dated later: whoever adds what came after changes none of its inputs."""

from datetime import date

import pandas as pd
import pytest

import kamlab as kl
from kamlab import side_tables, steps, tables

AS_OF = "2025-06-30"

KNOWN = {
    "log": "who,day,net\n" + "".join(f"A{i % 5},2025-0{1 + i % 6}-{1 + i % 27:02d},{10 + i}\n" for i in range(80)),
    "accounts": "id,owner,since,before,potential,said,flag,from,until\n"
    "A0,Old,,,,,no,,\nA1,Ann,2025-06-30,Old,700,2025-06-30,yes,2025-06-30,2025-06-30\nA2,Ann,,,500,,yes,,2099-01-01\n",
    "owners": "owner,from,to\nAnn,2020-01-01,\nOld,2020-01-01,2025-06-30\n",
    "prospects": "deal,who,stage,opened,closed,value\n"
    + "".join(
        f"D{i},A{i % 5},{('Won', 'Lost')[i % 2]},2025-01-0{1 + i % 9},2025-03-0{1 + i % 9},100\n" for i in range(30)
    )
    + "D90,A0,Open,2025-05-01,,\n",
    "invoices": "no,who,day,due,net\n1,A1,2025-01-10,2025-02-10,50\n2,A1,2025-03-10,2025-04-10,50\n",
    "payments": "who,day,net,no\nA1,2025-02-10,50,1\n",
    "complaints": "who,day,closed,mark\nA1,2025-06-01,,\n",
    "targets": "start,end,net,set\n2025-01-01,2025-12-31,1000,2024-12-01\n",
    "actions": "no,who,text,created,done\n1,A1,call,2025-06-01,\n",
    "persons": "no,who,from,to\n1,A1,2024-01-01,\n",
    "competitors": "who,rival,day\nA1,Big,2025-01-01\n",
}
LATER = {
    # The owner, the potential and the flag of A0 are of later days; so are a line, a new account and all that follows.
    "log": KNOWN["log"] + "A0,2025-07-01,99999\nA9,2025-08-01,1\n",
    "accounts": KNOWN["accounts"].replace(
        "A0,Old,,,,,no,,", "A0,New,2025-07-01,Old,900000,2025-07-01,yes,2025-07-01,2099-01-01"
    ),
    "owners": KNOWN["owners"].replace("Ann,2020-01-01,", "Ann,2020-01-01,2025-07-01") + "New,2025-07-01,\n",
    "prospects": KNOWN["prospects"].replace("D90,A0,Open,2025-05-01,,", "D90,A0,Won,2025-05-01,2025-07-01,5000000")
    + "D91,A3,Open,2025-07-01,,9000\n",
    "invoices": KNOWN["invoices"] + "3,A1,2025-07-01,2025-07-02,5000\n",
    "payments": KNOWN["payments"] + "A1,2025-07-01,50,2\n",
    "complaints": "who,day,closed,mark\nA1,2025-06-01,2025-07-01,0\nA2,2025-07-01,,\n",
    "targets": KNOWN["targets"] + "2026-01-01,2026-12-31,5000,2025-07-01\n",
    "actions": "no,who,text,created,done\n1,A1,call,2025-06-01,2025-07-01\n2,A1,visit,2025-07-01,\n",
    "persons": "no,who,from,to\n1,A1,2024-01-01,2025-07-01\n2,A1,2025-07-01,\n",
    "competitors": KNOWN["competitors"] + "A1,Bigger,2025-07-01\n",
}
COLUMNS = {
    "accounts": 'account = "id", owner = "owner", owner_since = "since", previous_owner = "before", '
    'declared_potential = "potential", declared_potential_date = "said", strategic = "flag", strategic_since = "from", '
    'strategic_until = "until"',
    "owners": 'owner = "owner", active_from = "from", active_to = "to"',
    "prospects": 'deal = "deal", account = "who", stage = "stage", opened = "opened", closed = "closed", '
    'value = "value"',
    "invoices": 'invoice = "no", account = "who", date = "day", due = "due", amount = "net"',
    "payments": 'account = "who", date = "day", amount = "net", invoice = "no"',
    "complaints": 'account = "who", date = "day", closed = "closed", satisfaction = "mark"',
    "targets": 'start = "start", end = "end", amount = "net", set_on = "set"',
    "actions": 'action = "no", account = "who", text = "text", created = "created", done = "done"',
    "persons": 'person = "no", account = "who", active_from = "from", active_to = "to"',
    "competitors": 'account = "who", competitor = "rival", date = "day"',
}
SIDE_TABLES = [name for name in COLUMNS if name != "accounts"]
MADE = ("ledger", "accounts", "membership", "pipeline", "prospects", "credit")


def inputs(folder, files):
    """Read what a run as of AS_OF is made from."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    text = '[company]\nname = "X"\n[source.transactions]\npath = "log.csv"\n'
    text += 'columns = { account = "who", date = "day", amount = "net" }\n'
    for name, columns in COLUMNS.items():
        text += f'[source.{name}]\npath = "{name}.csv"\ncolumns = {{ {columns} }}\n'
    (folder / "kamlab.toml").write_text(text, "utf-8")
    run = kl.runs.open(config=folder / "kamlab.toml", as_of=AS_OF)
    steps.ledger(run)
    steps.prospects(run)
    found = {name: run.read(name) for name in MADE if name != "credit"}
    as_of = date.fromisoformat(AS_OF)
    found |= {f"source.{name}": tables.read(run.config, name, as_of=as_of).rows for name in SIDE_TABLES}
    found["credit"] = side_tables.credit(run.config, run.period, accounts=run.read("membership"))
    return found


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return inputs(tmp_path_factory.mktemp("known") / "data", KNOWN)


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    return inputs(tmp_path_factory.mktemp("later") / "data", LATER)


def test_what_is_known_on_the_day_itself_counts(known):
    accounts = known["accounts"].set_index("account")
    assert accounts.loc["A1", ["owner", "declared_potential", "strategic"]].tolist() == ["Ann", 700.0, True]
    assert accounts.loc["A2", ["owner", "declared_potential", "strategic"]].tolist() == ["Ann", 500.0, True]


@pytest.mark.parametrize("name", [*MADE, *(f"source.{name}" for name in SIDE_TABLES)])
def test_what_came_later_changes_nothing(name, known, later):
    expected = known[name]
    if name == "source.prospects":
        # What stage an open deal was in that has closed since, nobody has written down.
        expected = expected.assign(stage=expected["stage"].where(expected["stage"] != "Open", None))
    pd.testing.assert_frame_equal(later[name], expected)
