"""What `kamlab init` writes: a commented configuration for a folder of data, guessed and to be confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from kamlab.errors import ConfigError, DataError, first_ids
from kamlab.first_draft import Draft, book_and_sheet, place_of, toml_key, toml_text
from kamlab.folder_tables import read_all
from kamlab.guess import DATES, LEFT_OUT_STATUS, MASTER_WORDS, Guess, guess, guess_log, is_taxed, plain, unit_of
from kamlab.guess_files import NUMBERS, alike, find_log, find_master, join_key, matching
from kamlab.guess_tables import guess_table
from kamlab.period import end_of_last_complete_month
from kamlab.resources import replacing
from kamlab.sources import RawTable, read_table
from kamlab.tables import SCHEMAS

NAME = "kamlab.toml"
OPTIONAL = ("order_id", "line_id", "product", "product_line", "quantity", "currency")
PER_LINE = ("amount", "quantity", "cost", "tax")
"""What a line counts itself; a table that is joined to the lines cannot give it."""

LONGEST_LAG_DAYS = 31
"""A log that ends longer ago is a finished one: its own last day is proposed as the as-of date."""


def write_configuration(folder: Path) -> tuple[Path, str]:
    """Write kamlab.toml for the data of a folder.

    Returns
    -------
    path : Path
    said : str
        What was guessed and what is left to settle, to be printed.

    Raises
    ------
    ConfigError
        If there is a configuration already.
    DataError
        If the folder holds no data, or no file of it can be a transaction log; nothing is written then.
    """
    path = folder / NAME
    if path.exists():
        raise ConfigError(f"{path} is there already; kamlab init never overwrites it. Rename it first.")
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}. Name the one that holds your data.")
    tables, unread = read_all(folder)
    draft = _draft(folder, tables, unread)
    with replacing(path) as part:
        part.write_text("\n".join(draft.lines) + "\n", "utf-8")
    said = f"Wrote {path}. Its columns are guesses from the headers; please compare them with your data:\n"
    said += "\n".join(f"  {line}" for line in _shown(draft.lines))
    for head, reasons in (("Worth a look:", draft.remarks), ("Still to settle in the file:", draft.open)):
        said += "".join(f"\n{line}" for line in [head, *(f"  - {reason}" for reason in reasons)] if reasons)
    return path, said + f"\nThen set confirmed = true in it, and run: kamlab check {path}"


def _shown(lines: list[str]) -> list[str]:
    """Return the settings of a draft and how its files were read, without sections that have none."""
    kept = [line.removeprefix("# ") for line in lines if line and (line[0] != "#" or line.startswith("# read as:"))]
    kept = [line for line in kept if not line.startswith("confirmed")]
    following = [*kept[1:], "["]
    return [line for line, after in zip(kept, following, strict=True) if not (line[0] == after[0] == "[")]


def confirm(path: Path) -> None:
    """Note in a configuration that its guesses are right."""
    text = path.read_text("utf-8")
    with replacing(path) as part:
        part.write_text(text.replace("confirmed = false ", "confirmed = true  ", 1), "utf-8")


def _draft(folder: Path, tables: dict[str, RawTable], unread: dict[str, str]) -> Draft:
    guesses = {file: guess_log(raw) for file, raw in tables.items()}
    main = find_log(tables, guesses)
    if main is None:
        raise DataError(_no_log(folder, tables, unread, guesses))
    draft = Draft()
    name, currency = folder.resolve().name, _currency(tables[main], guesses[main])
    draft.lines = [
        "# Written by kamlab init: what stands here was guessed from the files' headers. Compare it with your data.",
        "[company]",
        f"name = {toml_text(name)}   # printed on the report",
        f"{'' if currency else '# '}currency = {toml_text(currency or 'EUR')}   # printed with money",
        "# fiscal_year_start_month = 1",
        '# holidays = ["tet", "spring_festival"]',
        "",
        "[source]",
        "confirmed = false             # set to true when you have compared the columns below with your data",
        "",
        "[source.transactions]",
    ]
    _transactions(draft, folder, main, tables, guesses)
    master = find_master(tables, guesses, main, draft.used)
    if master:
        _accounts(draft, master, tables[master])
    _side_tables(draft, {file: raw for file, raw in tables.items() if file not in draft.used})
    if not currency:
        draft.remarks.append('no currency is known, so that money is printed without one; set currency = "…"')
    rest = [file for file in tables if file not in draft.used]
    if rest:
        draft.lines += ["", f"# Not used: {first_ids(rest, limit=20)}."]
        draft.remarks.append(f"not used, because nothing tells what they hold: {first_ids(rest, limit=20)}")
    draft.lines += [f"# Could not be read: {file}: {reason}" for file, reason in unread.items()]
    draft.remarks += [f"could not be read: {file}: {reason}" for file, reason in unread.items()]
    draft.lines += [
        "",
        "[period]",
        _as_of(draft),
        "",
        "[levels]",
        "# contribution = [5e6, 10e6]  # your own fixed thresholds, in your currency a year",
        "# potential = [5e6, 10e6]",
    ]
    return draft


def _no_log(
    folder: Path, tables: Mapping[str, RawTable], unread: Mapping[str, str], guesses: Mapping[str, Guess]
) -> str:
    held = [
        f"{file}: {first_ids(raw.columns, limit=12)}"
        + "".join(f" ({reason})" for reason in guesses[file].refuted.values())
        for file, raw in tables.items()
    ]
    failed = [f"{file} cannot be read ({reason})" for file, reason in unread.items()]
    return (
        f"No file in {folder} can be a transaction log, which has a customer and a date on each line, and an amount "
        f"for anything about money, so nothing was written. Found were: {'; '.join([*held, *failed][:8])}. "
        "Put the log there, or give its columns one of the usual names (customer, date, amount; khách hàng, ngày, "
        "doanh thu; 客户, 日期, 金额; cliente, fecha, importe), then run again."
    )


def _currency(raw: RawTable, found: Guess) -> str:
    """Return the currency, where one column says it for all lines; else an empty text."""
    name = found.columns.get("currency")
    values = set() if name is None else {v.strip().upper() for v in raw.rows[name].unique().drop_null().to_pylist()}
    return values.pop() if len(values) == 1 else ""


def _as_of(draft: Draft) -> str:
    """Return the setting of the as-of date: that of the log's last day, where it ended long ago."""
    said = "last day whose data may be used; default: the end of the last complete month"
    today = end_of_last_complete_month(date.today())
    if not draft.newest or (today - date.fromisoformat(draft.newest)).days <= LONGEST_LAG_DAYS:
        return f"# as_of = 2025-12-31          # {said}"
    draft.remarks.append(f"the log ends on {draft.newest}, so that is proposed as the as-of date")
    return f"as_of = {draft.newest}   # {said}"


