"""Engines: the same expression gives the same table on DuckDB and on Spark, within bounds, leaving nothing behind."""

import gc
import shutil
from importlib.util import find_spec

import pandas as pd
import pytest

import kamlab as kl
from kamlab import simulate
from kamlab.engines import Engine
from kamlab.errors import ConfigError

COLUMNS = {
    name: name
    for name in ("account", "date", "amount", "cost", "order_id", "line_id", "product", "product_line", "quantity")
}
PERIOD = kl.StudyPeriod("2025-06-30")
ROUNDED = {"order_value_trend", "order_value_trend_se", "log_gaps", "margin_rate_var"}
"""Made from sums of rounded logarithms and ratios, whose last decimal (1e-8, 1e-6) the engines' rounding may move."""


# Ibis and pyspark still ask pandas for options that pandas 3 deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The 'future.infer_string' option",
    "ignore::DeprecationWarning:pyspark",
    "ignore::FutureWarning:pyspark",
    "ignore::ResourceWarning",
)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "order lines [1].parquet"
    simulate.order_lines(1500, path, accounts=120, seed=1)
    return path


SPARK_OPTIONS = {
    # For tables of a few rows, compiling each query costs a hundred times what running it does.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@pytest.fixture(scope="session")
def spark():
    """A local Spark, started once; it answers small questions without compiling them."""
    if find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: make spark, or pip install kamlab[spark]")
    if shutil.which("java") is None:
        pytest.skip("there is no Java, which Spark runs on (Debian: apt-get install openjdk-17-jre-headless)")
    options = " ".join(f"--conf {name}={value}" for name, value in SPARK_OPTIONS.items())
    jvm = "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{jvm} {options} pyspark-shell")
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        engine = Engine("spark", master="local[2]")
        session = engine.connect()
        yield engine
        session.spark.stop()


def test_spark_gives_the_tables_of_duckdb(log, spark, tmp_path):
    mine = kl.read_ledger(log, columns=COLUMNS, scratch=tmp_path)
    theirs = kl.read_ledger(log, columns=COLUMNS, engine=spark, scratch=tmp_path)
    assert theirs.lines.cast(mine.lines.schema).equals(mine.lines)
    pd.testing.assert_frame_equal(theirs.quarantine, mine.quarantine)
    pd.testing.assert_frame_equal(theirs.reconciliation(), mine.reconciliation())
    ours, other = kl.summarize(mine, PERIOD), kl.summarize(theirs, PERIOD)
    exact = [name for name in ours if name not in ROUNDED]
    pd.testing.assert_frame_equal(other[exact], ours[exact], check_exact=True)
    pd.testing.assert_frame_equal(other, ours, rtol=1e-5, atol=1e-7)
    few = ["frequency", "recency", "T", "monetary_value"]
    straight = kl.summarize(mine, PERIOD, columns=few)
    pd.testing.assert_frame_equal(kl.summarize(theirs, PERIOD, columns=few), straight, check_exact=True)
    theirs.write_parquet(tmp_path / "ledger.parquet")
    again = kl.ledger.Ledger.from_parquet(tmp_path / "ledger.parquet", theirs.quarantine, engine=spark)
    assert again.lines.equals(theirs.lines)


def test_ids_and_lines_that_repeat_are_found_by_both_engines(spark, tmp_path):
    rows = [("1", "A", "2024-03-01", 5.0), ("1", "A", "2024-01-02", 6.0), (None, "B", "2024-01-03", 7.125)]
    frame = pd.DataFrame([*rows, rows[2], (None, "B", "2024-01-03", 7.5)], columns=["id", "who", "day", "net"])
    frame.to_parquet(tmp_path / "log.parquet")
    columns = {"line_id": "id", "account": "who", "date": "day", "amount": "net"}
    for engine in (Engine(), spark):
        ledger = kl.read_ledger(tmp_path / "log.parquet", columns=columns, max_quarantined_share=1, engine=engine)
        assert ledger.lines["line"].to_pylist() == [2, 3, 4, 5]
        assert ledger.lines["repeated"].to_pylist() == [False, False, True, False]
        assert ledger.quarantine["reason"].to_list() == ["line id is repeated"]
        assert ledger.quarantine["original"].to_list() == ['{"id": "1", "who": "A", "day": "2024-03-01", "net": "5"}']


def test_a_session_leaves_nothing_behind(log, tmp_path):
    ledger = kl.read_ledger(log, columns=COLUMNS, scratch=tmp_path)
    assert list(tmp_path.iterdir())
    del ledger
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_refused_half_way_leaves_nothing_behind(log, tmp_path):
    with pytest.raises(kl.errors.DataError, match="cannot be used"):
        kl.read_ledger(log, columns=COLUMNS | {"date": "product"}, scratch=tmp_path)
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_little_memory_gives_the_same_summary(log):
    little = kl.read_ledger(log, columns=COLUMNS, engine=Engine(memory_limit="60MB"))
    much = kl.read_ledger(log, columns=COLUMNS)
    pd.testing.assert_frame_equal(kl.summarize(little, PERIOD), kl.summarize(much, PERIOD), check_exact=True)


def test_an_impossible_memory_limit_is_refused():
    with pytest.raises(ConfigError, match='memory_limit is "much"; it must be a size such as "4GB"'):
        Engine(memory_limit="much").connect()


def test_spark_that_is_not_installed_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setattr("kamlab.engines.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'pip install "kamlab\[spark\]"'):
        Engine("spark").connect()


def test_what_folders_say_of_their_rows_is_the_same_on_both(spark, tmp_path):
    for month, amount in (("01", 1.5), ("02", 2.5)):
        folder = tmp_path / "sales" / f"month={month}"
        folder.mkdir(parents=True)
        rows = {"who": ["A"], "day": [f"2024-{month}-05"], "net": [amount]}
        pd.DataFrame(rows).to_parquet(folder / "part-0.parquet", index=False)
    columns = {"account": "who", "date": "day", "amount": "net", "product_line": "month"}
    for engine in (Engine(), spark):
        lines = kl.read_ledger(tmp_path / "sales", columns=columns, engine=engine).lines.to_pandas()
        assert lines["product_line"].tolist() == ["01", "02"]
        assert lines["source"].tolist() == ["month=01/part-0.parquet", "month=02/part-0.parquet"]
        assert lines["amount"].astype(float).tolist() == [1.5, 2.5]
