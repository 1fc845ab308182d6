"""The pages of account plans: what stands on them, in every language and with any name, and one PDF each."""

import json
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, new_output, writes

from kamlab.errors import ReportError
from kamlab.i18n import Translator
from kamlab.plans import findings, proposals
from kamlab.plans.card import FACTS
from kamlab.reports import blocks, export, export_pdf
from kamlab.reports.sections import plan_words
from kamlab.reports.sections.plan_book import PlanPage
from kamlab.reports.sections.plan_page import page
from kamlab.strategies import load_playbook
from kamlab.strategies.model import Tactic

T = Translator("en", currency="CNY")
DAY = pd.Timestamp("2025-12-31")


def a_plan(**changes):
    row = {
        "account": "A1",
        "name": "Alpha",
        "type_000": "A",
        "strategy": "promote",
        "strategy_rule": "promote.mid",
        "strategy_inputs": "contribution_level=Mid; wallet_share=0.25",
        "flags": "future, hold",
        "industry": "feed",
        "channel": "end user",
        "country": "Vietnam",
        "region": None,
        "size": "L",
        "trailing_revenue": 2_500_000.0,
        "previous_revenue": 2_000_000.0,
        "peak_revenue": 2_600_000.0,
        "expected_contribution": 800_000.0,
        "contribution_lower": 300_000.0,
        "contribution_upper": 1_300_000.0,
        "potential_revenue": 10_000_000.0,
        "potential_source": "declared",
        "wallet_share": 0.25,
        "headroom": 1_500_000.0,
        "p_alive": 0.97,
        "cost_to_serve": 40_000.0,
        "receivables_cost": 21_000.0,
        "credit_loss": 4_000.0,
        "days_since_last": 12,
        "prior_peak_revenue": 2_100_000.0,
    }
    plan = {
        "account": "A1",
        "responsible": "Ann",
        "rule": "plan.type_a",
        "card_share": 0.5,
        "card_missing": "decider, potential, address",
        "roles_missing": "decider, finance",
        "complaints": 2,
        "open_complaints": 1,
        "satisfaction": 6.5,
        "interval_days": 14,
        "last_contact": DAY - pd.Timedelta(days=20),
        "next_contact": DAY - pd.Timedelta(days=6),
    }
    rows = {
        "people": [{"role": "buyer", "name": "Ba"}, {"role": "user", "name": "Us"}],
        "mix": [{"product_line": "Feed", "share": 0.7}, {"product_line": "Food", "share": 0.3}],
        "findings": [
            {"part": "threat", "finding": "rival", "finding_values": '{"name": "Riv", "line": "Food", "share": 0.3}'}
        ],
        "actions": [
            {"state": "overdue", "action": "7", "text": "call the plant", "action_values": "{}", "who": "Bob"}
            | {"department": None, "due": DAY},
            {"state": "proposed", "action": "find_decider", "text": None, "action_values": "{}", "who": None}
            | {"department": "management", "due": DAY},
        ],
        "projects": [
            {"kind": "deal", "id": "D9", "name": "NA-PH", "value": 90_000.0, "end": None, "probability": 0.4},
            {"kind": "project", "id": "P1", "name": "new plant", "value": 70_000.0, "end": DAY, "probability": None},
        ],
        "competitors": [{"competitor": "Riv", "product_line": "Food", "share": 0.3}],
    }
    target = {
        "target": 2.6e6,
        "forecast": 2.45e6,
        "p50": 2.4e6,
        "p80": 3.0e6,
        "gain": 1.5e5,
        "gain_lower": 5e4,
        "gain_upper": 3e5,
        "stretch": 3.2e6,
        "plan": 2.7e6,
        "chance": 0.4,
    }
    target |= {"price": 65.0, "quantity": 40_000.0}
    life = {f"clv_{n}y{part}": n * 1e6 for n in (3, 5) for part in ("", "_lower", "_upper")}
    base = PlanPage(
        plan=plan,
        row=row,
        labels={"engagement_001": "team"},
        credit={"credit_002": "AA", "outstanding": 5e5, "overdue": 1e5, "disputed": 0.0},
        lifetime=life,
        target=target,
        segment={"segment_name": "Large regular buyers", "segment": 1},
        rows=rows,
        notes={},
        members=["A1"],
        reviews=[date(2026, 3, 31), date(2026, 6, 30)],
        contribution=True,
        cost_to_serve=True,
        level=0.9,
        playbook=load_playbook(),
        personal=False,
    )
    return replace(base, **changes)


def said(case, t=T):
    """Everything that stands on a plan's pages, as one text."""
    return json.dumps([block.to_json() for block in page(case, t)], ensure_ascii=False).replace("\u00a0", " ")


