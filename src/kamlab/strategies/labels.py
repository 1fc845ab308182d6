"""Every label of every account, with its rule, the values behind it, what they rest on, and its probability."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from kamlab import terms
from kamlab.strategies.conditions import Columns
from kamlab.strategies.engine import Evaluation, evaluate, label
from kamlab.strategies.inputs import Inputs
from kamlab.strategies.model import OVERRIDE, Playbook
from kamlab.strategies.playbook import load_playbook

NEEDS: dict[str, tuple[str, ...]] = {
    "terms_002": ("credit_002", "overdue_90", "disputed_90"),
    "coverage_004": ("abc_004",),
    "remove_list": ("p_negative",),
}
"""Schemes that say nothing where no one of some columns of the account table holds a value."""

BLOCK = 50_000
"""Accounts whose texts are written at a time: what a processor keeps at hand."""

PROVENANCE = ("decided", "own_peak", "fitted", "no_potential", "revenue_basis", "short_history")
"""What a label may rest on that a reader should know: a person's decision, the account's own best 12 months, look-alike
accounts, no potential at all, revenue instead of margin, a short history."""


def assign_all(
    accounts_table: pd.DataFrame,
    playbook: Playbook | str | Path | None = None,
    *,
    contribution_cut_high: float | None = None,
    as_of: date | None = None,
    class_probabilities: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give every account one label for each scheme of the playbook.

    Parameters
    ----------
    accounts_table, playbook, contribution_cut_high, as_of
        As for `engine.assign`.
    class_probabilities : pandas.DataFrame, optional
        account, Low, Mid, High: probability of each class of contribution under the account's predictive
        distribution. The playbook is applied once for each class; a label's probability is that of the classes under
        which it comes out. Without it probabilities are missing.

    Returns
    -------
    pandas.DataFrame
        Table "labels" of `terms`, by scheme in the playbook's order and then as in the account table. Accounts that a
        scheme does not apply to have no row; schemes whose data are absent (`left_out`) have none either.

    Raises
    ------
    DataError, ConfigError
        As `engine.assign`; DataError if class probabilities lack accounts.
    """
    book = playbook if isinstance(playbook, Playbook) else load_playbook(playbook)
    found = evaluate(accounts_table, book, contribution_cut_high=contribution_cut_high, as_of=as_of)
    chances = _chances(found, accounts_table["account"], class_probabilities)
    accounts = pa.array(accounts_table["account"].astype("str").array, type=pa.large_string())
    absent = {scheme for scheme, _ in left_out(accounts_table, book)}
    present = [scheme.id for scheme in book.schemes if scheme.id not in absent]
    shared = (found, accounts, chances, present, Inputs(book, found.columns, found.kinds), _rests_on(found))
    starts = range(0, max(len(accounts_table), 1), BLOCK)
    # Arrow writes texts outside Python's lock, so every core takes a block of accounts.
    with _kept_memory(), ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = list(pool.map(lambda start: _block(*shared, start), starts))
        parts = [block[number] for number in range(len(present)) for block in blocks]
        whole = pa.concat_tables(parts).unify_dictionaries()
    return whole.to_pandas(types_mapper={pa.large_string(): pd.StringDtype(na_value=np.nan)}.get)


