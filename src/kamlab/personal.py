"""Words that personal data goes by: it is for the customer card alone, and never a feature of an account."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kamlab.errors import DataError, first_ids

PERSONAL = (
    *("birth", "birthday", "birthdate", "hobby", "hobbies", "family", "spouse", "wife", "husband", "child", "children"),
    *("religion", "gender", "sex", "person", "contact", "phone", "mobile", "email", "mail", "address", "passport"),
    *("first_name", "last_name", "full_name", "name", "sinh_nhật", "sở_thích", "gia_đình", "điện_thoại", "họ_tên"),
    *("cumpleaños", "nacimiento", "afición", "aficiones", "familia", "sexo", "teléfono", "correo", "nombre"),
)
"""Words that personal data goes by; hobbies, birthdays and families are for the customer card alone."""
PERSONAL_IN_CHINESE = (
    "生日",
    "出生",
    "爱好",
    "愛好",
    "家庭",
    "配偶",
    "性别",
    "性別",
    "电话",
    "電話",
    "手机",
    "邮箱",
    "姓名",
)


def refuse(names: Iterable[str]) -> None:
    """Refuse columns that go by a name of personal data.

    Raises
    ------
    DataError
    """
    found = [name for name in names if _is_personal(name)]
    if found:
        raise DataError(
            f"Personal data is no feature of an account: {first_ids(found)}. Leave it out; it is for the customer card."
        )


def _is_personal(name: str) -> bool:
    words = "_".join(["", *re.split(r"[\W_]+", name.casefold()), ""])
    return any(f"_{word}_" in words for word in PERSONAL) or any(word in name for word in PERSONAL_IN_CHINESE)
