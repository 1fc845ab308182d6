"""Hypothesis tries the same examples in every run: a test that fails does so for whoever runs it next."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")
