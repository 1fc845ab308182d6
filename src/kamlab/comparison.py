"""What `kamlab compare` prints: two finished runs of a company, who moved between them, why, and with what money."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kamlab import history
from kamlab.errors import ConfigError
from kamlab.i18n import Translator
from kamlab.runs.folder import MANIFEST

if TYPE_CHECKING:
    import pandas as pd

TOP = 10
"""Accounts printed."""

WORDS = {"contribution_class": "Class of contribution", "type_000": "Type", "strategy": "Strategy"}


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished run: whose, as of when, in which currency, and the standing of its accounts."""

    company: str
    as_of: date
    currency: str
    standing: pd.DataFrame


def compare_runs(first: Path, second: Path) -> str:
    """Return what changed between two finished runs, the earlier one first, whichever is named first.

    Raises
    ------
    ConfigError
        If a folder is no finished run of this kamlab, or the runs are of different companies or currencies.
    """
    runs = [_open(path) for path in (first, second)]
    before, now = sorted(runs, key=lambda run: run.as_of)
    if (before.company, before.currency) != (now.company, now.currency):
        said = [f"{path} is on {run.company} ({run.currency})" for path, run in zip((first, second), runs, strict=True)]
        raise ConfigError(f"{', '.join(said)}: runs of one company in one currency can be compared.")
    t = Translator(currency=now.currency)
    return "\n".join(_said(before, now, history.compare(before.standing, now.standing), t))


def _open(folder: Path) -> Finished:
    import pandas as pd

    manifest, table = folder / MANIFEST, folder / "tables" / "standing.parquet"
    if not manifest.is_file():
        raise ConfigError(f"{folder} is no finished run: name a folder such as reports/<company>-<as-of date>.")
    if not table.is_file():
        raise ConfigError(
            f"{folder} was made by an older kamlab, which kept nothing to compare: run kamlab report again."
        )
    facts = json.loads(manifest.read_text("utf-8"))
    currency = facts["settings"]["company"]["currency"]
    return Finished(facts["company"], date.fromisoformat(facts["as_of"]), currency, pd.read_parquet(table))


def _said(before: Finished, now: Finished, rows: pd.DataFrame, t: Translator) -> Iterator[str]:
    counts = rows["status"].value_counts()
    yield f"{now.company}: {t.date(before.as_of)} → {t.date(now.as_of)}"
    yield (
        f"Accounts: {len(before.standing):,} → {len(now.standing):,} "
        f"({counts.get('new', 0):,} new, {counts.get('gone', 0):,} gone)"
    )
    for word, name in (("Revenue of 12 months", "revenue"), ("Expected value of the next 12 months", "value")):
        sums = [float(rows[f"{name}_{when}"].sum()) for when in ("before", "now")]
        share = f" ({sums[1] / sums[0] - 1:+.1%})" if sums[0] > 0 else ""
        yield f"{word}: {t.money(sums[0])} → {t.money(sums[1])}{share}"
    change, status = rows["value_change"], rows["status"]
    parts = {
        "new accounts": status == "new",
        "gone accounts": status == "gone",
        "worth more": (status == "both") & (change > 0),
        "worth less": (status == "both") & (change < 0),
    }
    said = [f"{word} {_signed(change[mask].sum(), t)} ({mask.sum():,})" for word, mask in parts.items()]
    yield f"  of which {', '.join(said)}"
    for label, word in WORDS.items():
        moves = history.moves(rows[status == "both"], label)
        yield f"{word}: {moves['accounts'].sum():,} of {counts.get('both', 0):,} accounts moved"
        for move in moves.itertuples():
            moved = f"{move.before or 'none'} → {move.after or 'none'}"
            yield f"  {moved:<24} {move.accounts:>6,} accounts, value {_signed(move.value_change, t)}"
    moved = rows[rows["moved"] & (status == "both")].head(TOP)
    if len(moved):
        yield "Largest changes of value among accounts that moved:"
    for row in moved.astype(object).where(moved.notna(), "").to_dict("records"):
        pairs = [(row[f"{label}_before"], row[f"{label}_now"]) for label in history.LABELS]
        labels = "; ".join(f"{old or 'none'} → {new or 'none'}" for old, new in pairs if old != new)
        revenue = " → ".join(t.money(row[f"revenue_{when}"] or None) for when in ("before", "now"))
        yield (
            f"  {row['account']} {row['name']}: {labels}; value {_signed(row['value_change'], t)}, revenue {revenue}; "
            f"rule {row['strategy_rule_now']}"
        )


def _signed(amount: float, t: Translator) -> str:
    return ("+" if amount > 0 else "") + t.money(amount)
