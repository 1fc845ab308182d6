"""Hypothesis tries the same examples in every run, however slow the machine; no test sees another one's figures."""

import sys

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def figures_closed():
    """A figure that a test leaves open must not be counted by the next test of the same process."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