def _transactions(
    draft: Draft, folder: Path, main: str, tables: dict[str, RawTable], guesses: dict[str, Guess]
) -> None:
    raw, found = tables[main], guesses[main]
    together = alike(main, tables)
    draft.place(together or main, raw)
    if together:
        # What no line of one file tells of dates and numbers, a line of another may.
        book, sheets = book_and_sheet(together)
        raw = read_table(folder / book, sheet=sheets)
        draft.used += matching(together, tables)
        kind = "sheets" if sheets else "files"
        draft.remarks.append(f"all {kind} that match {together} have the same columns and are read as one log")
    columns, unclear, refuted = dict(found.columns), dict(found.unclear), dict(found.refuted)
    frames, joins = dict.fromkeys(columns, raw), []
    for other, right in tables.items():
        key = join_key(raw, right) if other not in draft.used else None
        # What each line counts stands in it: an order's total, joined to its lines, would count several times.
        has = {*columns, *PER_LINE, *(DATES if columns.keys() & set(DATES) else ())}
        gives = {k: n for k, n in guesses[other].columns.items() if k not in has and n not in raw.columns}
        if key and gives:
            joins.append(f"{{ {', '.join(place_of(other))}, on = {toml_text(key)} }}")
            columns |= gives
            frames |= dict.fromkeys(gives, right)
            draft.used.append(other)
    if joins:
        draft.lines.append(f"joins = [{', '.join(joins)}]")
    chosen, needed = {}, ["account", "date", "amount"]
    dates = [key for key in DATES if key in columns]
    if dates:
        chosen["date"] = columns[dates[0]]
        if len(dates) > 1:
            others = first_ids(f'"{columns[key]}"' for key in dates[1:])
            draft.lines.append(
                f"# The date could be {others} as well: what counts is the {dates[0].replace('_', ' ')} here."
            )
    if "account" in columns:
        chosen["account"] = columns["account"]
    for key, each in (("amount", "price"), ("cost", "unit_cost")):
        if key in columns:
            chosen[key] = _plain_units(draft, columns[key])
        elif each in columns and "quantity" in columns:
            chosen[key] = f"{columns['quantity']} * {_plain_units(draft, columns[each])}"
    chosen |= {key: columns[key] for key in OPTIONAL if key in columns}
    _write_columns(draft, chosen, needed, Guess({}, unclear, found.others, refuted))
    if "tax" in columns:
        # Taken off amounts that are net already, it would be taken off twice.
        tax = columns["tax"]
        draft.lines.append(
            f"# columns.tax = {toml_text(tax)}   # take the first # away if the amounts include this tax"
        )
        draft.remarks.append(
            f'"{tax}" is left alone, as the tax on top of net amounts; where the amounts include it, take the first # '
            "from the line columns.tax"
        )
    elif "amount" in columns and is_taxed(columns["amount"]):
        draft.lines.append("# tax_rate = 0.10   # take the first # away and write the share of tax in the amounts")
        draft.remarks.append(
            f'"{columns["amount"]}" seems to include tax, which stays in until you take the first # from tax_rate'
        )
    draft.propose_totals(raw, (chosen.get("account", ""), chosen.get("date", "")))
    days = [(frames[key], columns[key]) for key in dates[:1]]
    draft.newest = draft.formats([(frames[key], columns[key]) for key in NUMBERS if key in columns], days)
    if "status" in columns:
        _status(draft, columns["status"], frames["status"])


