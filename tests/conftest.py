"""Hypothesis tries the same examples in every run, however slow the machine: a test that fails does so for all."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
