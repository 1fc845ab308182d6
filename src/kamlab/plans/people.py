"""Contact persons by what they decide: whom we know, and which roles nobody fills."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

ROLES: Mapping[str, tuple[str, ...]] = {
    "decider": (
        *("decider", "decision", "management", "manager", "director", "owner", "ceo", "quyết định", "giám đốc"),
        *("lãnh đạo", "decis", "dirección", "gerente", "dueño", "决策", "總經理", "总经理", "老板", "负责人", "決策"),
    ),
    "buyer": ("buyer", "purchas", "procure", "mua", "thu mua", "compra", "采购", "採購", "購買"),
    "user": ("user", "production", "plant", "sử dụng", "sản xuất", "usuario", "producción", "使用", "生产", "生產"),
    "technical": (
        *("technical", "quality", "engineer", "research", "lab", "kỹ thuật", "chất lượng", "técnic", "calidad"),
        *("技术", "技術", "质量", "品質", "研发", "研發"),
    ),
    "finance": ("financ", "account", "payable", "tài chính", "kế toán", "contab", "财务", "財務", "会计", "會計"),
}
"""Roles in a purchase, and the parts of words that name them in the four languages."""

OTHER = "other"


def role_of(text: str) -> str:
    """Return the role that a text names; `other` where it names none of them."""
    small = text.casefold()
    return next((role for role, words in ROLES.items() if any(word in small for word in words)), OTHER)


def known_people(persons: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the contact persons of a day, each with the role that role and department name.

    Parameters
    ----------
    persons : pandas.DataFrame
        account, name, role, department (text or missing), active_to (date or missing).
    as_of : datetime.date

    Returns
    -------
    pandas.DataFrame
        Table "plan_people" of `terms`, ordered by account, role and name.
    """
    here = persons[~(persons["active_to"] <= pd.Timestamp(as_of)) & persons["name"].notna()]
    stated = here["role"].fillna("").astype("str")
    by_role = stated.map(role_of)
    by_department = here["department"].fillna("").astype("str").map(role_of)
    table = pd.DataFrame(
        {
            "account": here["account"],
            "role": by_role.where(by_role != OTHER, by_department),
            "name": here["name"],
            "stated_role": here["role"],
            "department": here["department"],
        }
    )
    order = table["role"].map({role: place for place, role in enumerate((*ROLES, OTHER))})
    table = table.assign(order=order).sort_values(["account", "order", "name"], kind="stable")
    return table.drop(columns="order").drop_duplicates(["account", "role", "name"]).reset_index(drop=True)
