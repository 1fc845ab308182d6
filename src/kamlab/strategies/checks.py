"""What the entries of a playbook say about each other: names that exist, labels for every account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kamlab import terms
from kamlab.errors import did_you_mean
from kamlab.strategies.conditions import faults_in, fields_of
from kamlab.strategies.fields import AFTERWARDS, DERIVED, FLAG, INPUTS, Field
from kamlab.strategies.model import OVERRIDE, Playbook, Scheme

REQUIRED_SCHEMES: Mapping[str, tuple[str, ...]] = {
    "contribution_level": terms.LEVELS,
    "potential_level": terms.LEVELS,
    "type_000": terms.TYPES,
    "strategy": terms.STRATEGIES,
    "plan_required": ("yes", "no"),
}
"""Schemes that reports rely on, with their labels; a playbook may add others."""

REQUIRED_STATES = ("provisional",)
"""States that reports rely on."""


def faults_of(book: Playbook) -> list[str]:
    """Return every fault of a playbook whose entries have the right shape, in the order of application."""
    known: dict[str, Field] = {**INPUTS, **DERIVED}
    faults = _repeated("state", [s.id for s in book.states], taken=known)
    names = {state.id for state in book.states} | {scheme.id for scheme in book.schemes}
    for state in book.states:
        found = faults_in(state.when, known, discrete_only=False, later=names)
        faults += _named("state", state.id, found)
        known.setdefault(state.id, FLAG)
    flags = [flag.id for flag in book.flags]
    faults += _repeated("scheme", [s.id for s in book.schemes], taken=known)
    for scheme in book.schemes:
        faults += _scheme_faults(scheme, known, flags)
        known.setdefault(scheme.id, Field("choice", scheme.labels))
    faults += _required_faults(book) + _circles(book)
    faults += _repeated("flag", flags)
    if book.overrides and OVERRIDE not in flags:
        faults.append(f'overrides need a flag with id = "{OVERRIDE}".')
    for flag in book.flags:
        if flag.when is not None:
            faults += _named("flag", flag.id, faults_in(flag.when, known, discrete_only=True))
    for check in book.coherence:
        faults += _named("coherence", check.id, faults_in(check.never, known, discrete_only=True))
    for tactic in book.tactics:
        if tactic.strategy not in terms.STRATEGIES:
            faults += _named("tactic", tactic.text, [_unknown("strategy", tactic.strategy, terms.STRATEGIES)])
    return faults + _override_faults(book)


def _scheme_faults(scheme: Scheme, known: Mapping[str, Field], flags: list[str]) -> list[str]:
    faults: list[str] = []
    if scheme.applies_to is not None:
        faults += _named("scheme", scheme.id, faults_in(scheme.applies_to, known, discrete_only=True))
    if scheme.rules:
        open_ended = [rule.id for rule in scheme.rules if rule.when is None]
        if open_ended != [scheme.rules[-1].id]:
            faults.append(_open_ended(scheme, open_ended))
    else:
        faults += _named("scheme", scheme.id, _table_faults(scheme, known))
    rules = scheme.all_rules()
    faults += _repeated("rule", [rule.id for rule in rules], taken=[OVERRIDE])
    for rule in rules:
        own: list[str] = []
        if rule.when is not None and scheme.rules:
            own += faults_in(rule.when, known, discrete_only=True)
        own += [_unknown("label", rule.label, scheme.labels)] if rule.label not in scheme.labels else []
        own += [_unknown("flag", flag, flags) for flag in rule.flags if flag not in flags]
        own += [_unknown("field", name, list(known)) for name in rule.inputs if name not in known]
        faults += _named("rule", rule.id, own)
    return faults


def _open_ended(scheme: Scheme, open_ended: list[str]) -> str:
    return (
        f'scheme "{scheme.id}": the last rule, and no other, must be without "when", so that every '
        f'account gets exactly one label. Last is "{scheme.rules[-1].id}"; without "when": '
        f"{', '.join(open_ended) or 'none'}."
    )


def with_examples(faults: list[str], book: Playbook) -> list[str]:
    """Add to each scheme that leaves accounts without a label an account that has none.

    Only where nothing else is wrong: what unknown names and values mean cannot be tried.
    """
    from kamlab.strategies.proof import unlabelled  # proving stands above loading

    holes = {}
    for number, scheme in enumerate(book.schemes):
        open_ended = [rule.id for rule in scheme.rules if rule.when is None]
        if scheme.rules and not open_ended:
            holes[_open_ended(scheme, open_ended)] = (number, scheme)
    if set(faults) - set(holes):
        return faults
    said = []
    for fault in faults:
        number, scheme = holes[fault]
        example = unlabelled(book.model_copy(update={"schemes": book.schemes[:number]}), scheme)
        said.append(f"{fault} An account without a label has {example}." if example else fault)
    return said


def _table_faults(scheme: Scheme, known: Mapping[str, Field]) -> list[str]:
    """Check that a table has one cell for each pair of values of its two fields."""
    axes = [known.get(name or "") for name in (scheme.rows, scheme.columns)]
    faults = [
        _unknown("field", str(name), [n for n, f in known.items() if f.labels])
        for name, field in zip((scheme.rows, scheme.columns), axes, strict=True)
        if field is None or not field.labels
    ]
    if faults or axes[0] is None or axes[1] is None:
        return faults
    wanted = {(row, column) for row in axes[0].labels for column in axes[1].labels}
    given = {(row, column) for row, cells in scheme.cells.items() for column in cells}
    faults += [f"no cell for {scheme.rows} {r}, {scheme.columns} {c}." for r, c in sorted(wanted - given)]
    faults += [f"cell {r}, {c} is outside the table." for r, c in sorted(given - wanted)]
    return faults


def _required_faults(book: Playbook) -> list[str]:
    given = {scheme.id: scheme for scheme in book.schemes}
    faults = [f'scheme "{name}" is missing.' for name in REQUIRED_SCHEMES if name not in given]
    faults += [f'state "{name}" is missing.' for name in REQUIRED_STATES if name not in {s.id for s in book.states}]
    for name, labels in REQUIRED_SCHEMES.items():
        if name in given and set(given[name].labels) != set(labels):
            faults.append(f'scheme "{name}": its labels must be {", ".join(labels)}.')
    return faults


def _circles(book: Playbook) -> list[str]:
    """Return what is decided together with strategy and plan, and asks for what follows from these.

    Beside the schemes that they rest on these are flags, and schemes whose rules set some.
    """
    asked: dict[str, set[str]] = {state.id: set(fields_of(state.when)) for state in book.states}
    for scheme in book.schemes:
        conditions = [scheme.applies_to, *(rule.when for rule in scheme.all_rules())]
        asked[scheme.id] = {name for one in conditions if one is not None for name in fields_of(one)}
    asked |= {f'flag "{flag.id}"': set(fields_of(flag.when)) for flag in book.flags if flag.when is not None}
    flagging = [scheme.id for scheme in book.schemes if any(rule.flags for rule in scheme.all_rules())]
    flags = [name for name in asked if name.startswith("flag ")]
    faults = []
    for start in dict.fromkeys([*REQUIRED_SCHEMES, *flagging, *flags]):
        reached: set[str] = set()
        waiting = [start]
        while waiting:
            name = waiting.pop()
            waiting += asked.get(name, set()) - reached
            reached |= asked.get(name, set())
        found = [name for name in AFTERWARDS if name in reached]
        if found:
            named = start if start.startswith("flag ") else f'scheme "{start}"'
            faults.append(
                f"{named}: it rests on {', '.join(found)}, which follow from strategy and plan. Take them out."
            )
    return faults


def _override_faults(book: Playbook) -> list[str]:
    labels = {scheme.id: scheme.labels for scheme in book.schemes}
    faults = []
    for override in book.overrides:
        own = []
        if override.scheme not in labels:
            own.append(_unknown("scheme", override.scheme, list(labels)))
        elif override.label not in labels[override.scheme]:
            own.append(_unknown("label", override.label, labels[override.scheme]))
        faults += _named("override", override.account, own)
    pairs = [f"{override.account} ({override.scheme})" for override in book.overrides]
    return faults + _repeated("override", pairs)


def _named(kind: str, ident: str, faults: Iterable[str]) -> list[str]:
    return [f'{kind} "{ident}": {fault}' for fault in faults]


def _unknown(kind: str, word: str, known: Iterable[str]) -> str:
    return f'unknown {kind} "{word}".{did_you_mean(word, list(known))}'


def _repeated(kind: str, ids: list[str], taken: Iterable[str] = ()) -> list[str]:
    taken = set(taken)
    twice = [i for i in dict.fromkeys(ids) if ids.count(i) > 1 or i in taken]
    return [f'{kind} "{i}": this name is given already.' for i in twice]
