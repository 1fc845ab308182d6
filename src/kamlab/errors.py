"""The exceptions that reach a user: each message is a paragraph that says what, where and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class KamlabError(Exception):
    """Base of all errors that a user can mend; the command line prints it without a traceback."""

    exit_code = 1


class DataError(KamlabError):
    """The input data cannot carry the analysis that was asked for."""


class ConfigError(KamlabError):
    """The configuration, the playbook or a notebook parameter is at fault."""


class UsageError(ConfigError):
    """The command was given what it does not take."""

    exit_code = 2


class ModelError(KamlabError):
    """A model cannot be fitted to, or applied to, these accounts."""


class ReportError(KamlabError):
    """A notebook or a block cannot be turned into a document."""


class RunLockedError(KamlabError):
    """Another run is writing to the same output folder."""

    exit_code = 3


def first_ids(ids: Iterable[object], limit: int = 10) -> str:
    """Return the first `limit` ids as one string, followed by an ellipsis if there are more."""
    texts = [str(i) for i in ids]
    shown = ", ".join(texts[:limit])
    return f"{shown} …" if len(texts) > limit else shown


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return `' Did you mean "…"?'` for the nearest known word, or an empty string."""
    lower = {k.lower(): k for k in known}
    near = get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return f' Did you mean "{lower[near[0]]}"?' if near else ""
