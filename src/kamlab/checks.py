"""What `kamlab check` prints: how the data was read, what cannot be used and why, and whether a report can be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from kamlab import config as _config
from kamlab import inputs, intake, quality
from kamlab.accounts import decision_units
from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS
from kamlab.errors import ConfigError, DataError, KamlabError, first_ids
from kamlab.freshness import Freshness, assess, remedy
from kamlab.guess import DATES, guess_log
from kamlab.ledger import Ledger, read_ledger
from kamlab.parsing import DATE_REMEDY
from kamlab.period import StudyPeriod, parse_day
from kamlab.reasons import with_remedy
from kamlab.resources import write_csv
from kamlab.runs import early_faults, study_period
from kamlab.sources import Reading, read_table
from kamlab.start import NAME
from kamlab.summary import summarize

STEPS = ("transaction log", "other tables", "books and account master", "what a report needs")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Check:
    """The text to print, and whether the data cannot be reported on."""

    text: str
    faults: bool


def check_data(data: Path, *, as_of: str = "", unusable: Path | None = None, progress: Progress | None = None) -> Check:
    """Read a company's data as a report would, and say what is found.

    Parameters
    ----------
    data : Path
        A configuration (.toml) or the folder that holds one, or a transaction log whose columns are then guessed and
        shown.
    as_of : str
        As-of date. Without one, a log without configuration is not judged for completeness.
    unusable : Path, optional
        CSV to write every line to that cannot be used, of all tables; one that was written before is replaced.
    progress : callable, optional
        Called with the step's name, its number and the number of steps before each step.

    Raises
    ------
    KamlabError
        If the data cannot be read at all, or `unusable` is another file already.
    """
    if unusable is not None and unusable.exists() and not _is_quarantine(unusable):
        raise ConfigError(
            f"{unusable} is there already and is no list of lines that cannot be used. Name another file."
        )
    if data.is_dir():
        if not (data / NAME).is_file():
            raise ConfigError(f"The folder {data} holds no {NAME}. Have one written: kamlab init {data}")
        data = data / NAME
    if data.suffix.lower() != ".toml":
        return _check_log(data, StudyPeriod(parse_day(as_of)) if as_of else None, unusable)
    settings = _config.load(data)
    period = study_period(settings, as_of)
    steps = iter(enumerate(STEPS, start=1))

    def next_step() -> None:
        number, name = next(steps)
        if progress:
            progress(name, number, len(STEPS))

    next_step()
    ledger, readings = inputs.read_lines(settings, as_of=period.calibration_end)
    lines = [*_reading_lines(readings), *_ledger_lines(ledger, period)]
    next_step()
    beside = inputs.read_beside(settings, period)
    master = beside["accounts"].rows if "accounts" in beside else None
    next_step()
    lines += [*_control_lines(settings, ledger, period), *_account_lines(settings, ledger, master, period)]
    lines += [line for table in beside.values() for line in table.said()]
    lines += _kept_lines(inputs.quarantined(ledger, beside.values()), unusable)
    next_step()
    fresh = inputs.check_source(ledger, settings, period)
    refusals = _refusals(settings, ledger, master, period)
    too_much = quality.too_much(ledger, settings.source.transactions, as_of=period.calibration_end)
    refusals += [f"No report can be made: {reason}" for reason in too_much]
    lines += [*_freshness_lines(fresh, period), *refusals]
    lines += [] if refusals else _few_lines(settings, ledger, master, period)
    faults = bool(fresh.faults or refusals or any(table.too_many for table in beside.values()))
    lines += [] if faults else [f"A report can be made: kamlab report --config {data}"]
    return Check("\n".join(lines), faults)


def check_playbook(path: Path, *, as_of: str = "") -> Check:
    """Try a playbook on every state of an account that it can tell apart, and say what is found.

    Overrides are held against the as-of date, today's where none is given.

    Raises
    ------
    ConfigError
        If the file is no playbook; all its faults in one message.
    """
    from kamlab.strategies import load_playbook, prove

    book = load_playbook(path)
    proof = prove(book)
    schemes = ", ".join(scheme.id for scheme in book.schemes)
    lines = [
        f"{path.name}: {proof.states:,} different states of an account tried. In each of them every scheme gives "
        f"exactly one label ({schemes}).",
        *proof.broken,
        *proof.unused,
    ]
    if not proof.broken:
        lines.append(f"None of them breaks one of the {len(book.coherence)} coherence rules.")
    day = parse_day(as_of) if as_of else date.today()
    in_force, expired = book.overrides_at(day)
    if book.overrides:
        lines.append(
            f"{len(in_force)} overrides are in force on {day}, {len(expired)} are past their date and ignored."
        )
    lines += [
        f"  {o.account}: {o.scheme} = {o.label} ended on {o.until} (decided by {o.owner}: {o.reason})." for o in expired
    ]
    return Check("\n".join(lines), bool(proof.broken or proof.unused))


def _check_log(path: Path, period: StudyPeriod | None, unusable: Path | None) -> Check:
    """Check a transaction log without configuration."""
    ledger, readings, guess = _guessed(path)
    lines = [*_reading_lines(readings), guess, *_ledger_lines(ledger, period)]
    lines += _kept_lines(inputs.quarantined(ledger), unusable)
    if period is None:
        return Check("\n".join(lines), faults=False)
    fresh = assess(ledger, period, max_data_lag_days=_config.Period().max_data_lag_days)
    return Check("\n".join([*lines, *_freshness_lines(fresh, period)]), bool(fresh.faults))


def _reading_lines(readings: tuple[Reading, ...]) -> list[str]:
    return [f"{reading}." for reading in readings]


def _kept_lines(bad: pd.DataFrame, path: Path | None) -> list[str]:
    """Write all lines that cannot be used to a CSV, if one is wanted, and say where they are or how to get them."""
    if path is not None:
        write_csv(bad, path)
        return [f"All {len(bad):,} lines that cannot be used, each with its reason: {path}"]
    return ["To get all of these lines as CSV, add --unusable FILE.csv."] if len(bad) else []


def _is_quarantine(path: Path) -> bool:
    """Whether a file holds what `_kept_lines` writes."""
    with path.open("rb") as file:
        return file.readline().decode("utf-8-sig", errors="replace").strip() == ",".join(inputs.QUARANTINED)


def _freshness_lines(fresh: Freshness, period: StudyPeriod) -> list[str]:
    if not fresh.faults:
        return [f"Complete up to the as-of date {period.calibration_end}."]
    faults = [f"Cannot be reported on as of {period.calibration_end}: {fault}" for fault in fresh.faults]
    return [*faults, remedy(fresh, period)]


def _refusals(settings: _config.Config, ledger: Ledger, master: pd.DataFrame | None, period: StudyPeriod) -> list[str]:
    """Say what a report would stop at, though the data can be read."""
    found = [str(fault) for fault in early_faults(settings, settings.report.languages)]
    ids = ledger.accounts_until(period.calibration_end)
    for step in (lambda: inputs.unlisted(master, ids), lambda: _bought(settings, ledger, master, period)):
        try:
            step()
        except KamlabError as error:
            found.append(str(error))
    return [f"No report can be made: {reason}" for reason in found]


def _bought(settings: _config.Config, ledger: Ledger, master: pd.DataFrame | None, period: StudyPeriod) -> None:
    """Refuse a log of which nobody has bought for money."""
    table = _summary(settings, ledger, master, period)
    if ledger.has_money and not (table["revenue"] > 0).any():
        raise DataError("No account has bought for more than nothing. Check the column of amounts and its sign.")


def _few_lines(settings: _config.Config, ledger: Ledger, master: pd.DataFrame | None, period: StudyPeriod) -> list[str]:
    """Say what a report lacks where accounts are few."""
    try:
        table = _summary(settings, ledger, master, period)
    except DataError:
        return []
    repeat = int((table["frequency"] > 0).sum())
    if len(table) >= MIN_ACCOUNTS and repeat >= MIN_REPEAT_BUYERS:
        return []
    return [
        f"{len(table)} accounts have bought, {repeat} of them again; models need {MIN_ACCOUNTS} and "
        f"{MIN_REPEAT_BUYERS}. The report rests on assumptions and rules instead, with wide intervals, and has no "
        f"segments under {MIN_ACCOUNTS} accounts."
    ]


def _summary(
    settings: _config.Config, ledger: Ledger, master: pd.DataFrame | None, period: StudyPeriod
) -> pd.DataFrame:
    """Return the histories of those that decisions are taken for."""
    ids = ledger.accounts_until(period.calibration_end)
    level, as_of = settings.company.account_level, period.calibration_end
    _, membership = decision_units(master, ids, level=level, as_of=as_of)
    return summarize(ledger, period, accounts=membership)


def _guessed(path: Path) -> tuple[Ledger, tuple[Reading, ...], str]:
    """Read a log by columns guessed from its header."""
    guess = guess_log(read_table(path, content="transaction log"))
    found = guess.columns
    dates = [found[key] for key in DATES if key in found]
    columns = {"account": found.get("account"), "date": dates[0] if dates else None, "amount": found.get("amount")}
    if "amount" not in found and {"quantity", "price"} <= set(found):
        columns["amount"] = f"{found['quantity']} * {found['price']}"
    mapped = {key: name for key, name in columns.items() if name}
    wrong = [why for key, why in guess.refuted.items() if not columns.get("date" if key in DATES else key, "")]
    if wrong:
        raise DataError(
            f"{path.name} cannot be read as a transaction log by its headers alone: {'; '.join(wrong)}. Name the "
            f"columns in a configuration. {DATE_REMEDY}."
        )
    log = _config.Transactions(path=str(path.resolve()), columns=mapped)
    guessed = _config.Config(
        company=_config.Company(name=path.stem), source=_config.Source(transactions=log), base=Path()
    )
    raw, columns_read = intake.transactions(guessed)
    shown = ", ".join(f"{key} = {name}" for key, name in mapped.items()) or "none"
    ledger = read_ledger(raw, columns=columns_read, max_quarantined_share=1)
    said = f"Columns guessed from the header, to be confirmed in a configuration: {shown}."
    return ledger, tuple(reading for reading in raw.readings if reading.what), said


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
    if rows.loc["excluded", "rows"]:
        lines.append(f"Left out by the configuration: {part('excluded')}.")
    if rows.loc["not_revenue", "rows"]:
        lines.append(f"No revenue (free, freight, tax, intercompany): {part('not_revenue')}.")
    if repeated:
        lines.append(f"{repeated:,} lines equal another one in every column and have no line id; they are kept.")
    if not ledger.has_money:
        lines.append("No amounts: nothing about money can be computed.")
    elif not ledger.has_cost:
        lines.append("No costs: values are revenue, not contribution.")
    return lines


def _quarantine_lines(ledger: Ledger) -> list[str]:
    """Say per reason how many lines cannot be used, which, and how much money stands in them."""
    lines = []
    for reason, group in ledger.quarantine.groupby("reason", sort=True):
        known = group[group["amount"].notna()] if ledger.has_money else group.head(0)
        sums = known["amount"].groupby(known["currency"]).agg(sum)
        said = "".join(f", {money:,.2f} {currency or ledger.currency}".rstrip() for currency, money in sums.items())
        found = f"  {len(group):,} × {reason} (lines {first_ids(group['line'])}){said}"
        lines.append(with_remedy(found, reason))
    return lines


def _control_lines(settings: _config.Config, ledger: Ledger, period: StudyPeriod) -> list[str]:
    """Compare each month with what the books say of it."""
    table = inputs.compare_with_books(settings, ledger, period)
    if table.empty:
        return []
    off = table[table["difference"] != 0]
    lines = [
        f"Control totals of {len(table)} months: books {table['books'].sum():,.2f}, log {table['log'].sum():,.2f} "
        f"(attributed {table['attributed'].sum():,.2f} + unattributed {table['unattributed'].sum():,.2f} + excluded "
        f"{table['excluded'].sum():,.2f}), difference {table['difference'].sum():,.2f}; {len(off)} months differ."
    ]
    for row in off.head(10).itertuples():
        lines.append(f"  {row.month}: books {row.books:,.2f}, log {row.log:,.2f}, difference {row.difference:,.2f}")
    return lines


def _account_lines(
    settings: _config.Config, ledger: Ledger, master: pd.DataFrame | None, period: StudyPeriod
) -> list[str]:
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
    undated = int((master["declared_potential"].notna() & master["declared_potential_date"].isna()).sum())
    if undated:
        lines.append(f"{undated:,} declared potentials have no date: they count on every day.")
    if unlisted:
        lines.append(f"{len(unlisted)} accounts with lines are not in it ({first_ids(unlisted)}).")
    alike = quality.duplicate_names(master)
    if len(alike):
        pairs = (f"{r.account} {r.name_a} / {r.other} {r.name_b}" for r in alike.itertuples())
        lines.append(
            f"{len(alike)} pairs of accounts have nearly the same name and may be one customer; none is merged. Give "
            f"them one parent if they are: {first_ids(pairs, limit=5)}"
        )
    return lines
