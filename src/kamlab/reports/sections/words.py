"""The playbook in words: what types, strategies and levels of closeness mean, and what each department does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from kamlab.i18n import SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, escape, table, text
from kamlab.reports.sections.source import Source
from kamlab.strategies import guide, load_playbook, texts
from kamlab.strategies.texts import Text


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## The playbook in words"))]


def types(run: Source, t: Translator) -> list[Block]:
    """Table of the types that occur: how much they get, and how they are managed."""
    found = set(run.read("strategies", columns=["type_000"])["type_000"].dropna().unique())
    rows = [
        (t(texts.TYPES[kind].name), t(texts.TYPES[kind].meaning), t(effort.resources), t(effort.management))
        for kind, effort in guide.EFFORT.items()
        if kind in found
    ]
    heads = (t("Type"), t("Means"), t("Resources"), t("Management"))
    return _table(rows, heads, (8, 30, 30, 32), t("Types: who gets how much, and how they are managed."))


def strategies(run: Source, t: Translator) -> list[Block]:
    """Table of the strategies in use: goal, resources, and steps within one, three and five years; then the tactics."""
    used = _used(run)
    rows = [
        (t(texts.STRATEGIES[name].name), t(advice.goal), t(advice.resources))
        for name, advice in guide.ADVICE.items()
        if name in used
    ]
    steps = [
        (t(texts.STRATEGIES[name].name), t(advice.short), t(advice.mid), t(advice.long))
        for name, advice in guide.ADVICE.items()
        if name in used
    ]
    path = run.config.strategies.playbook
    playbook = load_playbook(Path(run.config.resolve(path)) if path else None)
    lines = [
        f"- **{t(texts.STRATEGIES[name].name)}.** {t.join(SENTENCES, guide.tactics(t, name, playbook))}"
        for name in guide.ADVICE
        if name in used
    ]
    return [
        *_table(
            rows,
            (t("Strategy"), t("Goal"), t("Resources")),
            (14, 40, 46),
            t("Strategies in use, and what they may cost."),
        ),
        *_table(
            steps,
            (t("Strategy"), t("Within 12 months"), t("In three years"), t("In five years")),
            (14, 30, 28, 28),
            t("Steps of each strategy over the years."),
        ),
        text(t("### Tactics") + "\n\n" + "\n".join(lines)),
    ]


def four(run: Source, t: Translator) -> list[Block]:
    """Table of the four ways to develop customers, with the number of accounts."""
    return _labels(run, t, "four_001", guide.SCHEMES["four_001"], t("Four ways to develop customers."))


def aspects(run: Source, t: Translator) -> list[Block]:
    """Table of the five aspects of customer management, for each of the four ways in use."""
    used = [label for label in guide.SCHEMES["four_001"] if label in _labels_of(run, "four_001")]
    rows = [
        (t(guide.ASPECT_NAMES[aspect]), *(t(sentences[label]) for label in used))
        for aspect, sentences in guide.ASPECTS.items()
    ]
    heads = (t("Aspect"), *(t(guide.SCHEMES["four_001"][label].name) for label in used))
    width = (12, *[88 // max(len(used), 1)] * len(used))
    return _table(rows, heads, width, t("Five aspects of the work with customers.")) if used else []


def engagement(run: Source, t: Translator) -> list[Block]:
    """Table of the levels of closeness, with the number of accounts."""
    caption = t("How closely we work with customers, from the whole market to a common task.")
    return _labels(run, t, "engagement_001", guide.SCHEMES["engagement_001"], caption)


def departments(run: Source, t: Translator) -> list[Block]:
    """Table of what each department does for each strategy in use."""
    found = _used(run)
    used = [name for name in guide.ADVICE if name in found]
    rows = [
        (t(guide.DEPARTMENT_NAMES[department]), *(t(sentences[name]) for name in used))
        for department, sentences in guide.DEPARTMENTS.items()
    ]
    heads = (t("Department"), *(t(texts.STRATEGIES[name].name) for name in used))
    return _table(rows, heads, (14, *[86 // len(used)] * len(used)), t("What each department does."))


def principles(run: Source, t: Translator) -> list[Block]:
    """What holds for every customer."""
    lines = "\n".join(f"- {t(sentence)}" for sentence in guide.PRINCIPLES.values())
    return [text(t("### What holds for every customer") + "\n\n" + lines)]


def rules(run: Source, t: Translator) -> list[Block]:
    """Say which schemes are left out for want of data, and which decisions by hand are past their date."""
    lines = [
        t("“{scheme}” is left out: the data hold none of {columns}.", scheme=scheme, columns=columns)
        for scheme, columns in run.read_facts("left_out").items()
    ]
    lines += [
        t(
            "The decision “{label}” ({scheme}) for {account}, taken by {owner}, ended on {date} and is ignored.",
            label=escape(label),
            scheme=scheme,
            account=escape(account),
            owner=escape(owner),
            date=t.date(date.fromisoformat(until)),
        )
        for account, scheme, label, owner, until in run.read_facts("overrides")["expired"]
    ]
    if not lines:
        return []
    return [text(t("### Rules without effect") + "\n\n" + "\n".join(f"- {line}" for line in lines))]


def _used(run: Source) -> set[str]:
    """Return the strategies that an account has."""
    return set(run.read("strategies", columns=["strategy"])["strategy"].unique())


def _labels_of(run: Source, scheme: str) -> Mapping[str, int]:
    """Return the labels of a scheme that occur, with the number of accounts."""
    return dict(run.read("labels", columns=["label"], where={"scheme": [scheme]})["label"].value_counts())


def _labels(run: Source, t: Translator, scheme: str, words: Mapping[str, Text], caption: str) -> list[Block]:
    """Table of a scheme's labels that occur: name, accounts, meaning, tactics."""
    counts = _labels_of(run, scheme)
    rows = [
        (t(word.name), t.number(counts[label]), t.join(SENTENCES, [t(word.meaning), *map(t, word.tactics)]))
        for label, word in words.items()
        if label in counts
    ]
    return _table(rows, (t("Label"), t("Accounts"), t("Means")), (20, 10, 70), caption) if rows else []


def _table(
    rows: Sequence[tuple[str, ...]], heads: tuple[str, ...], widths: tuple[int, ...], caption: str
) -> list[Block]:
    names = [f"c{number}" for number in range(len(heads))]
    columns = [TableColumn(name, head, width=width) for name, head, width in zip(names, heads, widths, strict=True)]
    return [table(pd.DataFrame(rows, columns=names), columns=columns, caption=caption)]
