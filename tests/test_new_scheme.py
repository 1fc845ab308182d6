"""A new scheme is one file: dropped beside the others, it goes all the way to the evidence and the printed page."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kamlab

FILE = """
from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Found, Scheme
import pandas as pd

LABELS = (N_("rare"), N_("frequent"))

SCHEME = Scheme(
    name="orders_only",
    title=N_("Number of orders"),
    document="",
    kind="fixed",
    needs=("trailing_purchase_days",),
    classes={"orders_only": Classes(LABELS, order="trailing_purchase_days")},
    classify=lambda table, context: Found(
        {
            "orders_only": pd.Series("rare", table.index)
            .mask(table["trailing_purchase_days"] >= 6, "frequent")
            .where(table["trailing_purchase_days"].notna())
        }
    ),
)
"""
SCRIPT = """
import json
import kamlab as kl
from kamlab import earlier, evidence, schemes
from kamlab.i18n import Translator
from kamlab.reports.sections import evidence as page, levels
from test_earlier import COLUMNS, FIXED, PERIOD, company, settings_for
from test_levels import Run

lines = company(45, years=1.7)
ledger, settings = kl.read_ledger(lines, columns=COLUMNS), settings_for(lines)
past = earlier.look_back(ledger, PERIOD, settings, origins=1)
now = earlier._values(ledger, PERIOD, settings, with_soon=True)
cuts = {"contribution": earlier.contribution_cuts(now, past, FIXED["contribution"], n_boot=5)}
today = schemes.apply(now, cuts, FIXED, n_boot=5)
judged = evidence.measure(past, today.table, n_boot=20)
run = Run(schemes=today.table, scheme_list=today.listing, evidence=judged, forecast=now)
printed = [
    " ".join(str(block.to_json()) for block in part(run, Translator("en")))
    for part in (levels.all_schemes, levels.classes, page.all_schemes)
]
said = {
    "package": kl.__file__,
    "classes": today.table.set_index("account")["orders_only"].to_dict(),
    "days": now.set_index("account")["trailing_purchase_days"].to_dict(),
    "measures": sorted(judged.loc[judged["column"] == "orders_only", "measure"].unique()),
    "printed": [text.count("Number of orders") for text in printed],
}
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    source = tmp_path_factory.mktemp("scheme")
    package = source / "kamlab"
    shutil.copytree(Path(kamlab.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "schemes" / "orders_only.py").write_text(FILE, "utf-8")
    paths = os.pathsep.join([str(source), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["package"].startswith(str(source))
    return found


def test_it_classes_every_account_beside_the_others(said):
    assert said["classes"] == {a: "frequent" if n >= 6 else "rare" for a, n in said["days"].items()}
    assert set(said["classes"].values()) == {"rare", "frequent"}


def test_it_is_judged_and_printed(said):
    assert {"share", "explained", "changed", "missed"} <= set(said["measures"])
    # once in the list of schemes, a row for each of its two classes, and once on the page of evidence
    assert said["printed"] == [1, 2, 1]
