"""What headers probably mean, in English, Vietnamese, Chinese and Spanish: to be shown, never to be trusted."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kamlab.errors import DataError
from kamlab.parsing import GROUPING, YEARS, date_format_of, parse_date
from kamlab.sources import RawTable
from kamlab.sources.formats import bare

LOG_WORDS: dict[str, str] = {
    "account": "customer id, customer number, customer no, customer code, account id, account number, client id, "
    "sold to party, customer, account, client, company, buyer, sold to, bill to, customer name, account name, "
    "mã khách hàng, mã kh, khách hàng, tên khách hàng, 客户编号, 客户代码, 客户id, 客户号, 客户, 客户名称, 购货单位, "
    "客戶編號, 客戶, código cliente, id cliente, nº cliente, numero cliente, solicitante, cliente, nombre cliente, "
    "cust",
    "order_date": "order date, date, purchase date, transaction date, posting date, sales date, ngày đặt hàng, ngày, "
    "ngày bán, ngày chứng từ, 订单日期, 下单日期, 日期, 单据日期, 销售日期, 訂單日期, fecha pedido, fecha de pedido, "
    "fecha, fecha venta, day",
    "delivery_date": "delivery date, shipping date, ship date, shipped date, ngày giao hàng, ngày giao, 发货日期, "
    "交货日期, 出库日期, fecha entrega, fecha de entrega, fecha envío",
    "invoice_date": "invoice date, billing date, ngày hóa đơn, ngày xuất hóa đơn, 发票日期, 开票日期, fecha factura, "
    "fecha de factura",
    "amount": "net amount, amount, net value, line total, net, extended price, ext price, extended amount, "
    "line amount, revenue, sales, sales amount, turnover, value, total, grand total, thành tiền, doanh thu, số tiền, "
    "tổng tiền, 金额, 销售额, 销售金额, 不含税金额, 收入, 金額, 价税合计, 含税金额, importe, importe neto, monto, "
    "ventas, valor, total línea",
    "price": "unit price, price, price each, đơn giá, giá, 单价, 價格, 价格, 單價, precio, precio unitario",
    "quantity": "quantity, qty, quantity ordered, units, pieces, số lượng, sl, 数量, 數量, cantidad, unidades",
    "cost": "cost, line cost, cost of goods, total cost, cogs, giá vốn, 成本, 成本金额, coste, costo",
    "unit_cost": "unit cost, buy price, purchase price, cost price, giá mua, 采购价, 进价, 成本单价, coste unitario, "
    "costo unitario, precio compra",
    "order_id": "order id, order number, order no, order, invoice, invoice no, invoice number, mã đơn hàng, "
    "số đơn hàng, số hóa đơn, số hđ, số chứng từ, số phiếu, 订单号, 订单编号, 发票号, 单据号, 单据编号, 訂單號, "
    "pedido, número pedido, nº pedido, factura, nº factura, nº documento, document no, document number, voucher no",
    "line_id": "line id, transaction id, mã dòng, 行号, 明细号, id línea",
    "product": "product, product id, product code, product name, item, item no, sku, article, stock code, sản phẩm, "
    "mã sản phẩm, mã hàng, tên hàng, 产品, 产品编号, 产品名称, 商品, 货号, 產品, producto, código producto, artículo, "
    "material",
    "product_line": "product line, product group, category, category name, product category, nhóm hàng, ngành hàng, "
    "产品线, 产品类别, 类别, 產品線, línea producto, línea de producto, categoría, familia",
    "currency": "currency, currency code, tiền tệ, loại tiền, 币种, 货币, 幣別, moneda, divisa",
    "tax": "tax, vat, tax amount, vat amount, thuế, tiền thuế, thuế gtgt, tiền thuế gtgt, 税额, 稅額, impuesto, iva",
    "status": "status, order status, trạng thái, tình trạng, 状态, 订单状态, 狀態, estado, estado pedido",
}
"""Ledger column → names that a source may give it, the most telling first."""

MASTER_WORDS: dict[str, str] = {
    "account": LOG_WORDS["account"],
    "name": "name, customer name, company name, account name, company, tên khách hàng, tên công ty, tên, 客户名称, "
    "公司名称, 名称, 客戶名稱, nombre, nombre cliente, razón social, empresa",
    "parent": "parent, parent id, group, subsidiary of, công ty mẹ, 上级客户, 集团, 母公司, grupo, matriz",
    "channel": "channel, sales channel, kênh, kênh bán hàng, 渠道, 销售渠道, canal",
    "industry": "industry, sector, ngành, ngành nghề, 行业, 所属行业, 產業, industria",
    "region": "region, vùng, khu vực, tỉnh/thành phố, tỉnh/tp, tỉnh, 地区, 区域, 大区, 地區, región, zona, provincia",
    "country": "country, quốc gia, nước, 国家, 國家, país",
    "territory": "territory, địa bàn, 片区, territorio",
    "size": "size, size class, quy mô, 规模, 規模, tamaño",
    "owner": "owner, account owner, sales rep, sales rep employee number, salesperson, sales agent, account manager, "
    "nhân viên, nhân viên kinh doanh, nhân viên phụ trách, người phụ trách, 负责人, 业务员, 销售员, 客户经理, "
    "負責人, vendedor, comercial, comercial asignado, responsable",
    "declared_potential": "potential, declared potential, tiềm năng, 潜力, 潛力, potencial",
}
"""Column of the account master → names that a source may give it."""

_LEFT_OUT = (
    "cancelled, canceled, void, voided, hủy, huỷ, đã hủy, đã huỷ, 取消, 已取消, 作废, 已作废, anulado, anulada, "
    "cancelado, cancelada"
)
_NUMBER = re.compile(rf"[+-]?[0-9][0-9{GROUPING}]*(?:e[+-]?[0-9]+)?", re.I)
_UNITS = {
    1_000: "thousand, thousands, in thousands, 000, k, nghìn, nghìn đồng, ngàn đồng, 千, 千元, miles, miles de euros",
    10_000: "万, 万元, 萬, 萬元",
    1_000_000: "million, millions, in millions, triệu, triệu đồng, tr đ, 百万, 百万元, millones, millones de euros",
    100_000_000: "亿, 亿元, 億, 億元",
    1_000_000_000: "billion, billions, tỷ, tỷ đồng",
}
_IN_BRACKETS = re.compile(r"\s*[(（\[](?P<unit>[^()（）\[\]]*)[)）\]]\s*$")
_TAXED = "含税, 价税合计, incl tax, incl vat, including tax, including vat, gồm thuế, có thuế, con iva, iva incl"
DATES = ("order_date", "delivery_date", "invoice_date")
SAMPLE_ROWS = 1000
SHARE = 0.5
"""A guess by name is dropped where fewer of a column's values than this can be read as what it should hold."""


