"""What `kamlab init` writes: a commented configuration for a folder of data, guessed and to be confirmed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kamlab.errors import ConfigError, DataError, KamlabError, first_ids
from kamlab.guess import MASTER_WORDS, Guess, format_problem, guess, guess_log
from kamlab.sources import RawTable, read_table
from kamlab.sources.paths import SUFFIXES, files_in

NAME = "kamlab.toml"
NUMBERS = ("amount", "price", "quantity", "cost", "unit_cost", "tax")
OPTIONAL = ("order_id", "line_id", "product", "product_line", "quantity", "currency", "tax")
DATES = ("order_date", "delivery_date", "invoice_date")


@dataclass
class Draft:
    """A configuration in the making.

    Attributes
    ----------
    lines : list of str
        Its text.
    open : list of str
        What its reader still has to settle before it can be used.
    """

    lines: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def ask(self, setting: str, reason: str) -> None:
        """Write a setting as a comment, with the reason why it is not settled."""
        self.lines += [f"# TO SETTLE: {reason}", f"# {setting}"]
        self.open.append(reason)


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
        If the folder holds no data.
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
    tables, unread = {}, {}
    for file in files:
        try:
            tables[file.name] = read_table(file)
        except KamlabError as error:
            unread[file.name] = str(error)
    draft = _draft(folder.resolve().name, tables, unread)
    path.write_text("\n".join(draft.lines) + "\n", "utf-8")
    shown = "\n".join(f"  {line}" for line in draft.lines if line and not line.startswith("#"))
    left = "".join(f"\n  - {reason}" for reason in draft.open)
    said = f"Wrote {path}. Its columns are guesses from the headers; please compare them with your data:\n{shown}"
    said += f"\nStill to settle in the file:{left}" if left else ""
    return path, said + f"\nThen set confirmed = true in it, and run: kamlab check {path}"


def confirm(path: Path) -> None:
    """Note in a configuration that its guesses are right."""
    text = path.read_text("utf-8")
    path.write_text(text.replace("confirmed = false ", "confirmed = true  ", 1), "utf-8")


def _draft(name: str, tables: dict[str, RawTable], unread: dict[str, str]) -> Draft:
    draft = Draft()
    draft.lines = [
        "# Written by kamlab init: what stands here was guessed from the files' headers. Compare it with your data.",
        "[company]",
        f"name = {_text(name)}",
        '# currency = "EUR"            # printed with money',
        "# fiscal_year_start_month = 1",
        '# holidays = ["tet", "spring_festival"]',
        "",
        "[source]",
        "confirmed = false             # set to true when you have compared the columns below with your data",
        "",
        "[source.transactions]",
    ]
    guesses = {file: guess_log(raw) for file, raw in tables.items()}
    main = _main(tables, guesses)
    if main is None:
        draft.ask(
            'path = "…"', "no file looks like a transaction log, which has a customer, a date and an amount a line"
        )
    else:
        _transactions(draft, main, tables, guesses)
    used = set(draft_files(draft))
    master = _master(tables, guesses, main, used)
    if master:
        _accounts(draft, master, tables[master])
        used.add(master)
    rest = [file for file in tables if file not in used]
    if rest:
        draft.lines += ["", f"# Not used: {first_ids(rest, limit=20)}. Other tables that kamlab reads stand in its"]
        draft.lines += [
            "# documentation of the configuration: payments, invoices, costs, prospects, owners, contacts …"
        ]
    draft.lines += [f"# Could not be read: {file}: {reason}" for file, reason in unread.items()]
    draft.lines += [
        "",
        "[period]",
        "# as_of = 2025-12-31          # last day whose data may be used; default: the end of the last complete month",
        "",
        "[levels]",
        "# contribution = [5e6, 10e6]  # your own fixed thresholds, in your currency a year",
        "# potential = [5e6, 10e6]",
    ]
    return draft


def draft_files(draft: Draft) -> list[str]:
    """Return the files that a draft names."""
    return [part.split('"')[1] for line in draft.lines for part in line.split("path = ")[1:] if part.startswith('"')]


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


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
    for name in right.columns:
        if name in left.columns:
            values = right.rows[name].drop_null()
            if len(values) == right.rows.num_rows and len(values.unique()) == len(values):
                return name
    return None


def _transactions(draft: Draft, main: str, tables: dict[str, RawTable], guesses: dict[str, Guess]) -> None:
    raw, found = tables[main], guesses[main]
    draft.lines.append(f"path = {_text(main)}")
    draft.lines += [f"# read as: {reading}" for reading in raw.readings if reading.what]
    columns, unclear, refuted = dict(found.columns), dict(found.unclear), dict(found.refuted)
    frames, joins = dict.fromkeys(columns, raw), []
    for other, right in tables.items():
        key = _key(raw, right) if other != main else None
        gives = {k: n for k, n in guesses[other].columns.items() if k not in columns and n not in raw.columns}
        if key and gives:
            joins.append(f"{{ path = {_text(other)}, on = {_text(key)} }}")
            columns |= gives
            frames |= dict.fromkeys(gives, right)
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
    for key in [k for k in (*dates[:1], *NUMBERS) if k in columns]:
        options = {"numbers": [key]} if key in NUMBERS else {"dates": [key]}
        problem = format_problem(frames[key], {key: columns[key]}, **({"numbers": [], "dates": []} | options))
        if problem:
            draft.ask('decimal = "."' if key in NUMBERS else 'date_format = "%d/%m/%Y"', problem)
    if "status" in columns:
        source = frames["status"].rows[columns["status"]]
        values = first_ids((f'"{v}"' for v in source.drop_null().unique().to_pylist()), limit=8)
        draft.lines.append(
            f"# exclude = {{ {_bare(columns['status'])} = [] }}   # orders to leave out; there are {values}"
        )


def _bare(name: str) -> str:
    """Write a name as a key of TOML."""
    return name if name.isascii() and name.replace("_", "").isalnum() else _text(name)


def _write_columns(draft: Draft, chosen: dict[str, str], needed: list[str], found: Guess) -> None:
    unclear, refuted = found.unclear, found.refuted
    dates = next((unclear[d] for d in DATES if d in unclear), None)
    if dates and "date" not in chosen:
        unclear = unclear | {"date": dates}
    for key in dict.fromkeys([*needed, *chosen]):
        if key in chosen:
            others = [f'"{name}"' for name in found.others.get(key, []) if name != chosen[key]]
            note = f"   # or {' or '.join(others)}?" if others and key in needed else ""
            draft.lines.append(f"columns.{key} = {_text(chosen[key])}{note}")
        elif key in unclear:
            names = " or ".join(f'"{name}"' for name in unclear[key])
            draft.ask(f"columns.{key} = {_text(unclear[key][0])}", f"{key} may be {names}")
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
    draft.lines += ["", "[source.accounts]", f"path = {_text(file)}"]
    draft.lines += [f"# read as: {reading}" for reading in raw.readings if reading.what]
    taken: set[str] = set()
    for key, name in found.columns.items():
        if name not in taken:
            draft.lines.append(f"columns.{key} = {_text(name)}")
            taken.add(name)
    for key, names in found.unclear.items():
        draft.ask(f"columns.{key} = {_text(names[0])}", f"{key} may be {first_ids(names)}")
