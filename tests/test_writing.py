"""Tables that are written beside the work: what was handed over is what stands, and a failure is the step's."""

import pandas as pd
import pytest

from kamlab.config import Company, Config, Source, Transactions
from kamlab.errors import ConfigError
from kamlab.period import StudyPeriod
from kamlab.runs.folder import Run
from kamlab.steps.once import once

CONFIG = Config(
    company=Company(name="Acme", currency="EUR"),
    source=Source(transactions=Transactions(path="x.csv", columns={"account": "a", "date": "d"})),
)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, CONFIG, StudyPeriod("2025-12-31"))


def numbers():
    return pd.DataFrame({"account": [f"A{n:05d}" for n in range(50_000)], "value": [float(n) for n in range(50_000)]})


def test_a_table_holds_what_it_held_when_it_was_handed_over_and_stands_after_the_step(run):
    def step(run):
        table = numbers()
        run.write("x", table)
        table.loc[:, "value"] = -1.0
        assert run.has("x")
        assert run.read("x")["value"].sum() == sum(range(50_000))
        run.write("y", numbers().head(3))
        return run.write("x", numbers().head(2))

    assert len(once("x")(step)(run)) == 2
    assert {path.name for path in (run.folder / "tables").iterdir()} == {"x.parquet", "y.parquet"}
    assert pd.read_parquet(run.path("x"))["account"].tolist() == ["A00000", "A00001"]
    assert once("x")(lambda run: pytest.fail("made twice"))(run)["value"].tolist() == [0.0, 1.0]


def test_a_table_that_cannot_be_written_fails_the_step_and_leaves_no_file(run):
    def step(run):
        return run.write("x", pd.DataFrame({"a": [1, "one"]}, dtype=object))

    with pytest.raises(Exception, match="one"):
        once("x")(step)(run)
    assert list((run.folder / "tables").glob("*")) == []


def test_a_step_that_fails_leaves_the_tables_whole_that_it_had_handed_over(run):
    def step(run):
        run.write("x", numbers())
        raise ConfigError("no further")

    with pytest.raises(ConfigError, match="no further"):
        once("z")(step)(run)
    assert len(pd.read_parquet(run.path("x"))) == 50_000
