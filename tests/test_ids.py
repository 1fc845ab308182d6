import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from kamlab.ids import among

IDS = st.lists(st.sampled_from(["a", "b", "ab", "", "客户", "A"]), max_size=8)


@given(IDS, IDS)
def test_ids_are_found_among_others_as_pandas_finds_them(ids, known):
    column = pd.Series(ids, dtype="str")
    for others in (known, set(known), pd.Series(known, dtype="str"), pd.Series(known, dtype="str").to_numpy()):
        assert among(column, others).tolist() == column.isin(known).tolist()
