"""Every optional table as of a day: what is known only later changes nothing, whatever it holds."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from kamlab.tables import SCHEMAS, read_rows

AS_OF = date(2025, 6, 30)
DIRT = {
    "text": ["A", "B", "C", "1", "2", ""],
    "number": ["0.5", "0.25", "-3", "9999", "n/a", ""],
    "flag": ["yes", "no", "perhaps", ""],
    "date": [*((AS_OF + timedelta(n)).isoformat() for n in (-400, -90, -1, 0, 1, 2, 90)), "2025-02-30", ""],
    "month": ["2025-04", "2025-05", "2025-06", "2025-07", "2025-13", ""],
}


def dirty(schema, n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({f.name: rng.choice(DIRT[f.kind], n) for f in schema.fields}, dtype=str)


def read(schema, rows):
    columns = {name: name for name in schema.columns}
    return read_rows(rows, schema, columns=columns, as_of=AS_OF, decimal=".", date_format="%Y-%m-%d")


@pytest.mark.parametrize("name", SCHEMAS)
def test_rows_of_later_days_change_nothing(name):
    schema = SCHEMAS[name]
    known = dirty(schema, 60, seed=1)
    later = dirty(schema, 60, seed=2).assign(**{schema.known_from: (AS_OF + timedelta(1)).isoformat()})
    # Above the others they would push them out where they have the same ids.
    alone, among = read(schema, known), read(schema, pd.concat([later, known], ignore_index=True))
    assert 0 < len(alone.rows) < 60
    pd.testing.assert_frame_equal(among.rows, alone.rows)
    assert among.quarantine["reason"].tolist() == alone.quarantine["reason"].tolist()
    assert (among.later, among.money, among.too_many) == (alone.later + 60, alone.money, alone.too_many)
    assert among.n_read == 120


@pytest.mark.parametrize("name", [name for name, schema in SCHEMAS.items() if schema.outcomes])
def test_outcomes_of_later_days_change_nothing(name):
    schema = SCHEMAS[name]
    (day, *others), *_ = schema.outcomes
    known = dirty(schema, 60, seed=1).assign(**{day: (AS_OF + timedelta(9)).isoformat()})
    # A stage must be told all the same, though it is not read.
    told = {n: dirty(schema, 60, seed=2)[n] for n in others if n not in schema.needed}
    pd.testing.assert_frame_equal(read(schema, known.assign(**told)).rows, read(schema, known).rows)
    assert read(schema, known).rows[[day, *others]].isna().all(axis=None)
