"""The configuration: unknown keys are refused, all faults at once, and what is written is read back."""

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from kamlab import config
from kamlab.errors import ConfigError
from kamlab.period import StudyPeriod
from kamlab.runs import run_id, study_period

MINIMAL = """
[company]
name = "Acme & Söhne"
[source.transactions]
path = "orders.csv"
columns = { account = "a", date = "d" }
"""


def load(text, tmp_path):
    (tmp_path / "kamlab.toml").write_text(text, "utf-8")
    return config.load(tmp_path / "kamlab.toml")


def test_defaults(tmp_path):
    settings = load(MINIMAL, tmp_path)
    assert settings.levels.contribution == (5e6, 10e6)
    assert settings.period.horizon_days == 365
    assert settings.period.max_data_lag_days == 7
    assert settings.resolve("orders.csv") == tmp_path / "orders.csv"


def test_a_forecaster_is_named_or_refused_with_a_suggestion(tmp_path):
    assert load(MINIMAL, tmp_path).value.forecaster == "auto"
    assert load(MINIMAL + '[value]\nforecaster = "mbg_cnbd"\n', tmp_path).value.forecaster == "mbg_cnbd"
    with pytest.raises(ConfigError, match=r'value.forecaster: there is no forecaster "pareto_bd". Did you mean'):
        load(MINIMAL + '[value]\nforecaster = "pareto_bd"\n', tmp_path)


def test_every_fault_is_named_with_a_suggestion(tmp_path):
    text = MINIMAL + '[period]\nhorizon_day = 3\nunit = "month"\n[levels]\ncontribution = [10, 5]\n[valeu]\n'
    with pytest.raises(ConfigError) as caught:
        load(text, tmp_path)
    message = str(caught.value)
    assert "4 fault(s)" in message
    assert 'Did you mean "horizon_days"?' in message
    assert "period.unit" in message
    assert "thresholds must be above 0 and rise" in message
    assert 'Did you mean "value"?' in message


def test_a_missing_or_broken_file_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"no configuration file .*nothing\.toml"):
        config.load(tmp_path / "nothing.toml")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load("[company\n", tmp_path)


def test_a_folder_instead_of_a_configuration_is_told_the_file_in_it(tmp_path):
    with pytest.raises(ConfigError, match=r"is a folder\. Name the configuration file in it, such as .*/kamlab\.toml"):
        config.load(tmp_path)


def test_frozen_settings_are_read_back(tmp_path):
    settings = load(MINIMAL + "[period]\nas_of = 2025-12-31\n", tmp_path)
    frozen = config.Frozen(settings, date(2025, 11, 30), ("en",), accept_stale=True)
    config.freeze(frozen, tmp_path / "elsewhere.json")
    assert config.thaw(tmp_path / "elsewhere.json") == frozen
    assert config.load(tmp_path / "elsewhere.json") == settings


def test_a_frozen_playbook_is_a_copy(tmp_path):
    settings = load(MINIMAL + '[strategies]\nplaybook = "mine.toml"\n', tmp_path)
    (tmp_path / "mine.toml").write_text("version = 1", "utf-8")
    (tmp_path / "log").mkdir()
    config.freeze(config.Frozen(settings, date(2025, 11, 30), ("en",), accept_stale=False), tmp_path / "log" / "c.json")
    (tmp_path / "mine.toml").unlink()
    # A run is renamed when it is finished; its copy is found beside its settings all the same.
    (tmp_path / "log").rename(tmp_path / "renamed")
    read = config.load(tmp_path / "renamed" / "c.json")
    assert read.resolve(read.strategies.playbook) == tmp_path / "renamed" / "playbook.toml"
    assert (tmp_path / "renamed" / "playbook.toml").read_text("utf-8") == "version = 1"


def test_json_that_no_run_wrote_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"settings": {}}', "utf-8")
    with pytest.raises(ConfigError, match=r"config\.json is not what a run of this kamlab writes"):
        config.load(tmp_path / "config.json")


def test_a_report_needs_a_language(tmp_path):
    with pytest.raises(ConfigError, match=r"report\.languages: List should have at least 1 item"):
        load(MINIMAL + "[report]\nlanguages = []\n", tmp_path)


@pytest.mark.parametrize("example", ["data/sample", "examples/cdnow", "examples/northwind"])
def test_shipped_configurations_are_valid(example):
    settings = config.load(Path(__file__).parents[1] / example / "kamlab.toml")
    assert settings.period.as_of is not None


def test_default_as_of_is_the_end_of_the_last_complete_month(tmp_path):
    settings = load(MINIMAL, tmp_path)
    assert study_period(settings, today=date(2026, 3, 15)).calibration_end == date(2026, 2, 28)
    assert study_period(settings, today=date(2024, 3, 1)).calibration_end == date(2024, 2, 29)
    assert study_period(settings, today=date(2026, 1, 31)).calibration_end == date(2026, 1, 31)
    assert study_period(settings, "2025-06-30").calibration_end == date(2025, 6, 30)


@pytest.mark.parametrize(
    "day", ["2025-06-30", date(2025, 6, 30), datetime(2025, 6, 30, 23, 59), pd.Timestamp("2025-06-30 12:00")]
)
def test_a_study_period_takes_a_day_in_every_form(day):
    period = StudyPeriod(day)
    assert type(period.calibration_end) is date
    assert period == StudyPeriod("2025-06-30")
    assert period.holdout_end == date(2026, 6, 30)


def test_a_run_is_named_after_company_and_day(tmp_path):
    settings = load(MINIMAL, tmp_path)
    assert run_id(settings, study_period(settings, "2025-06-30")) == "acme-söhne-2025-06-30"


def test_an_impossible_as_of_date_is_refused(tmp_path):
    with pytest.raises(ConfigError, match='"2025-02-30" is no date'):
        study_period(load(MINIMAL, tmp_path), "2025-02-30")


def test_thresholds_that_nobody_set_stay_unset_in_what_a_run_freezes(tmp_path):
    for text, axes in (("", ()), ("[levels]\npotential = [1, 2]\n", ("potential",))):
        settings = load(MINIMAL + text, tmp_path)
        config.freeze(
            config.Frozen(settings, date(2025, 11, 30), ("en",), accept_stale=False), tmp_path / "frozen.json"
        )
        assert settings.set_levels == config.load(tmp_path / "frozen.json").set_levels == axes