def _plain_units(draft: Draft, name: str) -> str:
    """Return what gives a column's amounts in plain units of money."""
    unit, times = unit_of(name)
    if times == 1:
        return name
    draft.remarks.append(f'"{name}" is written in {unit}, and so multiplied by {times:,}')
    return f"{name} * {times}"


def _status(draft: Draft, name: str, raw: RawTable) -> None:
    """Propose to leave out orders that were cancelled."""
    values = raw.rows[name].drop_null().unique().to_pylist()
    gone = [value for value in values if plain(value) in LEFT_OUT_STATUS]
    there = first_ids((f'"{v}"' for v in values), limit=8)
    proposed = ", ".join(toml_text(value) for value in gone)
    draft.lines.append(f"# exclude = {{ {toml_key(name)} = [{proposed}] }}   # orders to leave out; there are {there}")
    if gone:
        draft.remarks.append(
            f'orders with {proposed} in "{name}" count as sales until you take the sign # from the line that begins '
            "with exclude"
        )


def _write_columns(draft: Draft, chosen: dict[str, str], needed: list[str], found: Guess) -> None:
    unclear, refuted = found.unclear, found.refuted
    dates = next((unclear[d] for d in DATES if d in unclear), None)
    if dates and "date" not in chosen:
        unclear = unclear | {"date": dates}
    for key in dict.fromkeys([*needed, *chosen]):
        if key in chosen:
            others = [f'"{name}"' for name in found.others.get(key, []) if name != chosen[key]]
            note = f"   # or {' or '.join(others)}?" if others and key in needed else ""
            draft.lines.append(f"columns.{key} = {toml_text(chosen[key])}{note}")
        elif key in unclear:
            names = " or ".join(f'"{name}"' for name in unclear[key])
            draft.ask(f"columns.{key} = {toml_text(unclear[key][0])}", f"{key} may be {names}")
        else:
            why = next((r for k, r in refuted.items() if k == key or (key == "date" and k in DATES)), "")
            draft.ask(f'columns.{key} = "…"', f"no column was found for {key}" + (f": {why}" if why else ""))


def _accounts(draft: Draft, file: str, raw: RawTable) -> None:
    found = guess(raw.columns, MASTER_WORDS)
    draft.lines += ["", "[source.accounts]"]
    draft.place(file, raw)
    taken: set[str] = set()
    for key, name in found.columns.items():
        if name not in taken:
            draft.column(key, name)
            taken.add(name)
    if "declared_potential" in found.columns:
        draft.formats([(raw, found.columns["declared_potential"])])
    for key, names in found.unclear.items():
        draft.ask(f"columns.{key} = {toml_text(names[0])}", f"{key} may be {first_ids(names)}")


def _side_tables(draft: Draft, tables: Mapping[str, RawTable]) -> None:
    """Write the optional tables that files probably hold; of several that may be the same one, the largest."""
    found = {file: hit for file, raw in tables.items() if (hit := guess_table(file, raw))}
    largest: dict[str, str] = {}
    for file in sorted(found, key=lambda file: -tables[file].rows.num_rows):
        largest.setdefault(found[file][0], file)
    for name, file in sorted(largest.items()):
        draft.lines += ["", f"[source.{name}]"]
        draft.place(file, tables[file])
        columns = found[file][1]
        for key, column in columns.items():
            draft.column(key, column)
        kinds = {f.name: f.kind for f in SCHEMAS[name].fields}
        numbers, days = (
            [(tables[file], columns[k]) for k in columns if kinds[k] == kind] for kind in ("number", "date")
        )
        draft.formats(numbers, days)
