"""pyproject.toml, environment.yml and the locked requirements say the same, and name no address."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
GIVEN = {"jupyterlab", "pandas", "scikit-learn", "lifetimes", "matplotlib", "papermill", "nbval"}


def name_and_range(requirement):
    name, extras, bounds = re.fullmatch(r"([\w.-]+)(\[[\w,]+\])?\s*(.*)", requirement).groups()
    return name.lower() + (extras or ""), bounds.replace(" ", "")


def declared():
    wanted = (
        PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"] + PROJECT["optional-dependencies"]["build"]
    )
    return dict(name_and_range(r) for r in wanted)


def conda():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    plain = [d for d in environment["dependencies"] if isinstance(d, str)]
    (pip,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    return plain, pip


def test_conda_environment_lists_what_the_project_declares():
    plain, pip = conda()
    packages = dict(name_and_range(r) for r in plain + pip if not r.startswith("-e"))
    assert packages.pop("python") == PROJECT["requires-python"]
    assert "pip" in packages
    del packages["pip"]
    # Conda knows no extras: DuckDB stands beside Ibis there as a package of its own.
    wanted = {name.split("[")[0]: bounds for name, bounds in declared().items()}
    found = {
        name.removesuffix("-base").replace("ibis-duckdb", "ibis-framework").replace("python-duckdb", "duckdb"): b
        for name, b in packages.items()
    }
    assert found == wanted


def test_the_given_packages_are_declared():
    assert {name.split("[")[0] for name in declared()} >= GIVEN


def test_locked_requirements_have_hashes_and_no_address():
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text("utf-8")
        assert "://" not in text
        pins = re.findall(r"^([\w.-]+)==", text, re.M)
        assert len(pins) > 50
        blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:]
        assert all("--hash=sha256:" in block for block in blocks)


def test_locked_requirements_hold_every_declared_package():
    text = (ROOT / "requirements" / "dev.txt").read_text("utf-8")
    pins = set(re.findall(r"^([\w.-]+)==", text, re.M))
    assert {name.split("[")[0] for name in declared()} <= pins


def test_spark_is_pinned_with_what_it_brings_and_nothing_else():
    text = (ROOT / "requirements" / "spark.txt").read_text("utf-8")
    assert "://" not in text
    pins = dict(re.findall(r"^([\w.-]+)==([^ \\]+)", text, re.M))
    assert set(pins) == {"py4j", "pyspark"}
    assert PROJECT["optional-dependencies"]["spark"] == ["pyspark>=4.0,<4.1"]
    assert pins["pyspark"].startswith("4.0.")
    assert all("--hash=sha256:" in block for block in re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:])


def test_run_and_dev_pin_the_same_versions():
    def pins(name):
        return set(re.findall(r"^([\w.-]+==[^ \\]+)", (ROOT / "requirements" / name).read_text("utf-8"), re.M))

    assert pins("run.txt") <= pins("dev.txt")


def test_the_data_dictionary_is_what_the_code_says():
    import sys

    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import data_dictionary
    finally:
        sys.path.pop(0)
    assert (ROOT / "docs" / "data-dictionary.md").read_text("utf-8") == data_dictionary.text()
