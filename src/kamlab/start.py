"""What `kamlab init` writes: a commented configuration for a folder of data, guessed and to be confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

from kamlab.errors import ConfigError, DataError, KamlabError, first_ids
from kamlab.first_draft import Draft, place_of, toml_key, toml_text
from kamlab.guess import LEFT_OUT_STATUS, LOG_WORDS, MASTER_WORDS, Guess, guess, guess_log, plain
from kamlab.guess_tables import guess_table
from kamlab.period import end_of_last_complete_month
from kamlab.sources import RawTable, read_table
from kamlab.sources.excel import SUFFIXES as EXCEL
from kamlab.sources.excel import sheet_names
from kamlab.sources.paths import SUFFIXES, files_in
from kamlab.tables import SCHEMAS

NAME = "kamlab.toml"
NUMBERS = ("amount", "price", "quantity", "cost", "unit_cost", "tax")
OPTIONAL = ("order_id", "line_id", "product", "product_line", "quantity", "currency", "tax")
DATES = ("order_date", "delivery_date", "invoice_date")
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
    files = files_in(folder)
    if not files:
        raise DataError(
            f"{folder} holds no file that ends in {', '.join(SUFFIXES)}. Put your data there, then run again."
        )
    tables, unread = _read_all(files)
    draft = _draft(folder, tables, unread)
    _write(path, "\n".join(draft.lines) + "\n")
    said = f"Wrote {path}. Its columns are guesses from the headers; please compare them with your data:\n"
    said += "\n".join(f"  {line}" for line in _shown(draft.lines))
    for head, reasons in (("Worth a look:", draft.remarks), ("Still to settle in the file:", draft.open)):
        said += "".join(f"\n{line}" for line in [head, *(f"  - {reason}" for reason in reasons)] if reasons)
    return path, said + f"\nThen set confirmed = true in it, and run: kamlab check {path}"


def _read_all(files: list[Path]) -> tuple[dict[str, RawTable], dict[str, str]]:
    """Read every file, and every sheet of a workbook with several; return the reasons why others cannot be read."""
    tables, unread = {}, {}
    for file in files:
        try:
            sheets = sheet_names(file) if file.suffix.lower() in EXCEL else []
        except KamlabError as error:
            unread[file.name] = str(error)
            continue
        for sheet in sheets if len(sheets) > 1 else [None]:
            name = file.name if sheet is None else f"{file.name}[{sheet}]"
            try:
                tables[name] = read_table(file, sheet=sheet)
            except KamlabError as error:
                unread[name] = str(error)
    return tables, unread


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _shown(lines: list[str]) -> list[str]:
    """Return the settings of a draft without comments, and without sections that have none."""
    kept = [line.partition("   #")[0] for line in lines if line and not line.startswith("#")]
    following = [*kept[1:], "["]
    return [line for line, after in zip(kept, following, strict=True) if not (line[0] == after[0] == "[")]


def confirm(path: Path) -> None:
    """Note in a configuration that its guesses are right."""
    text = path.read_text("utf-8")
    _write(path, text.replace("confirmed = false ", "confirmed = true  ", 1))


def _draft(folder: Path, tables: dict[str, RawTable], unread: dict[str, str]) -> Draft:
    guesses = {file: guess_log(raw) for file, raw in tables.items()}
    main = _main(tables, guesses)
    if main is None:
        raise DataError(_no_log(folder, tables, unread))
    draft = Draft()
    name = folder.resolve().name
    draft.lines = [
        "# Written by kamlab init: what stands here was guessed from the files' headers. Compare it with your data.",
        "[company]",
        f"name = {toml_text(name)}   # printed on the report",
        _currency(tables[main], guesses[main]),
        "# fiscal_year_start_month = 1",
        '# holidays = ["tet", "spring_festival"]',
        "",
        "[source]",
        "confirmed = false             # set to true when you have compared the columns below with your data",
        "",
        "[source.transactions]",
    ]
    _transactions(draft, folder, main, tables, guesses)
    master = _master(tables, guesses, main, set(draft.used))
    if master:
        _accounts(draft, master, tables[master])
    _side_tables(draft, {file: raw for file, raw in tables.items() if file not in draft.used})
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


def _no_log(folder: Path, tables: Mapping[str, RawTable], unread: Mapping[str, str]) -> str:
    held = [f"{file}: {first_ids(raw.columns, limit=12)}" for file, raw in tables.items()]
    failed = [f"{file} cannot be read ({reason})" for file, reason in unread.items()]
    return (
        f"No file in {folder} can be a transaction log, which has a customer and a date on each line, and an amount "
        f"for anything about money, so nothing was written. Found were {first_ids([*held, *failed], limit=8)}. "
        "Put the log there, or give its columns one of the usual names (customer, date, amount; khách hàng, ngày, "
        "doanh thu; 客户, 日期, 金额; cliente, fecha, importe), then run again."
    )


def _currency(raw: RawTable, found: Guess) -> str:
    """Return the setting of the currency, where one column says it for all lines."""
    name = found.columns.get("currency")
    values = set() if name is None else {v.strip().upper() for v in raw.rows[name].unique().drop_null().to_pylist()}
    if len(values) == 1 and "" not in values:
        return f"currency = {toml_text(values.pop())}   # printed with money"
    return '# currency = "EUR"            # printed with money'


def _as_of(draft: Draft) -> str:
    """Return the setting of the as-of date: that of the log's last day, where it ended long ago."""
    said = "last day whose data may be used; default: the end of the last complete month"
    today = end_of_last_complete_month(date.today())
    if not draft.newest or (today - date.fromisoformat(draft.newest)).days <= LONGEST_LAG_DAYS:
        return f"# as_of = 2025-12-31          # {said}"
    draft.remarks.append(f"the log ends on {draft.newest}, so that is proposed as the as-of date")
    return f"as_of = {draft.newest}   # {said}"