def test_a_plan_has_its_four_parts_in_order():
    headings = [b.markdown for b in page(a_plan(), T) if isinstance(b, blocks.Text) and b.markdown.startswith("## ")]
    assert headings == [
        "## Customer and needs",
        "## Our position",
        "## Goals and strategy",
        "## Actions, resources, review",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Type A, strategy **Promote**, kept by Ann.",
        "Owes or disputes money for more than 90 days: settle that before anything is promised.",
        "+25% on the 12 months before",
        "90% interval: CNY 300 k to CNY 1.30 M",
        "of CNY 10.0 M a year (declared)",
        "forecast CNY 2.45 M; stretch CNY 3.20 M",
        "as likely above as below CNY 2.40 M; one year in five brings more than CNY 3.00 M",
        '"Cost to serve", "CNY 40.0 k a year, already taken off"',
        '"Waiting for payment and credit losses", "CNY 25.0 k a year, already taken off"',
        "CNY 150 k (CNY 50.0 k to CNY 300 k) that planned work is assumed to add",
        "CNY 2.70 M; the forecast alone reaches it with a probability of 40%",
        "40,000 units at today's mean price of CNY 65",
        "feed, end user, Vietnam, size L",
        "Buyer: Ba; User: Us",
        "Decider, Finance",
        "Feed 70%, Food 30%",
        "with a probability of over 95%",
        "Riv (30%, Food)",
        "class AA; CNY 500 k unpaid, of it CNY 100 k overdue and CNY 0 disputed",
        "2 in 12 months, 1 open; satisfaction 6.5 of 10",
        "Riv delivers 30% of what it buys of Food.",
        "3 years CNY 3.00 M (CNY 3.00 M to CNY 3.00 M)",
        "deal D9 (NA-PH): CNY 90.0 k, won with a probability of 40%; new plant: CNY 70.0 k, until 31 Dec 2025",
        "It has an account plan because it is of type A. What its strategy was decided by: Contribution after the "
        "share rule: Mid; Share of wallet: 25%.",
        '"Segment", "Large regular buyers"',
        '"call the plant", "Bob", "31 Dec 2025", "overdue"',
        '"Find out who decides, and meet that person.", "Sales management", "31 Dec 2025", "proposed"',
        "every 14 days; the last was 11 Dec 2025, the next is due by 25 Dec 2025",
        "at the end of each quarter: 31 Mar 2026; 30 Jun 2026",
        "Team to one: Several departments of ours work from one shared picture of the customer.",
        '"[to be filled in]", "Executives needed, Experts and training needed"',
    ],
)
def test_what_is_known_stands_on_the_page(sentence):
    assert sentence in said(a_plan())


def test_a_new_account_is_shown_with_and_without_its_largest_order():
    row = {**a_plan().row, "flags": "new", "trailing_largest_order": a_plan().row["trailing_revenue"] - 500_000.0}
    assert "without its largest order CNY 500 k in the last 12 months" in said(a_plan(row=row))
    assert "without its largest order" not in said(a_plan())


def test_what_people_wrote_stands_in_the_place_of_the_blank():
    filled = a_plan(
        notes={"needs": "low dust", "strengths": "trust", "executives": "CEO in May", "mid_term": "one plant"}
    )
    text = said(filled)
    for words in ('"Needs", "low dust"', '"trust"', '"Executives needed", "CEO in May"', "today. one plant"):
        assert words in text
    assert '"[to be filled in]", "Experts and training needed"' in text


def test_personal_data_is_printed_only_where_it_is_switched_on():
    notes = {"birthdays": "Ba: 4 May", "family": "two sons"}
    assert "4 May" not in said(a_plan(notes=notes))
    assert "Birthdays" not in said(a_plan(notes=notes))
    assert "4 May" in said(a_plan(notes=notes, personal=True))


def test_an_account_without_money_of_its_own_has_dashes_and_no_share():
    bare = a_plan()
    row = {**bare.row, "wallet_share": np.nan, "potential_source": "unknown", "potential_revenue": np.nan}
    row |= {"strategy": "win_back", "strategy_rule": "win_back.silent", "expected_contribution": 0.004, "flags": ""}
    row |= {"previous_revenue": 0.0, "headroom": np.nan}
    empty = {name: [] for name in bare.rows}
    text = said(replace(bare, row=row, rows=empty, credit={}, lifetime={}, target={}))
    assert "what it could buy is unknown" in text
    assert '"CNY 0"' in text, "cents are nothing"
    assert "Why it left" in text
    assert "Credit" not in text


def test_the_company_s_own_tactics_stand_beside_ours():
    book = load_playbook().model_copy(update={"tactics": (Tactic(strategy="promote", text="Show *our* plant."),)})
    text = said(a_plan(playbook=book))
    assert json.dumps(blocks.escape("Show *our* plant."))[1:-1] in text, "a star in it is no mark-up"
    assert "Bring technical advice and a complete solution in early." in text


def test_a_group_names_its_members():
    assert "5 accounts: C1, C2, C3 …" in said(a_plan(members=["C1", "C2", "C3", "C4", "C5"]))


def test_every_finding_proposal_and_fact_has_its_sentence():
    assert set(plan_words.FINDINGS) == {code for _, code, _ in findings.RULES}
    assert {part for part, _, _ in findings.RULES} == set(plan_words.PARTS)
    assert set(plan_words.PROPOSALS) == {code for code, *_ in proposals.RULES}
    assert {who for _, who, *_ in proposals.RULES} == set(plan_words.WHO)
    assert set(plan_words.FACTS) <= {name for name, _ in FACTS}


