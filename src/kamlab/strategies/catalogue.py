"""What the documents behind the playbook name, one row an entry: where kamlab has it, and what data it needs."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

from kamlab.strategies.model import Part

NEEDS = ("log", "amount", "cost", "quantity", "product_line", "master", "declared_potential")
"""Data beside the optional tables that an entry may need: parts of the transaction log and of the account master."""


class Row(Part):
    """An entry: its id, our words for it, what it is here, where it stands, its data, and what is not done."""

    id: str
    meaning: str
    kind: Literal["computed", "carried", "text"]
    where: tuple[str, ...]
    needs: tuple[str, ...]
    lacks: str = ""


@cache
def rows() -> tuple[Row, ...]:
    """Return the entries in the order of the documents; `strategies/catalogue.toml` explains their parts."""
    text = resources.files("kamlab.strategies").joinpath("catalogue.toml").read_text("utf-8")
    return tuple(Row.model_validate(row) for row in tomllib.loads(text)["rows"])
