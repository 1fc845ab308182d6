"""Invented company names in English, Spanish, Vietnamese and Chinese (both scripts), composed from parts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

INDUSTRIES = ("feed", "food", "pharma", "cosmetics", "agrochemical", "trading")

_BRANDS = {
    "zh-Hans": (
        "澜 霁 岚 沅 栩 芃 翎 晟 珩 澄 砚 桐 霖 璟 穗 衡 朔 屿 昱 骁",
        "川 禾 序 野 舟 桥 棠 原 岭 泽 汀 廷 维 恒 达 润 丰 贤",
    ),
    "zh-Hant": ("瀾 霽 嵐 沅 栩 翎 曄 珩 澄 硯 桐 霖 璟 穗 衡 嶼", "川 禾 舟 橋 棠 原 嶺 澤 汀 維 恆 達 潤 豐"),
    "vi": (
        "Khuê Đằng Nguyệt Trúc Quỳnh Sương Phượng Hạc Tùng Bích Thạch Diễm Lưu Ngàn",
        "Lĩnh Khê Điền Thảo Uyên Kiều Mộc Nhật Đức Yên Vũ Bưởi",
    ),
    "es": (
        "Alba Brisa Cumbre Duna Estero Lumbre Niebla Peña Roble Ñandú Viña Zarza Caña Páramo",
        "clara fría honda mora nueva parda rubia serena verde viva bermeja brava",
    ),
    "en": (
        "Lark Thorn Fen Alder Brack Crag Dun Elder Fallow Garth Heron Ivel Kestrel Lin Moss Nether Oak Pel Rook Sedge",
        "mere quay wick holt combe moor stow ley garth bourne hythe thwaite",
    ),
}

_FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "zh-Hans": {
        "feed": ("饲料", "饲料添加剂", "农牧科技", "动物营养"),
        "food": ("食品", "食品配料", "营养食品"),
        "pharma": ("医药", "制药", "药业"),
        "cosmetics": ("化妆品", "日化", "护肤科技"),
        "agrochemical": ("农化", "植物保护", "精细化工"),
        "trading": ("贸易", "进出口", "供应链管理", "国际贸易"),
    },
    "zh-Hant": {
        "feed": ("飼料", "飼料添加物", "動物營養"),
        "food": ("食品", "食品原料", "營養食品"),
        "pharma": ("製藥", "藥業", "生物醫藥"),
        "cosmetics": ("化妝品", "美妝科技"),
        "agrochemical": ("農化", "植物保護", "精細化學"),
        "trading": ("貿易", "國際貿易", "實業"),
    },
    "vi": {
        "feed": ("Thức ăn Chăn nuôi", "Dinh dưỡng Vật nuôi", "Thức ăn Thủy sản"),
        "food": ("Thực phẩm", "Phụ gia Thực phẩm", "Nguyên liệu Thực phẩm"),
        "pharma": ("Dược phẩm", "Hóa dược", "Dược liệu"),
        "cosmetics": ("Mỹ phẩm", "Hóa mỹ phẩm"),
        "agrochemical": ("Nông dược", "Hóa chất Nông nghiệp"),
        "trading": ("Thương mại Hóa chất", "Xuất nhập khẩu", "Thương mại và Dịch vụ"),
    },
    "es": {
        "feed": ("Nutrición Animal", "Alimentos Balanceados", "Premezclas y Piensos"),
        "food": ("Ingredientes Alimentarios", "Alimentos", "Molinería y Panificación"),
        "pharma": ("Laboratorios Farmacéuticos", "Química Farmacéutica"),
        "cosmetics": ("Cosmética", "Cosméticos y Perfumería"),
        "agrochemical": ("Agroquímicos", "Protección de Cultivos"),
        "trading": ("Comercializadora Química", "Distribución de Materias Primas", "Importaciones"),
    },
    "en": {
        "feed": ("Animal Nutrition", "Feed Ingredients", "Premix"),
        "food": ("Food Ingredients", "Foods", "Bakery & Milling"),
        "pharma": ("Pharmaceuticals", "Life Sciences", "Healthcare"),
        "cosmetics": ("Cosmetics", "Personal Care", "Skin Science"),
        "agrochemical": ("Crop Science", "Agrochemicals", "Fine Chemicals"),
        "trading": ("Trading", "Chemical Distribution", "Ingredients & Logistics"),
    },
}

_LEGAL: dict[str, tuple[str, ...]] = {
    "China": ("有限公司", "有限公司", "股份有限公司", "有限责任公司"),
    "Taiwan": ("股份有限公司", "有限公司"),
    "Hong Kong": ("有限公司",),
    "Vietnam": ("Công ty TNHH", "Công ty Cổ phần", "Công ty TNHH MTV"),
    "Mexico": ("S.A. de C.V.", "S. de R.L. de C.V."),
    "Spain": ("S.A.", "S.L."),
    "Colombia": ("S.A.S.", "Ltda."),
    "Peru": ("S.A.C.",),
    "Singapore": ("Pte Ltd",),
    "Germany": ("GmbH", "GmbH & Co. KG"),
    "Netherlands": ("B.V.",),
    "United States": ("Inc.", "LLC"),
    "Thailand": ("Co., Ltd.",),
}

_PLACES: dict[str, tuple[str, ...]] = {
    "East China": ("上海", "苏州", "杭州", "宁波", "济南", "青岛", "合肥", "南京", "无锡", "潍坊"),
    "South China": ("广州", "深圳", "佛山", "厦门", "南宁", "东莞", "惠州"),
    "North China": ("北京", "天津", "石家庄", "沈阳", "太原", "长春"),
    "West China": ("成都", "重庆", "西安", "昆明", "兰州", "贵阳"),
    "Taiwan": ("臺北", "臺中", "高雄", "新竹", "桃園", "臺南"),
    "Hong Kong": ("香港", "九龍", "新界"),
    "Vietnam": ("Bình Dương", "Đồng Nai", "Hà Nội", "Long An", "Cần Thơ", "Hải Phòng", "Đà Nẵng"),
    "Mexico": ("Monterrey", "Guadalajara", "Querétaro", "Mérida", "León", "Tepatitlán"),
    "Spain": ("Cataluña", "Aragón", "Murcia", "Logroño", "A Coruña", "Málaga"),
    "Colombia": ("Medellín", "Bogotá", "Cali", "Ibagué", "Popayán"),
    "Peru": ("Lima", "Trujillo", "Cañete"),
    "Singapore": ("Singapore", "Tuas", "Asia Pacific", "Jurong"),
    "Germany": ("Rheinland", "Württemberg", "Nord", "Thüringen"),
    "Netherlands": ("Europe", "Gelderland", "Zeeland"),
    "United States": ("Midwest", "Ohio", "Americas", "Carolina"),
    "Thailand": ("Thailand", "Chonburi", "Rayong"),
}

_LONG = {
    "vi": (
        "Công ty Trách nhiệm Hữu hạn Một thành viên Sản xuất, Thương mại và Dịch vụ Xuất nhập khẩu"
        " {field} {brand} – Chi nhánh {place}"
    ),
    "es": (
        "{brand} {place} – Distribuidora Internacional de Vitaminas, Aditivos y Especialidades para {field}, {legal}"
    ),
    "en": "{brand} International {field} Manufacturing and Distribution Company ({place}) {legal}",
}


def language(country: str) -> str:
    """Return the language of company names in a country: zh-Hans, zh-Hant, vi, es or en."""
    if country in ("Taiwan", "Hong Kong"):
        return "zh-Hant"
    if country in ("Mexico", "Spain", "Colombia", "Peru"):
        return "es"
    return {"China": "zh-Hans", "Vietnam": "vi"}.get(country, "en")


class Namer:
    """Hands out names; no two accounts get the same, and a brand belongs to one account or one group.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all choices.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._brands = {lang: self._shuffled(lang) for lang in _BRANDS}
        self._used: set[str] = set()

    def _shuffled(self, lang: str) -> Iterator[str]:
        first, second = (parts.split() for parts in _BRANDS[lang])
        joint = " " if lang == "vi" else ""
        brands = [joint.join(pair) for pair in product(first, second)]
        self._rng.shuffle(brands)
        return iter(brands)

    def _pick(self, options: tuple[str, ...]) -> str:
        return options[self._rng.integers(len(options))]

    def brand(self, country: str) -> str:
        """Return a brand that nobody has yet, in the script of the country."""
        return next(self._brands[language(country)])

    def group(self, brand: str, country: str) -> str:
        """Return the name of the group that carries a brand."""
        forms = {
            "zh-Hans": "{}集团",
            "zh-Hant": "{}集團",
            "vi": "Tập đoàn {}",
            "es": "Grupo {}",
            "en": "{} Group",
        }
        return forms[language(country)].format(brand)

    def account(self, brand: str, country: str, region: str, industry: str, long: bool) -> str:
        """Return a new company name; `long` ones have 60 characters or more, except in Chinese."""
        while True:
            name = self._compose(brand, country, region, industry, long)
            if name not in self._used:
                self._used.add(name)
                return name

    def _compose(self, brand: str, country: str, region: str, industry: str, long: bool) -> str:
        lang = language(country)
        parts = {
            "brand": brand,
            "field": self._pick(_FIELDS[lang][industry]),
            "legal": self._pick(_LEGAL[country]),
            "place": self._pick(_PLACES[region if country == "China" else country]),
        }
        if lang in ("zh-Hans", "zh-Hant"):
            form = "{place}{brand}{field}{legal}"
        elif long:
            form = _LONG[lang]
        elif lang == "vi":
            form = self._pick(("{legal} {field} {brand}", "{legal} {field} {brand} {place}"))
        elif lang == "es":
            form = self._pick(("{field} {brand}, {legal}", "{brand} {field} {place}, {legal}"))
        else:
            form = self._pick(("{brand} {field} {legal}", "{brand} {field} ({place}) {legal}"))
        return form.format(**parts)