def _has(found: Guess, key: str) -> bool:
    if key == "date":
        return any(d in found.columns or d in found.unclear for d in DATES)
    if key == "amount":
        priced = {"price", "quantity"} <= set(found.columns)
        return priced or "amount" in found.columns or "amount" in found.unclear
    return key in found.columns or key in found.unclear


def _main(tables: dict[str, RawTable], guesses: dict[str, Guess]) -> str | None:
    """Return the file that holds the lines: customer, date and amount, or at least what a join can complete."""
    whole = [f for f, g in guesses.items() if all(_has(g, key) for key in ("account", "date", "amount"))]
    if not whole:
        dated = [f for f, g in guesses.items() if _has(g, "account") and _has(g, "date")]
        whole = [
            f
            for f, g in guesses.items()
            if _has(g, "amount") and any(_key(tables[f], tables[d]) for d in dated if d != f)
        ]
        whole = whole or dated
    return max(whole, key=lambda f: tables[f].rows.num_rows, default=None)


def _key(left: RawTable, right: RawTable) -> str | None:
    """Return the column by which a table can be joined: in both, and in the right one with no value twice."""
    found = guess(left.columns, LOG_WORDS).columns
    no_ids = {found[key] for key in (*NUMBERS, *DATES, "currency", "status") if key in found}
    for name in right.columns:
        if name in left.columns and name not in no_ids:
            values = right.rows[name].drop_null()
            if len(values) == right.rows.num_rows and len(values.unique()) == len(values):
                return name
    return None


def _transactions(
    draft: Draft, folder: Path, main: str, tables: dict[str, RawTable], guesses: dict[str, Guess]
) -> None:
    raw, found = tables[main], guesses[main]
    together = _alike(main, tables)
    draft.place(together or main, raw)
    if together:
        # What no line of one file tells of dates and numbers, a line of another may.
        raw = read_table(folder / together)
        draft.used += [file for file in tables if fnmatchcase(file, together)]
        draft.remarks.append(f"all files that match {together} have the same columns and are read as one log")
    columns, unclear, refuted = dict(found.columns), dict(found.unclear), dict(found.refuted)
    frames, joins = dict.fromkeys(columns, raw), []
    for other, right in tables.items():
        key = _key(raw, right) if other not in draft.used else None
        gives = {k: n for k, n in guesses[other].columns.items() if k not in columns and n not in raw.columns}
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
    for key, unit in (("amount", "price"), ("cost", "unit_cost")):
        if key in columns:
            chosen[key] = columns[key]
        elif unit in columns and "quantity" in columns:
            chosen[key] = f"{columns['quantity']} * {columns[unit]}"
    chosen |= {key: columns[key] for key in OPTIONAL if key in columns}
    _write_columns(draft, chosen, needed, Guess({}, unclear, found.others, refuted))
    days = [(frames[key], columns[key]) for key in dates[:1]]
    draft.newest = draft.formats([(frames[key], columns[key]) for key in NUMBERS if key in columns], days)
    if "status" in columns:
        _status(draft, columns["status"], frames["status"])


def _alike(main: str, tables: Mapping[str, RawTable]) -> str:
    """Return the pattern of the files that have the log's columns, and of no others; empty if it is alone."""
    alike = [file for file, raw in tables.items() if raw.columns == tables[main].columns]
    if len(alike) < 2 or main.endswith("]"):
        return ""
    begins = "".join(
        letters[0] for letters in takewhile(lambda letters: len(set(letters)) == 1, zip(*alike, strict=False))
    )
    pattern = f"{begins}*{Path(main).suffix}"
    return pattern if [file for file in tables if fnmatchcase(file, pattern)] == alike else ""


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


def _master(tables: dict[str, RawTable], guesses: dict[str, Guess], main: str | None, used: set[str]) -> str | None:
    """Return the file that lists each account once, with something said of it."""
    candidates = {}
    for file, raw in tables.items():
        found = guess(raw.columns, MASTER_WORDS)
        key = found.columns.get("account")
        if file == main or key is None or len(found.columns) < 2:
            continue
        values = raw.rows[key].drop_null()
        if len(values.unique()) == len(values) and not _has(guesses[file], "amount"):
            candidates[file] = len(found.columns)
    return max(
        (f for f in candidates if f not in used or len(candidates) == 1), key=candidates.__getitem__, default=None
    )


def _accounts(draft: Draft, file: str, raw: RawTable) -> None:
    found = guess(raw.columns, MASTER_WORDS)
    draft.lines += ["", "[source.accounts]"]
    draft.place(file, raw)
    taken: set[str] = set()
    for key, name in found.columns.items():
        if name not in taken:
            draft.lines.append(f"columns.{key} = {toml_text(name)}")
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
        draft.lines += [f"columns.{key} = {toml_text(column)}" for key, column in columns.items()]
        kinds = {f.name: f.kind for f in SCHEMAS[name].fields}
        numbers, days = (
            [(tables[file], columns[k]) for k in columns if kinds[k] == kind] for kind in ("number", "date")
        )
        draft.formats(numbers, days)