def plain(name: str) -> str:
    """Return a header without case, accents, blanks and signs: "Mã KH" is "makh"."""
    folded = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return re.sub(r"[\W_]", "", "".join(c for c in folded if not unicodedata.combining(c)))


LEFT_OUT_STATUS = frozenset(plain(word) for word in _LEFT_OUT.split(","))
"""Values of a status that are probably those of orders to leave out."""


def unit_of(header: str) -> tuple[str, int]:
    """Return the unit that a header names in brackets, and how many times the plain one it is: 金额（万元）, 10,000.

    An empty unit and 1 where it names none, or a currency alone.
    """
    found = _IN_BRACKETS.search(header)
    for times, words in _UNITS.items():
        if found and plain(found["unit"]) in {plain(word) for word in words.split(",")}:
            return found["unit"].strip(), times
    return "", 1


def is_taxed(header: str) -> bool:
    """Whether a header says that its amounts include tax."""
    said = plain(header)
    return "不含税" not in said and any(plain(word) in said for word in _TAXED.split(","))


def _meaning(header: str) -> str:
    """Return a header as it is compared with words: a unit in brackets is none of its meaning."""
    return plain(_IN_BRACKETS.sub("", header)) or plain(header)


@dataclass(frozen=True)
class Guess:
    """What a table's columns probably are.

    Attributes
    ----------
    columns : dict of str to str
        Table column → the one source column that fits best.
    unclear : dict of str to list of str
        Table column → source columns of which none fits better than another.
    others : dict of str to list of str
        Table column → source columns that could be it as well, but fit less.
    refuted : dict of str to str
        Table column → why a column of that name cannot be it.
    """

    columns: dict[str, str]
    unclear: dict[str, list[str]]
    others: dict[str, list[str]]
    refuted: dict[str, str]


