import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamlab.errors import DataError
from kamlab.ids import among, beside, places

IDS = st.lists(st.sampled_from(["a", "b", "ab", "", "客户", "A"]), max_size=8)


@given(IDS, IDS)
def test_ids_are_found_among_others_as_pandas_finds_them(ids, known):
    column = pd.Series(ids, dtype="str")
    for others in (known, set(known), pd.Series(known, dtype="str"), pd.Series(known, dtype="str").to_numpy()):
        assert among(column, others).tolist() == column.isin(known).tolist()


@given(IDS, IDS)
def test_the_place_of_an_id_is_the_first_of_several(ids, known):
    found = places(pd.Series(ids, dtype="str"), pd.Series(known, dtype="str"))
    assert found.tolist() == [known.index(one) if one in known else -1 for one in ids]


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_tables_stand_beside_each_other_as_a_merge_on_text_sets_them(left, right):
    table = pd.DataFrame({"account": pd.Series(left, dtype="str"), "n": range(len(left))})
    kinds = {"b": True, "i": 3, "d": pd.Timestamp("2025-12-31"), "t": "x"}
    other = pd.DataFrame({"account": pd.Series(right, dtype="str"), **kinds})
    other.index += 5
    merged = table.merge(other, on="account", how="left", validate="one_to_one")
    pd.testing.assert_frame_equal(beside(table, other), merged)


def test_an_account_that_stands_twice_is_named():
    once, twice = pd.DataFrame({"account": ["a", "b"]}), pd.DataFrame({"account": ["b", "a", "b"], "x": 1})
    for tables in ((once, twice), (twice, once)):
        with pytest.raises(DataError, match=r"1 rows repeat an account \(first: b\)"):
            beside(*tables)
