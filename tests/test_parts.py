"""A ledger that is sorted in parts is the one that is sorted at once."""

from datetime import date
from unittest.mock import patch

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kamlab as kl
from kamlab import engines, parts
from kamlab.parts import write_in_parts

COLUMNS = {"account": "who", "date": "day", "amount": "net", "product": "what"}
LINE = st.tuples(
    st.sampled_from(["A", "B", "a", "Ä", "it's", "中", "", "Zürich"]),
    st.dates(date(2024, 1, 1), date(2024, 1, 9)),
    st.integers(-5, 50),
    st.sampled_from(["x", ""]),
)


def ledger(rows, folder, *, at_once, row_group=parts.ROW_GROUP):
    frame = pd.DataFrame(rows, columns=["who", "day", "net", "what"]).astype({"day": str})
    with patch.object(engines, "MOST_AT_ONCE", at_once), patch.object(parts, "AT_ONCE", at_once):  # noqa: SIM117
        with patch.object(parts, "ROW_GROUP", row_group):
            return kl.read_ledger(frame, columns=COLUMNS, scratch=folder, max_quarantined_share=1)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"preserve_insertion_order": False}) as opened:
        yield opened


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(LINE, min_size=1, max_size=40), at_once=st.integers(1, 12), row_group=st.integers(1, 50))
def test_rows_and_their_order_do_not_depend_on_the_parts(rows, at_once, row_group, connection, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    lines = [(who or None, day, place, net) for place, (who, day, net, _) in enumerate(rows)]
    table = pa.table(dict(zip(("who", "day", "place", "net"), map(list, zip(*lines, strict=True)), strict=True)))
    connection.register("lines", table)
    with patch.object(parts, "AT_ONCE", at_once), patch.object(parts, "ROW_GROUP", row_group):
        write_in_parts(connection, "lines", ["who", "day", "place"], folder / "x.parquet", folder, facts="said")
    written = pq.read_table(folder / "x.parquet")
    assert list(map(tuple, zip(*written.to_pydict().values(), strict=True))) == sorted(
        lines, key=lambda line: (line[0] is None, (line[0] or "").encode(), *line[1:])
    )
    assert [path.name for path in folder.iterdir()] == ["x.parquet"]
    file = pq.read_metadata(folder / "x.parquet")
    assert file.metadata[b"kamlab"] == b"said"
    # Whatever the parts are, all row groups but the last are full.
    sizes = [file.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert sizes == [row_group] * (len(rows) // row_group) + [len(rows) % row_group] * (len(rows) % row_group > 0)


def test_a_part_holds_no_more_rows_than_it_may_but_where_one_account_has_more(tmp_path):
    rows = [(f"C{i % 10}", date(2024, 1, 1 + i % 9), 1, "") for i in range(100)]
    rows += [("C3", date(2024, 2, 1), 1, "")] * 60 + [(None, date(2024, 2, 1), 5, "")] * 7
    seen, sort = [], parts._sorted

    def noted(connection, folders, by):
        folders = list(folders)
        for folder in folders:
            seen.append(pq.read_table(folder, partitioning=None)["account"].to_pylist())
        return sort(connection, folders, by)

    with patch.object(parts, "_sorted", noted):
        found = ledger(rows, tmp_path, at_once=40)
    assert found.reconciliation().set_index("part")["rows"]["accepted"] == 167
    assert all(len(part) <= 40 + (70 if "C3" in part else 0) for part in seen)
    assert seen[-1] == [None] * 7
    assert len({account for part in seen for account in set(part)}) == sum(len(set(part)) for part in seen)
    assert not list(found.session.scratch.rglob("parts"))


def test_a_ledger_sorted_in_parts_is_the_one_sorted_at_once(tmp_path):
    rows = [(f"C{i % 31:02d}", date(2024, 1, 1 + i % 28), i % 17, "") for i in range(2000)]
    whole, parted = (ledger(rows, tmp_path, at_once=n, row_group=100) for n in (10_000, 100))
    assert pq.read_table(parted.path).to_pylist() == pq.read_table(whole.path).to_pylist()
    assert parted.facts() == whole.facts() == pq.read_metadata(parted.path).metadata[b"kamlab"].decode()
    four = ["frequency", "recency", "T", "monetary_value"]
    # Straight from the file, in which accounts and days run on from one row group into the next.
    period = kl.StudyPeriod("2024-01-31")
    pd.testing.assert_frame_equal(*(kl.summarize(found, period, columns=four) for found in (whole, parted)))


@pytest.mark.parametrize("text", ["C'; DROP", "50%", "a\\b"])
def test_names_are_no_sql(text, tmp_path):
    rows = [(name, date(2024, 1, 1), 1, "") for name in ["A", text, text, "Z"]]
    found = ledger(rows, tmp_path, at_once=1)
    assert pq.read_table(found.path)["account"].to_pylist() == sorted(["A", text, text, "Z"])
