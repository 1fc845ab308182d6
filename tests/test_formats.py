"""How numbers and dates are written is found out for certain, or asked for with an example."""

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamlab.errors import ConfigError, DataError
from kamlab.parsing import NumberFormat
from kamlab.sources import canonical, from_frame


def numbers(texts, **given):
    raw, columns = canonical(from_frame(pd.DataFrame({"net": texts})), {"amount": "net"}, numbers=["amount"], **given)
    return raw.rows[columns["amount"]].to_pylist()


def dates(texts, **given):
    raw, columns = canonical(from_frame(pd.DataFrame({"day": texts})), {"date": "day"}, dates=["date"], **given)
    return raw.rows[columns["date"]].to_pylist()


@pytest.mark.parametrize(
    ("texts", "plain"),
    [
        (["12.50", "1,234"], ["12.50", "1234"]),
        (["12,50", "1.234"], ["12.50", "1234"]),
        (["1.234.567", "1.234"], ["1234567", "1234"]),
        (["1,234.5", "-7"], ["1234.5", "-7"]),
        (["1'234.50", "1’234’567"], ["1234.50", "1234567"]),
        (["1\u00a0234,50", "12\u202f345,6", "1\u2009000"], ["1234.50", "12345.6", "1000"]),
        (["0,123", "1,234"], ["0.123", "1.234"]),
        (["12 345,00", " 7 ", "", None], ["12345.00", "7", None, None]),
        (["5", "12,5oo", "1 2"], ["5", "?", "?"]),
        (["1234,567", "8"], ["1234.567", "8"]),
    ],
)
def test_numbers(texts, plain):
    assert numbers(texts) == plain


@pytest.mark.parametrize("text", ["1.234", "1,234", "-12.345"])
def test_a_number_that_may_be_a_thousand_is_asked_for(text):
    with pytest.raises(DataError, match=r'column "net": ".*" may be -?\d+ or -?\d+\.\d+, .* Set decimal = ') as caught:
        numbers([text, "5", "17"])
    assert f'"{text}"' in str(caught.value)
    assert numbers([text, "5"], decimal=".")[0] == ("1234" if text == "1,234" else text)
    assert numbers([text, "5"], decimal=",")[0] == ("1.234" if text == "1,234" else text.replace(".", ""))


def test_both_decimal_marks_are_asked_for_but_a_typing_error_is_not():
    with pytest.raises(DataError, match=r'"1\.5" has a decimal point, "2,5" a decimal comma'):
        numbers(["1.5", "2,5"])
    assert numbers(["1.5"] * 50 + ["2,5"])[-1] == "?"


def test_numbers_that_were_numbers_are_not_guessed_at():
    assert from_frame(pd.DataFrame({"net": [1.234]})).typed == {"net"}
    raw = from_frame(pd.DataFrame({"net": [1.234]}))
    assert canonical(raw, {"amount": "net"}, numbers=["amount"]) == (raw, {"amount": "net"})


def test_formats_that_cannot_be_are_refused():
    for decimal, thousands in ((";", ""), (",", ","), (".", "x")):
        with pytest.raises(ConfigError, match=r'decimal must be "\." or ","'):
            NumberFormat(decimal, thousands)


@given(
    value=st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
    decimal=st.sampled_from(".,"),
    sign=st.sampled_from("'’ \u00a0\u2009\u202f"),
)
def test_every_number_written_with_groups_is_read_back(value, decimal, sign):
    text = f"{value:,.2f}".replace(",", "_").replace(".", decimal).replace("_", sign)
    assert Decimal(numbers([text])[0]) == value


@pytest.mark.parametrize(
    ("texts", "plain"),
    [
        (["31/01/2025", "03/04/2005"], ["2025-01-31", "2005-04-03"]),
        (["1/31/05", "3/4/05 0:00"], ["2005-01-31", "2005-03-04"]),
        (["31.01.2025", "3.4.2005"], ["2025-01-31", "2005-04-03"]),
        (["2025年1月31日"], ["2025-01-31"]),
        (["2025-01-31", "2025/1/31"], ["2025-01-31", "2025-01-31"]),
        (["31/01/2025", "31/02/2025", "", None, "soon"], ["2025-01-31", None, None, None, None]),
    ],
)
def test_dates(texts, plain):
    assert dates(texts) == plain


def test_dates_that_may_be_two_days_are_asked_for():
    with pytest.raises(DataError, match=r'"03/04/2005" may have .* date_format = "%d/%m/%Y" \(day first\)'):
        dates(["03/04/2005", "05/06/2005"])
    assert dates(["03/04/2005"], date_format="%m/%d/%Y") == ["2005-03-04"]
    with pytest.raises(DataError, match='"31-01-2005" has the day first, "01-31-2005" the month'):
        dates(["31-01-2005", "01-31-2005"])


def test_what_was_found_is_said():
    frame = pd.DataFrame({"day": ["31/01/2025"], "net": ["1.234,50"]})
    columns = {"date": "day", "amount": "net"}
    raw, _ = canonical(from_frame(frame), columns, numbers=["amount"], dates=["date"])
    assert str(raw.readings[-1]) == (
        "table: numbers written like 1.234,50 (found), dates written like 31/12/2025 (day) (found)"
    )
    assert raw.columns == ["day", "net"]
