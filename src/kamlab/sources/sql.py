"""Tables and queries of databases, read-only; passwords come from the environment and are never shown."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from kamlab.errors import ConfigError, DataError, did_you_mean, first_ids
from kamlab.sources.paths import expand, resolve_path
from kamlab.sources.raw import RawTable, Reading, as_text, cell

SCHEMES = ("sqlite", "duckdb", "postgresql", "postgres")
BATCH = 50_000
_SQLITE = b"SQLite format 3\x00"
_URL = re.compile(r"^[a-z][a-z0-9+]*://", re.I)
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):([^/@]*)@")
_VARIABLE = re.compile(r"\$(\w+|\{[^}]+\})")


def is_url(path: str) -> bool:
    """Whether a path of the configuration names a database."""
    return bool(_URL.match(path))


def refuse_written_password(url: str) -> None:
    """Refuse a password that stands in the configuration itself: it would be kept with every run.

    Raises
    ------
    ConfigError
    """
    found = _PASSWORD.search(url)
    written = found is not None and _VARIABLE.sub("", found[2])
    if written or re.search(r"[?&]password=(?!\$)", url):
        raise ConfigError(
            "A password stands in a database's address. Put it into an environment variable and name that instead, "
            "such as postgresql://reader:${PGPASSWORD}@server/sales; kamlab never stores it."
        )


def shown(url: str) -> str:
    """Return an address without user, password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def read_sql(url: str, *, table: str | None, query: str | None, base: Path | None, content: str) -> RawTable:
    """Read a table or the result of a query.

    Parameters
    ----------
    url : str
        sqlite:///FILE, duckdb:///FILE (relative to `base`; four slashes for an absolute path) or
        postgresql://user:${PASSWORD}@server:port/database.
    table, query : str, optional
        One of them.

    Raises
    ------
    ConfigError
        If neither or both are given, the address is of another database, or holds a password.
    DataError
        If the database cannot be reached, or does not know the table.
    """
    import pyarrow as pa

    refuse_written_password(url)
    if (table is None) == (query is None):
        raise ConfigError(
            f'{shown(url)} needs either table = "…" or query = "SELECT …", to say what holds the {content}.'
        )
    scheme = url.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise ConfigError(
            f"{scheme}:// is no database that kamlab reads.{did_you_mean(scheme, SCHEMES)} Known are sqlite://, "
            "duckdb:// and postgresql://."
        )
    address = _expanded(url)
    source = f"{shown(address)}[{table or 'query'}]"
    # A query in brackets can only be one that gives rows: no second statement fits in.
    inside = query.strip().rstrip(";") if query else ""
    statement = f"SELECT * FROM (\n{inside}\n) AS kamlab_query" if query else f"SELECT * FROM {_quoted(table or '')}"
    with _connected(scheme, url, address, base, source) as (cursor, execute, tables):
        batches, names = [], []
        try:
            if table is not None and table not in (known := tables()):
                raise DataError(
                    f'{shown(address)} has no table "{table}".{did_you_mean(table, known)} Its tables are: '
                    f"{first_ids(known)}."
                )
            execute(statement)
            names = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(BATCH):
                batches.append(rows)
        except DataError:
            raise
        except Exception as error:  # every driver has its own
            raise DataError(f"{source} cannot be read: {_without_secrets(str(error), url, address)}") from None
    if not batches:
        raise DataError(f"{source} holds no row. Check what should give the {content}.")
    arrays = [_column([row[i] for rows in batches for row in rows]) for i in range(len(names))]
    raw = as_text(pa.table(arrays, names=names), source)
    reading = Reading(source, (("database", "table" if table else "query"),))
    return RawTable(raw.rows, source, raw.lines, typed=raw.typed, readings=(reading,))


def table_names(url: str, *, base: Path | None = None) -> list[str]:
    """Return the tables and views of a database.

    Raises
    ------
    DataError
        If it cannot be reached.
    """
    address = _expanded(url)
    with _connected(url.partition("://")[0].lower(), url, address, base, shown(address)) as (_, _, tables):
        return tables()


def address_of(file: Path) -> str:
    """Return the address of a file that is a database; empty for any other."""
    if file.suffix.lower() == ".duckdb":
        return f"duckdb:///{file.name}"
    with file.open("rb") as opened:
        return f"sqlite:///{file.name}" if opened.read(len(_SQLITE)) == _SQLITE else ""


def _quoted(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _column(values: list[Any]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([cell(value) for value in values], pa.string())


def _expanded(url: str) -> str:
    """Fill in environment variables; in user and password signs that would end them are written as %XX."""
    found = _PASSWORD.search(url)
    if found is None:
        return expand(url)
    user, password = (quote(expand(part), safe="%!$&'()*+,;=") for part in found.groups())
    return f"{expand(url[: found.start()])}{user}:{password}@{expand(url[found.end() :])}"


def _without_secrets(message: str, url: str, address: str) -> str:
    """Return the first line of a driver's message without what environment variables and the address keep secret."""
    found = _PASSWORD.search(address)
    first = message.strip().splitlines()[0] if message.strip() else "no reason given"
    named = [os.environ.get(name.strip("{}"), "") for name in _VARIABLE.findall(url)]
    secrets = {form for value in (*named, found[2] if found else "") for form in (value, quote(value), unquote(value))}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        first = first.replace(secret, "…")
    return first.replace(address, shown(address))


@contextmanager
def _connected(scheme: str, url: str, address: str, base: Path | None, source: str) -> Iterator[Any]:
    """Open a database so that nothing can be changed in it; yield a cursor, how it executes, and what lists tables."""
    try:
        if scheme.startswith("postgres"):
            opened, cursor, listing = _postgresql(address)
            # A prepared statement is one statement.
            execute = partial(cursor.execute, prepare=True)
        else:
            opened, cursor, listing = _file(scheme, address, base)
            execute = cursor.execute
    except DataError:
        raise
    except Exception as error:  # every driver has its own
        server = "Check the address, and the password in its environment variable."
        local = "Check that it is such a database, and that no other program has it open."
        raise DataError(
            f"{source} cannot be opened: {_without_secrets(str(error), url, address).rstrip('.')}. "
            f"{server if scheme.startswith('postgres') else local}"
        ) from None

    def tables() -> list[str]:
        cursor.execute(listing)
        return [row[0] for row in cursor.fetchall()]

    try:
        yield cursor, execute, tables
    finally:
        opened.close()


def _postgresql(address: str) -> tuple[Any, Any, str]:
    import psycopg

    connection = psycopg.connect(address, connect_timeout=10)
    connection.read_only = True
    listing = (
        "SELECT CASE WHEN table_schema = ANY (current_schemas(false)) THEN table_name ELSE table_schema || '.' || "
        "table_name END FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
        "ORDER BY 1"
    )
    return connection, connection.cursor(), listing


def _file(scheme: str, address: str, base: Path | None) -> tuple[Any, Any, str]:
    path = resolve_path(address.partition("://")[2].removeprefix("/"), base)
    if not path.is_file():
        raise DataError(f"There is no database {path}. Check the path; it is taken relative to the configuration file.")
    if scheme == "sqlite":
        connection: Any = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
        listing = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY 1"
        return connection, connection.cursor(), listing
    import duckdb

    connection = duckdb.connect(str(path), read_only=True, config={"enable_external_access": "false"})
    return connection, connection.cursor(), "SELECT table_name FROM information_schema.tables ORDER BY 1"
