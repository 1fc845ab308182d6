"""What `kamlab check` prints: the data's extent, what cannot be used and why, and whether a report can be made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kamlab import config as _config
from kamlab import steps
from kamlab.accounts import decision_units
from kamlab.errors import DataError, first_ids
from kamlab.freshness import Freshness, assess
from kamlab.ledger import Ledger, read_ledger
from kamlab.parsing import DATE_REMEDY
from kamlab.period import StudyPeriod, parse_day
from kamlab.runs import study_period
from kamlab.sources import read_table

HEADER_WORDS: dict[str, tuple[str, ...]] = {
    "account": ("account", "customer", "customerid", "client", "company", "客户", "khach hang", "cliente"),
    "date": ("date", "orderdate", "invoicedate", "日期", "ngay", "fecha"),
    "amount": (
        "amount",
        "net",
        "netamount",
        "revenue",
        "sales",
        "value",
        "total",
        "金额",
        "doanh thu",
        "importe",
    ),
}
"""Words by which a header is guessed; a guess is only ever shown, never taken for a report."""


@dataclass(frozen=True)
class Check:
    """The text to print, and whether the data can be reported on."""

    text: str
    faults: bool


def check_data(data: Path, *, as_of: str = "") -> Check:
    """Read a company's data as a report would, and say what is found.

    Parameters
    ----------
    data : Path
        A configuration (.toml), or a transaction log whose columns are then guessed and shown.
    as_of : str
        As-of date. Without one, a log without configuration is not judged for completeness.

    Raises
    ------
    KamlabError
        If the data cannot be read at all.
    """
    if data.suffix.lower() != ".toml":
        return _check_log(data, StudyPeriod(parse_day(as_of)) if as_of else None)
    settings = _config.load(data)
    period = study_period(settings, as_of)
    ledger = steps.read_source(settings)
    fresh = steps.check_source(ledger, settings, period)
    lines = [*_ledger_lines(ledger, period), *_account_lines(settings, ledger, period)]
    return Check("\n".join([*lines, *_freshness_lines(fresh, period)]), bool(fresh.faults))


def _check_log(path: Path, period: StudyPeriod | None) -> Check:
    """Check a transaction log without configuration."""
    ledger, guess = _guessed(path)
    lines = [guess, *_ledger_lines(ledger, period)]
    if period is None:
        return Check("\n".join(lines), faults=False)
    fresh = assess(ledger, period, max_data_lag_days=_config.Period().max_data_lag_days)
    return Check("\n".join([*lines, *_freshness_lines(fresh, period)]), bool(fresh.faults))


def _freshness_lines(fresh: Freshness, period: StudyPeriod) -> list[str]:
    if not fresh.faults:
        return [f"Complete up to the as-of date {period.calibration_end}."]
    return [f"Cannot be reported on as of {period.calibration_end}: {fault}" for fault in fresh.faults]


def _guessed(path: Path) -> tuple[Ledger, str]:
    """Read a log by columns guessed from its header."""
    header = read_table(path, content="transaction log").columns
    columns = guess_columns(header)
    shown = ", ".join(f"{key} = {name}" for key, name in columns.items()) or "none"
    ledger = read_ledger(path, columns=columns, max_quarantined_share=1)
    if not ledger.table.count().to_pyarrow().as_py():
        reasons = "; ".join(line.strip() for line in _quarantine_lines(ledger))
        raise DataError(
            f"None of the {len(ledger.quarantine):,} lines of {path.name} can be used: {reasons}. The columns were "
            f"guessed from the header: {shown}. Name the right ones in a configuration. {DATE_REMEDY}."
        )
    return ledger, f"Columns guessed from the header, to be confirmed in a configuration: {shown}."


def guess_columns(header: Sequence[str]) -> dict[str, str]:
    """Return the ledger columns that a header's names suggest, each at most once."""

    def plain(name: str) -> str:
        return re.sub(r"[\s_\-]", "", name.lower())

    found = {}
    for key, words in HEADER_WORDS.items():
        known = [plain(word) for word in words]
        exact = [name for name in header if plain(name) in known]
        if exact:
            found[key] = exact[0]
    return found


def _ledger_lines(ledger: Ledger, period: StudyPeriod | None = None) -> list[str]:
    as_of = period.calibration_end if period else None
    rows = ledger.reconciliation(as_of).set_index("part")

    def part(name: str) -> str:
        money = f", {rows.loc[name, 'money']:,.2f} {ledger.currency}".rstrip() if ledger.has_money else ""
        return f"{rows.loc[name, 'rows']:,} lines{money}"

    until = f" up to the as-of date; after it: {part('after_as_of')}" if period else ""
    repeated = ledger.repeated_lines
    lines = [
        f"Read {part('read')}: accepted {part('accepted')}; quarantined {part('quarantined')}.",
        f"From {ledger.first_date} to {ledger.last_date}; without an account: {part('unattributed')}; "
        f"{len(ledger.accounts_until(as_of)):,} accounts{until}.",
        *_quarantine_lines(ledger),
    ]
    if repeated:
        lines.append(f"{repeated:,} lines equal another one in every column and have no line id; they are kept.")
    if not ledger.has_money:
        lines.append("No amounts: nothing about money can be computed.")
    elif not ledger.has_cost:
        lines.append("No costs: values are revenue, not contribution.")
    return lines


def _quarantine_lines(ledger: Ledger) -> list[str]:
    groups = ledger.quarantine.groupby("reason", sort=True)
    return [f"  {len(g):,} × {reason} (lines {first_ids(g['line'])})" for reason, g in groups]


def _account_lines(settings: _config.Config, ledger: Ledger, period: StudyPeriod) -> list[str]:
    master = steps.read_master(settings)
    if master is None:
        return ["No account master: no names, owners, groups or declared potential."]
    ids = set(ledger.accounts_until(period.calibration_end))
    unlisted = sorted(ids - set(master["account"]))
    units, _ = decision_units(master, ids, level=settings.company.account_level, as_of=period.calibration_end)
    declared = int(units["declared_potential"].notna().sum())
    lines = [
        f"Account master: {len(master):,} accounts, {len(set(master['account']) - ids):,} without a line up to the "
        f"as-of date; decisions are taken for {len(units):,}; {declared:,} have a declared potential."
    ]
    if unlisted:
        lines.append(f"{len(unlisted)} accounts with lines are not in it ({first_ids(unlisted)}).")
    return lines