@contextmanager
def _kept_memory() -> Iterator[None]:
    """Let Arrow take memory from C's allocator, which keeps what was freed for the next piece.

    Arrow's own gives it back at once and asks for it again, piece by piece: a third of all time at a million accounts.
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def _block(
    found: Evaluation,
    accounts: pa.Array,
    chances: dict[str, np.ndarray],
    schemes: Sequence[str],
    inputs: Inputs,
    rests: np.ndarray,
    start: int,
) -> list[pa.Table]:
    """Return the rows of some successive accounts, one table a scheme."""
    part = slice(start, start + BLOCK)
    texts, rest = inputs.part(part), rests[part]
    tables = []
    for scheme in schemes:
        given, taken_by = found.schemes[scheme], found.schemes[scheme].rule[part]
        rows = np.flatnonzero(taken_by >= 0)
        rule = taken_by[rows]
        people = {r - start: o for r, o in found.overrides.get(scheme, {}).items() if part.start <= r < part.stop}
        decided = (rule == len(given.rules)).astype("int64") << PROVENANCE.index("decided")
        tables.append(
            pa.table(
                {
                    "account": accounts[part].take(pa.array(rows)),
                    "scheme": _spread([scheme], np.zeros(len(rows), dtype=np.int8)),
                    "label": _spread(list(given.label.categories), given.label.codes[part][rows]),
                    "rule": _coded([*(r.id for r in given.rules), OVERRIDE], rule),
                    "inputs": texts.of(taken_by, given.rules, people),
                    "rests_on": _coded(_REST_TEXTS, rest[rows] | decided),
                    "probability": chances[scheme][part][rows],
                }
            )
        )
    return tables


def _spread(texts: list[str], codes: np.ndarray) -> pa.Array:
    """Write one of a few texts for every row."""
    return pa.array(texts, type=pa.large_string()).take(pa.array(codes))


def _coded(texts: list[str], codes: np.ndarray) -> pa.Array:
    """Give every row the number of one of a few texts, which are kept once: a categorical in pandas."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int16)), pa.array(texts, type=pa.string()))


def left_out(accounts_table: pd.DataFrame, playbook: Playbook) -> list[tuple[str, str]]:
    """Return the schemes that say nothing for want of data, each with the columns that it lacks."""
    known = {column for column in accounts_table if accounts_table[column].notna().any()}
    return [
        (scheme.id, ", ".join(NEEDS[scheme.id]))
        for scheme in playbook.schemes
        if scheme.id in NEEDS and known.isdisjoint(NEEDS[scheme.id])
    ]


def _chances(found: Evaluation, accounts: pd.Series, class_probabilities: pd.DataFrame | None) -> dict[str, np.ndarray]:
    """Return each scheme's array of probabilities of the labels given, shape (n,)."""
    if class_probabilities is None:
        return {scheme: np.full(len(accounts), np.nan) for scheme in found.schemes}
    chance = _aligned(class_probabilities, accounts)
    bought = np.asarray(found.columns["has_bought"], dtype=bool)
    total = {scheme: np.zeros(len(accounts)) for scheme in found.schemes}
    for code, level in enumerate(terms.LEVELS):
        columns: Columns = {name: found.columns[name] for name in found.columns if name not in found.schemes}
        codes = np.where(bought, code, -1)
        columns["contribution_class"] = pd.Categorical.from_codes(codes, list(terms.LEVELS))
        for scheme, there in label(columns, found.playbook, found.overrides)[0].items():
            total[scheme] += chance[level].to_numpy() * (there.label.codes == found.schemes[scheme].label.codes)
    # A prospect has no predictive distribution: its label follows from what is known of it.
    return {scheme: np.where(bought, np.minimum(value, 1.0), 1.0) for scheme, value in total.items()}


def _aligned(class_probabilities: pd.DataFrame, accounts: pd.Series) -> pd.DataFrame:
    table = class_probabilities.set_index("account")[list(terms.LEVELS)].reindex(accounts)
    # Prospects are not forecast.
    return table.fillna(0.0).reset_index(drop=True)


def _rests_on(found: Evaluation) -> np.ndarray:
    """Return what each account's labels rest on, as bits in the order of `PROVENANCE`; "decided" is a label's own."""
    columns = found.columns
    source = columns["potential_source"]
    assert isinstance(source, pd.Categorical)
    is_set = {
        "own_peak": np.asarray(source == "own_peak"),
        "fitted": np.asarray(source == "fitted"),
        "no_potential": np.asarray(source == "unknown"),
        "revenue_basis": np.isnan(np.asarray(columns["margin_rate"])) & np.asarray(columns["has_bought"], dtype=bool),
        "short_history": np.asarray(columns["new"], dtype=bool),
    }
    bits = [is_set[name].astype("int64") << PROVENANCE.index(name) for name in is_set]
    return np.bitwise_or.reduce(bits)


_REST_TEXTS = [
    ", ".join(name for bit, name in enumerate(PROVENANCE) if code >> bit & 1) for code in range(2 ** len(PROVENANCE))
]