def guess(header: Sequence[str], words: Mapping[str, str]) -> Guess:
    """Guess columns by their names alone.

    Where no whole name fits, the lower part of a header with two rows may: "Amount Sales" beside "Amount Units".
    """
    columns: dict[str, str] = {}
    unclear: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    whole = {name: _meaning(name) for name in header}
    upper = Counter(name.partition(" ")[0] for name in header)
    lower = {name: plain(name.partition(" ")[2]) for name in header if upper[name.partition(" ")[0]] > 1}
    for key, names in words.items():
        ranks = {plain(word): rank for rank, word in reversed(list(enumerate(names.split(","))))}
        called = whole if ranks.keys() & set(whole.values()) else lower
        fits = sorted((ranks[said], name) for name, said in called.items() if said in ranks)
        if not fits:
            continue
        best = [name for _, name in fits if called[name] == called[fits[0][1]]]
        if len(best) > 1:
            unclear[key] = best
        else:
            columns[key] = best[0]
            others[key] = [name for _, name in fits[1:]]
    return Guess(columns, unclear, others, {})


def guess_log(raw: RawTable) -> Guess:
    """Guess the columns of a transaction log by their names, and drop those whose values are something else.

    Where no name tells which column holds the date, the values do.
    """
    found = guess(raw.columns, LOG_WORDS)
    columns, unclear, refuted = dict(found.columns), dict(found.unclear), {}
    if not (columns.keys() | unclear.keys()) & set(DATES):
        days = [name for name in raw.columns if _is_date(raw, name)]
        columns |= {"order_date": days[0]} if len(days) == 1 else {}
        unclear |= {"order_date": days} if len(days) > 1 else {}
    for key, name in found.columns.items():
        reason = _refuted(raw, key, name)
        if reason:
            refuted[key] = reason
            del columns[key]
    return Guess(columns, unclear, found.others, refuted)


def _sample(raw: RawTable, name: str) -> list[str]:
    return [v.strip() for v in raw.rows[name].slice(0, SAMPLE_ROWS).to_pylist() if v and v.strip()]


def _is_date(raw: RawTable, name: str) -> bool:
    """Whether all values of a column are dates, and are written as such: 20240131 may be a number."""
    values = _sample(raw, name)
    return bool(values) and not any(v.isdigit() for v in values) and _dates(values) == len(values)


def _refuted(raw: RawTable, key: str, name: str) -> str:
    values = _sample(raw, name)
    if not values:
        return f'"{name}" is empty'
    if key.endswith("date"):
        good = _dates(values)
        return "" if good >= SHARE * len(values) else f'"{name}" holds no dates ("{values[0]}")'
    if key in ("amount", "price", "quantity", "cost", "unit_cost", "tax"):
        good = sum(bool(_NUMBER.fullmatch(value)) for value in _bare(values))
        return "" if good >= SHARE * len(values) else f'"{name}" holds no numbers ("{values[0]}")'
    return ""


def _bare(values: list[str]) -> list[str]:
    import pyarrow as pa

    return bare(pa.chunked_array([pa.array(values, pa.string())])).to_pylist()


def _dates(values: list[str]) -> int:
    import pandas as pd

    try:
        found = date_format_of(values, where="")
    except DataError:  # dates, only of an order that nobody can tell
        return len(values)
    days = parse_date(pd.Series(values, dtype="str"), found)
    return int(days.dt.year.between(*YEARS).sum())
