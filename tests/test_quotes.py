"""Quotation marks that are not closed: the line goes to the quarantine, all others are read as if it were not there."""

import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kamlab as kl
from kamlab.sources import read_table
from kamlab.sources.text import split

COLUMNS = {"account": "customer", "date": "day", "product": "item", "amount": "net"}
HEADER = "customer,item,day,net\n"
ROWS = [f"C{i},item {i},2025-01-{i + 1:02d},{i}.50\n" for i in range(9)]


def opened(folder, text):
    (folder / "log.csv").write_bytes(text.encode())
    return folder / "log.csv"


def ledger(folder, text):
    return kl.read_ledger(opened(folder, text), columns=COLUMNS, max_quarantined_share=1)


@pytest.mark.parametrize(
    "bad",
    [
        '"C7,item,2025-01-09,99\n',
        'C7,"item,2025-01-09,99\n',
        'C7,"12"" pipe,2025-01-09,99\n',
        'C7,item,2025-01-09,"99\n',
        'C7,"a, b"",2025-01-09,99\n',
    ],
)
@pytest.mark.parametrize("place", [0, 4, 9])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoted", [False, True])
def test_one_stray_mark_costs_its_own_line(bad, place, end, quoted, tmp_path):
    rows = [row.replace("item", '"the ""best"", large"') if quoted else row for row in ROWS]
    text = HEADER + "".join([*rows[:place], bad, *rows[place:]])
    found = ledger(tmp_path, text.replace("\n", end))
    assert found.quarantine[["line", "reason"]].values.tolist() == [[place + 2, "a quotation mark is not closed"]]
    assert json.loads(found.quarantine["original"][0]) == {"fields": [bad.rstrip("\n")]}
    assert found.lines["line"].to_pylist() == [n for n in range(2, 12) if n != place + 2]
    assert found.lines["amount"].to_pylist() == [Decimal(f"{i}.50") for i in range(9)]
    rows = found.reconciliation().set_index("part")["rows"]
    assert (rows["read"], rows["accepted"], rows["quarantined"]) == (10, 9, 1)


@pytest.mark.parametrize(
    "item", ['12" pipe', 'pipe 12"', '"12"" pipe"', '5"x7"', '"a\nb\n\nc"', '"see, ""there""\n,ok"']
)
def test_marks_that_mean_themselves_or_are_closed_are_read(item, tmp_path):
    log = HEADER + "".join([*ROWS[:4], f"C9,{item},2025-01-10,7\n", *ROWS[4:]])
    found = ledger(tmp_path, log)
    assert found.quarantine.empty
    assert found.lines["product"][4].as_py() == next(csv.reader(io.StringIO(item, newline="")))[0].strip()
    assert found.lines["account"].to_pylist() == ["C0", "C1", "C2", "C3", "C9", "C4", "C5", "C6", "C7", "C8"]


@pytest.mark.parametrize("column", [0, 1, 3])
def test_texts_of_several_lines_in_any_column_are_one_row(column, tmp_path):
    fields = ["C9", "item", "2025-01-10", "7"]
    fields[column] = f'"{fields[column]}\nsecond line\nthird, with a comma"'
    raw = read_table(opened(tmp_path, HEADER + ",".join(fields) + "\n" + "".join(ROWS)))
    assert raw.rows.num_rows == 10
    assert raw.lines.to_pylist() == [2, *range(5, 14)]
    assert not raw.ragged


def test_a_mark_without_end_does_not_make_a_long_file_slow_or_lost(tmp_path):
    rows = [f"C{i % 50},pipe,2025-01-{i % 28 + 1:02d},1\n" for i in range(30_000)]
    rows[::3000] = ['"C,pipe,2025-01-01,1\n'] * 10
    found = ledger(tmp_path, HEADER + "".join(rows))
    assert len(found.quarantine) == 10
    assert found.lines.num_rows == 29_990


PLAIN = st.text(st.sampled_from('ab ;"é'), max_size=5).map(lambda text: "x" + text)
QUOTED = st.text(st.sampled_from('ab,"é'), max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"')
LONG = st.lists(st.text(st.sampled_from("abé "), max_size=3), min_size=2, max_size=3).map(
    lambda lines: '"' + "\n".join(lines) + '"'
)
LINE = st.tuples(
    st.sampled_from(["A", "B", '"C, Ltd"']), PLAIN | QUOTED | LONG, st.integers(1, 28), st.integers(1, 999)
)
DAMAGE = st.none() | st.sampled_from(['"{}', '{},"', '"{}"""'])


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(st.tuples(LINE, DAMAGE, st.integers(0, 3)), min_size=1, max_size=12))
def test_no_row_is_lost_or_changed_by_the_marks_of_another(lines):
    """Every line of the file is in one row or in the quarantine, once; rows without a slip stay as they are."""
    text, sound, slips, at = "", {}, 0, 1
    for (account, item, day, net), damage, column in lines:
        fields = [account, item, f"2025-01-{day:02d}", str(net)]
        if damage:
            # A slip in a text of several lines would leave its other lines alone.
            fields[1] = "x"
            fields[column] = damage.format(fields[column])
            slips += 1
        row = ",".join(fields) + "\n"
        if not damage:
            sound[at] = next(csv.reader(io.StringIO(row, newline="")))
        text, at = text + row, at + row.count("\n")
    unclosed = []
    found = dict(split(text, ",", width=4, unclosed=unclosed))
    rows = {line: fields for line, fields in found.items() if len(fields) == 4}
    bad = [*(found.keys() - rows.keys()), *(line for line, _ in unclosed)]
    assert {line: rows.get(line) for line in sound} == sound
    assert len(rows) + len(bad) == len(sound) + slips
    assert len({*rows, *bad}) == len(rows) + len(bad)


def test_without_a_width_only_the_end_of_the_file_tells():
    unclosed = []
    assert list(split('a\n"b\nc\n', ",", unclosed=unclosed)) == [(1, ["a"]), (3, ["c"])]
    assert unclosed == [(2, '"b')]