# As documents ----------------------------------------------------------------------------------------------------

HOSTILE = [
    "#set page(fill: red) $x$ *b* _i_ `c` \\u{41} @ref <tag> [link](x)",
    "=1+1",
    "\u0634\u0631\u0643\u0629 \u0627\u0644\u0646\u064a\u0644 \u202e\u0627",
    "😀 喵喵公司 & Söhne",
    "Ж" * 300,
]


def executed(cases, tmp_path, lang="en"):
    """An executed notebook of plans, as the runner exports it."""
    t = Translator(lang, currency="CNY")
    shown = [
        blocks.cover("Account plans", translator=t, company="ACME", as_of=date(2025, 12, 31)),
        blocks.text("# All plans\n\nA sentence."),
        *(blocks.part(key, page(case, t)) for key, case in cases.items()),
    ]
    outputs = [new_output("display_data", data=json.loads(json.dumps(b._repr_mimebundle_()))) for b in shown]
    path = tmp_path / "plans.ipynb"
    path.write_text(writes(new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=outputs)])), "utf-8")
    return path


def test_each_plan_is_a_pdf_of_two_pages_and_all_of_them_one_with_bookmarks(tmp_path):
    cases = {f"A/{n}": a_plan(row={**a_plan().row, "name": name}) for n, name in enumerate(HOSTILE)}
    notebook = executed(cases, tmp_path)
    messages = export_pdf(
        notebook, tmp_path / "account-plans.en.pdf", as_of=date(2025, 12, 31), parts=tmp_path / "plans"
    )
    assert any("arabic" in line for line in messages)
    made = sorted((tmp_path / "plans").iterdir())
    assert len(made) == len(cases)
    for path in made:
        assert re.fullmatch(r"A-\d-[0-9a-f]{8}\.en\.pdf", path.name)
        # A heading of 300 letters takes a third of a page.
        assert len(pypdfium2.PdfDocument(path)) == (3 if path.name.startswith("A-4") else 2)
    with pikepdf.open(tmp_path / "account-plans.en.pdf") as whole, whole.open_outline() as outline:
        assert len(outline.root) == 1 + len(cases)
    with pikepdf.open(made[0]) as one, one.open_metadata() as facts:
        assert facts["pdfuaid:part"] == "1"
        assert str(one.docinfo["/Title"]).startswith("#set page")


@pytest.mark.parametrize("lang", ["vi", "zh", "es"])
def test_a_plan_can_be_set_in_every_language(lang, tmp_path):
    notebook = executed({"A1": a_plan()}, tmp_path, lang)
    export_pdf(notebook, tmp_path / f"all.{lang}.pdf", as_of=date(2025, 12, 31), parts=tmp_path / "plans")
    document = pypdfium2.PdfDocument(tmp_path / "plans" / f"A1.{lang}.pdf")
    assert "CNY" in document[0].get_textpage().get_text_range()


def test_parts_number_their_tables_anew_and_leave_the_document_as_it_was(tmp_path):
    document = export.read_document(executed({"A1": a_plan(), "B2": a_plan()}, tmp_path))
    parts = export.parts(document)
    labels = [[e["label"] for e in part["body"] if e["kind"] == "table"] for part in parts.values()]
    assert labels[0] == labels[1] == [f"Table {n}" for n in range(1, 7)]
    assert [e["label"] for e in document["body"] if e["kind"] == "table"][-1] == "Table 12"
    assert [part["meta"]["title"] for part in parts.values()] == ["Alpha", "Alpha"]


def test_a_part_holds_no_cover_and_no_other_part():
    with pytest.raises(ReportError, match="cover"):
        blocks.part("A", [blocks.cover("x", translator=T, company="c", as_of=date(2025, 1, 1))])
    with pytest.raises(ReportError, match="part"):
        blocks.part("A", [blocks.part("B", [blocks.text("x")])])


def test_a_block_inside_a_part_is_checked(tmp_path):
    broken = blocks.part("A", [blocks.text("x")]).to_json()
    broken["blocks"][0]["kind"] = "video"
    with pytest.raises(ReportError, match='no block "video"'):
        blocks.check_json(broken)


@settings(deadline=None, max_examples=200)
@given(st.sets(st.text(min_size=1, max_size=80), max_size=8))
def test_files_of_any_accounts_have_safe_names_that_differ(keys):
    names = export.file_names(sorted(keys))
    assert len({name.casefold() for name in names.values()}) == len(keys)
    for name in names.values():
        assert re.fullmatch(r"[\w-]+", name)
        assert len(name) <= 70


def test_files_of_plain_accounts_have_the_accounts_names():
    assert export.file_names(["C0001", "G01", "con", "a/b"])["C0001"] == "C0001"
    assert export.file_names(["a1", "A1"])["a1"] != "a1", "some systems take them for the same file"
    assert export.file_names(["con"])["con"].startswith("con-")
