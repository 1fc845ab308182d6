"""Hypothesis tries the same examples in every run, however slow the machine; no test sees another one's figures.

Of several processes each takes whole modules, those that take longest first, so that all end at about the same time.
"""

import sys
from functools import cache

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

LONGEST_FIRST = (
    "whole way",
    "notebooks",
    "tests/test_backtest.py",
    "few accounts",
    "tests/test_cli.py",
    "tests/test_earlier.py",
    "tests/test_ledger.py",
    "tests/test_clv_coverage.py",
    "tests/test_real_companies.py",
    "tests/test_proof.py",
    "tests/test_engines.py",
    "tests/test_real_data.py",
)
"""What takes longer than twenty seconds of computing time, or nearly; `pytest --durations=60` tells."""

SHARED = {"notebooks/": "notebooks", "tests/test_whole_way": "whole way"}
SHARED |= dict.fromkeys(("tests/test_few_accounts.py", "tests/test_form.py"), "few accounts")
"""Beginning of a path → those that work on the same drafts or read the same finished report."""


def work_unit(nodeid):
    """Return what a test is kept together with: its module, or all that work on one draft or one finished report."""
    path = nodeid.partition("::")[0]
    return next((unit for beginning, unit in SHARED.items() if path.startswith(beginning)), path)


def pytest_collection_modifyitems(items):
    place = {unit: number for number, unit in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(work_unit(item.nodeid), len(place)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class WholeModules(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return work_unit(nodeid)

    # Else those with many tests would come first, which are quick ones.
    config.option.loadscopereorder = False
    return WholeModules(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """The result of a whole run on the sample company, for modules named test_whole_way…, which one process tests."""
    # Two seconds of imports, which a single quick test does not wait for.
    from own_process import without_kernels
    from sample_report import SAMPLE

    from kamlab.runs import run

    with without_kernels():
        return run(SAMPLE, out=tmp_path_factory.mktemp("sample") / "reports")


@pytest.fixture(scope="session")
def few(tmp_path_factory):
    """Case of `test_few_accounts` → its configuration, for the modules that look at the same drafts."""
    from test_few_accounts import CASES, company

    return cache(lambda case: company(tmp_path_factory.mktemp("few"), CASES[case]))


@pytest.fixture(autouse=True)
def figures_closed():
    """A figure that a test leaves open must not be counted by the next test of the same process."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
