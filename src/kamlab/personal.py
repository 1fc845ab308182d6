"""Words that personal data goes by: it is for the customer card alone, and never a feature of an account."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from kamlab.errors import DataError, first_ids

PERSONAL = (
    *("birth", "birthday", "birthdate", "hobby", "hobbies", "family", "spouse", "wife", "husband", "child", "children"),
    *("religion", "gender", "sex", "marital", "nationality", "ethnicity", "passport", "person", "contact"),
    *("phone", "telephone", "mobile", "email", "mail", "address", "wechat", "zalo", "whatsapp"),
    *("first_name", "last_name", "full_name", "name", "birthdays", "interests", "sinh_nhật", "ngày_sinh", "năm_sinh"),
    *("giới_tính", "sở_thích", "gia_đình", "hôn_nhân", "tôn_giáo", "dân_tộc", "điện_thoại", "sđt"),
    *("họ_tên", "liên_hệ", "địa_chỉ", "cccd", "cmnd", "cumpleaños", "nacimiento", "género", "sexo", "religión"),
    *("estado_civil", "hijos", "esposa", "afición", "aficiones", "familia", "teléfono", "móvil", "correo", "nombre"),
    *("contacto", "dirección"),
)
"""Words of a column's name, in any case, with or without accents; hobbies, birthdays and families are for the customer
card alone."""
PERSONAL_ALONE = ("age", "edad", "tuổi")
"""Words that are personal where no other stands beside them: the age of a contract or a debt is not."""
PERSONAL_IN_CHINESE = (
    *("生日", "出生", "年龄", "年齡", "爱好", "愛好", "兴趣", "興趣", "家庭", "配偶", "子女", "婚姻", "性别", "性別"),
    *("民族", "宗教", "身份证", "身份證", "电话", "電話", "手机", "手機", "邮箱", "郵箱", "微信", "联系人", "聯繫人"),
    *("地址", "姓名"),
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


def _words(name: str) -> str:
    """Return the words of a name between underscores, without case, accents and numbers; ContactPhone is two words."""
    folded = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain)
    return "_".join(["", *re.split(r"[\W\d_]+", parted.casefold()), ""])


_FOLDED = tuple(_words(word) for word in PERSONAL)
_ALONE = tuple(_words(word) for word in PERSONAL_ALONE)


def _is_personal(name: str) -> bool:
    words = _words(name)
    found = words in _ALONE or any(word in words for word in _FOLDED)
    return found or any(word in name for word in PERSONAL_IN_CHINESE)
