"""Databases are read, never written to, and their passwords never shown: SQLite, DuckDB and a real PostgreSQL."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from kamlab import config, inputs
from kamlab.errors import ConfigError, DataError
from kamlab.sources import content_hash, read_table

MAKE = (
    "CREATE TABLE orders (id INTEGER, customer TEXT, day DATE, net NUMERIC(12,2))",
    "INSERT INTO orders VALUES (1, 'Müller', '2024-01-31', 12.50), (2, NULL, '2024-02-01', -3)",
    "INSERT INTO orders VALUES (3, '客户', NULL, 0.10)",
)
ROWS = [
    {"id": "1", "customer": "Müller", "day": "2024-01-31", "net": "12.50"},
    {"id": "2", "customer": None, "day": "2024-02-01", "net": "-3.00"},
    {"id": "3", "customer": "客户", "day": None, "net": "0.10"},
]
SECRET = "s3cr/et@word"
PROGRAMS = [Path(p).parent for p in (shutil.which("pg_ctl"),) if p] + sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory):
    """A server of our own on a socket and a free port, with a reader who has a password."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = tmp_path_factory.mktemp("pg")
    programs, data = PROGRAMS[-1], folder / "data"
    as_user, port = [], free_port()
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root.
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        for place in (folder, *folder.parents):
            if place.is_relative_to("/tmp") and place != Path("/tmp"):
                place.chmod(0o755)
        shutil.chown(folder, "postgres", "postgres")

    def run(*command, **options):
        return subprocess.run([*as_user, *map(str, command)], check=True, capture_output=True, cwd=folder, **options)

    run(programs / "initdb", "-D", data, "-A", "trust", "-U", "owner", "-E", "UTF8", "--locale=C.UTF-8")
    (data / "pg_hba.conf").write_text("local all owner trust\nhost all reader 127.0.0.1/32 scram-sha-256\n")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run(programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    script = "".join(f"{line};\n" for line in MAKE)
    script += f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'; GRANT ALL ON orders TO reader;\n"
    try:
        run(
            programs / "psql",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            folder,
            "-p",
            port,
            "-U",
            "owner",
            "postgres",
            input=script.encode(),
        )
        yield f"127.0.0.1:{port}/postgres"
    finally:
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def database(request, tmp_path, monkeypatch):
    """The address of each database with the same table in it."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        monkeypatch.setenv("SALES_PASSWORD", "s3cr%2Fet%40word")
        return f"postgresql://reader:${{SALES_PASSWORD}}@{server}"
    module = sqlite3 if request.param == "sqlite" else duckdb
    connection = module.connect(str(tmp_path / "sales.db"))
    for statement in MAKE:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return f"{request.param}:///{tmp_path}/sales.db"


def rows(raw):
    """The rows, with amounts as SQLite writes them, which knows no decimals, written with two."""
    found = raw.rows.to_pylist()
    return [row | {"net": str(Decimal(row["net"]).quantize(Decimal("0.01")))} for row in found]


def test_a_table_and_a_query_are_read(database):
    raw = read_table(database, table="orders")
    assert sorted(rows(raw), key=lambda row: row["id"]) == ROWS
    assert raw.lines.to_pylist() == [1, 2, 3]
    raw = read_table(database, query="SELECT * FROM orders WHERE id > 1 ORDER BY id DESC;")
    assert rows(raw) == ROWS[:0:-1]
    assert raw.source.endswith("[query]")
    assert str(raw.readings[0]).endswith("read from its query")


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders",
        "SELECT * FROM orders) AS x; DELETE FROM orders; SELECT * FROM (SELECT 1",
        "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone",
    ],
)
def test_nothing_can_be_changed(query, database):
    with pytest.raises(DataError, match="cannot be read"):
        read_table(database, query=query)
    assert read_table(database, table="orders").rows.num_rows == 3


def test_what_is_not_there_is_said(database):
    with pytest.raises(DataError, match=r'no table "order"\. Did you mean "orders"\? Its tables are: orders'):
        read_table(database, table="order")
    with pytest.raises(DataError, match="holds no row"):
        read_table(database, query="SELECT * FROM orders WHERE id = 99")
    with pytest.raises(ConfigError, match="needs either table"):
        read_table(database)


def test_the_hash_is_of_the_rows(database):
    same = [content_hash(database, table="orders"), content_hash(database, query="SELECT * FROM orders")]
    assert same[0] == same[1] != content_hash(database, query="SELECT * FROM orders WHERE id = 1")


def test_a_password_stays_in_the_environment(postgresql, monkeypatch, tmp_path):
    address = f"postgresql://reader:${{SALES_PASSWORD}}@{postgresql}"
    monkeypatch.setenv("SALES_PASSWORD", "wr0ng")
    with pytest.raises(DataError, match="cannot be opened") as caught:
        read_table(address, table="orders")
    assert "wr0ng" not in str(caught.value)
    monkeypatch.setenv("SALES_PASSWORD", "s3cr%2Fet%40word")
    text = f'''
[company]
name = "X"
[source.transactions]
path = "{address}"
table = "orders"
columns = {{ account = "customer", date = "day", amount = "net" }}
max_quarantined_share = 0.5
'''
    (tmp_path / "kamlab.toml").write_text(text, "utf-8")
    settings = config.load(tmp_path / "kamlab.toml")
    ledger, readings = inputs.read_lines(settings)
    assert ledger.lines["amount"].to_pylist() == [Decimal("12.5"), Decimal(-3)]
    frozen = config.Frozen(settings, ledger.last_date, ("en",), accept_stale=False)
    config.freeze(frozen, tmp_path / "frozen.json")
    from kamlab.runs.identity import input_hashes

    kept = (tmp_path / "frozen.json").read_text("utf-8") + json.dumps(input_hashes(settings)) + str(readings)
    kept += str(ledger.lines["source"].to_pylist()) + ledger.quarantine.to_csv()
    assert "${SALES_PASSWORD}" in kept
    assert not [secret for secret in (SECRET, "s3cr%2Fet%40word") if secret in kept]


@pytest.mark.parametrize(
    "address",
    ["postgresql://me:hidden@server/db", "postgresql://me:x${P}@server/db", "postgresql://server/db?password=hidden"],
)
def test_a_password_in_the_configuration_is_refused(address, tmp_path):
    (tmp_path / "kamlab.toml").write_text(
        f'[company]\nname = "X"\n[source.transactions]\npath = "{address}"\ntable = "t"\ncolumns = {{}}\n', "utf-8"
    )
    with pytest.raises(ConfigError, match="into an environment variable") as caught:
        config.load(tmp_path / "kamlab.toml")
    assert "hidden" not in str(caught.value)
    with pytest.raises(ConfigError, match="into an environment variable"):
        read_table(address, table="t")


def test_other_databases_and_missing_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r'Did you mean "postgresql"\?'):
        read_table("postgresq://server/db", table="t")
    with pytest.raises(DataError, match=r"There is no database .*none\.db"):
        read_table("sqlite:///none.db", base=tmp_path, table="t")
    with pytest.raises(DataError, match="environment variable that is not set"):
        read_table("postgresql://me:${NOT_SET_ANYWHERE}@localhost/db", table="t")
