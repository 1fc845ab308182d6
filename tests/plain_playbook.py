"""The playbook read and applied with plain ifs, one account at a time: a second opinion on the engine."""

import operator
import tomllib
from contextlib import suppress
from importlib import resources

BOOK = tomllib.loads(resources.files("kamlab.strategies").joinpath("playbook.toml").read_text("utf-8"))
STATES = {state["id"]: state["when"] for state in BOOK["states"]}
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


def parsed(texts):
    """Return the values that labels' inputs print, as field → True, False, number, word or None."""
    values = {}
    for text in texts:
        for part in text.split("; "):
            name, _, word = part.partition("=")
            values[name] = {"yes": True, "no": False, "unknown": None}.get(word, word)
            with suppress(ValueError):
                values[name] = float(word)
    return values


def holds(condition, values):
    """Whether a condition of the playbook holds for one account."""
    if "all" in condition:
        return all(holds(part, values) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, values) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], values)
    name = condition["field"]
    if name in STATES:
        return holds(STATES[name], values)
    value = values.get(name)
    if "known" in condition:
        return (value is not None) == condition["known"]
    if "in" in condition:
        return value in condition["in"]
    if "op" in condition:
        other = condition.get("value")
        if "of" in condition:
            base = values.get(condition["of"])
            other = None if base is None else condition.get("times", 1.0) * base
        return value is not None and other is not None and COMPARE[condition["op"]](value, other)
    return value is True


def labels(values):
    """Return scheme → (label, rule id) of one account, given the values of the fields."""
    values, given = dict(values), {}
    for scheme in BOOK["schemes"]:
        name = scheme["id"]
        values.pop(name, None)
        if "applies_to" in scheme and not holds(scheme["applies_to"], values):
            continue
        if "cells" in scheme:
            row, column = values[scheme["rows"]], values[scheme["columns"]]
            given[name] = scheme["cells"][row][column], f"{name}.{row}_{column}".lower()
        else:
            rule = next(rule for rule in scheme["rules"] if "when" not in rule or holds(rule["when"], values))
            given[name] = rule["label"], rule["id"]
        values[name] = given[name][0]
    return given
