"""What the engine reads from text is what Python reads, and what it reads from typed columns is exact."""

from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kamlab.expressions import date_of, decimal_of, text_of
from kamlab.parsing import parse_date, parse_decimal, parse_text

CONNECTION = ibis.duckdb.connect()


def computed(values, make, kind="string"):
    t = ibis.memtable(pa.table({"x": pa.array(values, kind), "n": range(len(values))}))
    found = CONNECTION.to_pyarrow(t.select("n", y=make(t.x)).order_by("n"))
    return found["y"].to_pylist()


def as_python(values):
    return [None if pd.isna(value) else value for value in values]


DIGITS = st.text("0123456789", max_size=30)
NUMBER = st.builds(
    lambda sign, whole, point, rest, power: sign + whole + point + rest + power,
    st.sampled_from(["", "-", "+"]),
    DIGITS,
    st.sampled_from(["", "."]),
    st.one_of(DIGITS, st.text("05", max_size=12)),
    st.sampled_from(["", "", "e3", "E-7", "e+30", "e99", "e-99"]),
)
WORDS = st.text(max_size=8) | st.sampled_from([" 7 ", "\u30007\u00a0", "nan", "inf", "0x1", "１２", "1,5", "=1+1", "."])


@settings(max_examples=12, deadline=None)
@given(values=st.lists(NUMBER | WORDS, min_size=1, max_size=40))
def test_numbers_are_those_of_parse_decimal(values):
    values = [value.replace("\x00", "") for value in values]
    expected = as_python(parse_decimal(parse_text(pd.Series(values, dtype="str")).astype("str")))
    assert computed(values, lambda x: decimal_of(text_of(x))) == expected


@settings(max_examples=12, deadline=None)
@given(values=st.lists(WORDS, min_size=1, max_size=40))
def test_words_are_those_of_parse_text(values):
    values = [value.replace("\x00", "") for value in values]
    assert computed(values, text_of) == as_python(parse_text(pd.Series(values, dtype="str")))


DAY = st.builds(
    lambda y, m, d, sep, tail: f"{y}{sep}{m}{sep}{d}{tail}",
    st.sampled_from(["2024", "1899", "24", "69", "2023"]),
    st.sampled_from(["1", "02", "12", "13"]),
    st.sampled_from(["1", "29", "30", "31"]),
    st.sampled_from(["-", "/", ".", ""]),
    st.sampled_from(["", " 09:30", "T9:05:01Z", "x", " "]),
)


@settings(max_examples=12, deadline=None)
@given(values=st.lists(DAY, min_size=1, max_size=30), form=st.sampled_from([None, "%Y/%m/%d", "%y-%m-%d", "%Y%m%d"]))
def test_dates_are_those_of_parse_date(values, form):
    expected = [day.date() if day is not None else None for day in as_python(parse_date(pd.Series(values), form))]
    assert computed(values, lambda x: date_of(text_of(x), form)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1261.39999999999, "1261.4000"),
        (0.00005, "0.0000"),  # half to even, of the shortest text of the number
        (0.00015, "0.0002"),
        (-2.00025, "-2.0002"),
        (1e23, "100000000000000000000000.0000"),
        (1e24, None),
        (np.inf, None),
    ],
)
def test_typed_numbers_are_rounded_as_their_text(value, expected):
    (found,) = computed([value], decimal_of, "double")
    assert found == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,5", "1234.5"),
        ("1234,5", "1234.5"),
        ("12.34,5", None),
        ("-1.234.567", "-1234567"),
        (",5", "0.5"),
        ("1,2,3", None),
    ],
)
def test_numbers_of_a_country_are_read_with_its_marks(text, expected):
    (found,) = computed([text], lambda x: decimal_of(text_of(x), decimal=",", thousands="."))
    assert found == (None if expected is None else Decimal(expected))
