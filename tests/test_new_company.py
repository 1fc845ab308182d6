"""Folders of companies that nobody has seen before: configured by `kamlab init` alone, read to the last cent."""

import sqlite3
import unicodedata
from datetime import date

import duckdb
import openpyxl
import pandas as pd
import pytest

from kamlab import config, inputs
from kamlab.checks import check_data
from kamlab.start import confirm, write_configuration

N = 240
DAYS = [date(2024, 1 + i % 12, 1 + i % 28) for i in range(N)]
WHO = [i % 12 for i in range(N)]
# From 1,000.25 on, by 10 each: 240 × 1,000.25 + 10 × (0 + … + 239) = 526,860.
AMOUNTS = [f"{1000.25 + 10 * i:.2f}" for i in range(N)]
SUM = "Read 240 lines, 526,860.00"


def continental(amount):
    whole, cents = amount.split(".")
    return f"{int(whole):,}".replace(",", ".") + "," + cents


def vietnamese(text):
    """Encode as cp1258, which writes tones behind their letters."""
    found = []
    for letter in text:
        try:
            found.append(letter.encode("cp1258"))
        except UnicodeEncodeError:
            base, *marks = unicodedata.normalize("NFD", letter)
            tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
            others = [mark for mark in marks if mark not in tones]
            found.append("".join([unicodedata.normalize("NFC", base + "".join(others)), *tones]).encode("cp1258"))
    return b"".join(found)


def vietnam(folder):
    rows = [
        f"HD{i};{day:%d/%m/%Y};Khách số {who};{continental(n)};Vật tư;1,00"
        for i, (day, who, n) in enumerate(zip(DAYS, WHO, AMOUNTS, strict=True))
    ]
    text = "\r\n".join(["Số chứng từ;Ngày chứng từ;Mã KH;Thành tiền;Nhóm hàng;Thuế GTGT", *rows])
    (folder / "bán hàng.csv").write_bytes(vietnamese(text))
    # The master comes from another program, which writes UTF-8.
    master = ["Mã KH,Tên khách hàng,Tiềm năng", *(f"Khách số {i},Công ty {i},{5000 + i}" for i in range(12))]
    (folder / "khách hàng.csv").write_text("\n".join(master), "utf-8")
    return {"account": "Mã KH", "date": "Ngày chứng từ", "amount": "Thành tiền", "order_id": "Số chứng từ"}


def china(folder):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, part in (("上半年", range(120)), ("下半年", range(120, N))):
        sheet = book.create_sheet(name)
        sheet.append(["销售明细表"])
        sheet.append(["订单", None, "客户", None, "金额", None])
        sheet.append(["编号", "日期", "编号", "名称", "数量", "销售额"])
        for i in part:
            sheet.append([f"D{i}", DAYS[i], f"K{WHO[i]}", f"公司{WHO[i]}", 2, float(AMOUNTS[i])])
        for cells in ("A1:F1", "A2:B2", "C2:D2", "E2:F2"):
            sheet.merge_cells(cells)
    book.save(folder / "销售.xlsx")
    master = "客户编号,客户名称,业务员\n" + "".join(f"K{i},公司{i},李娜\n" for i in range(12))
    (folder / "客户.csv").write_bytes(master.encode("gbk"))
    return {"account": "客户 编号", "date": "订单 日期", "amount": "金额 销售额", "quantity": "金额 数量"}


def spain(folder):
    lines = list(zip(DAYS, WHO, AMOUNTS, strict=True))
    sales = ["Nº factura;Fecha factura;Cliente;Importe neto;Año"]
    sales += [f"F{i};{day:%d-%m-%y};Peña {who};{continental(n)};2024" for i, (day, who, n) in enumerate(lines)]
    bills = ["Nº factura;Cliente;Fecha;Vencimiento;Importe;En disputa"]
    bills += [f"F{i};Peña {who};{d:%d-%m-%y};31-12-25;{continental(n)};sí" for i, (d, who, n) in enumerate(lines)]
    (folder / "ventas.csv").write_bytes("\r".join(sales).encode("mac_roman"))
    (folder / "facturas.csv").write_bytes("\r".join(bills).encode("mac_roman"))
    return {"account": "Cliente", "date": "Fecha factura", "amount": "Importe neto", "order_id": "Nº factura"}


def england(folder):
    # The total of an order is none of its lines'.
    orders = [f"{i},{WHO[i]},{DAYS[i]},{'Shipped' if i else 'On Hold'},{AMOUNTS[i]}" for i in range(N)]
    lines = [f"{i},P{i % 5},2,{float(AMOUNTS[i]) / 2:.3f}" for i in range(N)]
    (folder / "orders.csv").write_text("\n".join(["Order No,Customer No,Order Date,Status,Total", *orders]))
    (folder / "order_lines.csv").write_text("\n".join(["Order No,Item No,Qty,Unit Price", *lines]))
    items = [f"P{i},Pumps,{i + 1}" for i in range(5)]
    (folder / "items.csv").write_text("\n".join(["Item No,Category,Unit Cost", *items]))
    master = [f'{i},"Smith & Co {i}, Ltd",Ann' for i in range(12)]
    (folder / "customers.csv").write_text("\n".join(["Customer No,Customer Name,Account Manager", *master]))
    return {
        **{"account": "Customer No", "date": "Order Date", "amount": "Qty * Unit Price", "cost": "Qty * Unit Cost"},
        **{"product": "Item No", "product_line": "Category"},
    }


ROWS = [(f"C{who}", str(day), float(n)) for who, day, n in zip(WHO, DAYS, AMOUNTS, strict=True)]
BY_VALUES = {"account": "customer", "date": "sold_on", "amount": "net"}
"""What a date is called that no word list knows: its values tell."""


def sqlite(folder):
    with sqlite3.connect(folder / "erp.db") as opened:
        opened.execute("CREATE TABLE sales (customer TEXT, sold_on TEXT, net REAL)")
        opened.executemany("INSERT INTO sales VALUES (?, ?, ?)", ROWS)
        opened.execute("CREATE TABLE customers (customer TEXT, name TEXT)")
        opened.executemany("INSERT INTO customers VALUES (?, ?)", [(f"C{i}", f"Name {i}") for i in range(12)])
    opened.close()
    # Windows leaves this beside pictures.
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    return BY_VALUES


def a_duckdb(folder):
    with duckdb.connect(str(folder / "erp.duckdb")) as opened:
        opened.execute("CREATE TABLE sales (customer TEXT, sold_on DATE, net DECIMAL(18,2))")
        opened.executemany("INSERT INTO sales VALUES (?, ?, ?)", ROWS)
    return BY_VALUES


def parquet_by_month(folder):
    frame = pd.DataFrame(ROWS, columns=["customer_id", "order_date", "net_amount"])
    for month, part in frame.groupby(frame["order_date"].str[5:7]):
        to = folder / "sales" / f"year=2024/month={month}"
        to.mkdir(parents=True)
        part.to_parquet(to / "part-0.parquet", index=False)
    (folder / "customers.csv").write_text("customer_id,name\n" + "".join(f"C{i},Name {i}\n" for i in range(12)))
    return {"account": "customer_id", "date": "order_date", "amount": "net_amount"}


COMPANIES = (vietnam, china, spain, england, sqlite, a_duckdb, parquet_by_month)


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.__name__)
def test_a_company_needs_no_edit(company, tmp_path):
    columns = company(tmp_path)
    path, said = write_configuration(tmp_path)
    assert "Still to settle" not in said
    settings = config.load(path)
    assert settings.source.transactions.columns.items() >= columns.items()
    confirm(path)
    found = check_data(tmp_path)
    assert SUM in found.text
    assert "quarantined 0 lines, 0.00" in found.text
    assert f"A report can be made: kamlab report --config {path}" in found.text
    if settings.source.accounts is not None:
        assert "Account master: 12 accounts, 0 without a line up to the as-of date" in found.text
        assert "are not in it" not in found.text
    else:
        assert company in (spain, a_duckdb)


def test_what_init_leaves_to_its_reader_is_said(tmp_path):
    vietnam(tmp_path)
    path, said = write_configuration(tmp_path)
    assert "12 declared potentials have no date: they count on every day." in check_data(tmp_path).text
    assert '"Thuế GTGT" is left alone, as the tax on top of net amounts' in said
    assert 'no currency is known, so that money is printed without one; set currency = "…"' in said
    assert 'bán hàng.csv: encoding cp1258 (found), delimiter ";" (found), line ends CRLF, for example "Số"' in said
    assert "numbers written like 1.234,50 (found)" in said
    assert "dates written like 31/12/2025 (Ngày chứng từ) (found)" in said
    # 240 × 1.00 of tax, once the reader says that amounts include it.
    path.write_text(path.read_text("utf-8").replace("# columns.tax", "columns.tax"), "utf-8")
    assert "Read 240 lines, 526,620.00" in check_data(tmp_path).text


def test_an_invoice_list_is_the_log_where_nothing_else_can_be(tmp_path):
    spain(tmp_path)
    (tmp_path / "ventas.csv").unlink()
    path, _ = write_configuration(tmp_path)
    assert config.load(path).source.transactions.path == "facturas.csv"
    (tmp_path / "kamlab.toml").unlink()
    spain(tmp_path)
    path, _ = write_configuration(tmp_path)
    source = config.load(path).source
    assert (source.transactions.path, source.transactions.joins) == ("ventas.csv", [])
    assert source.invoices.columns["disputed"] == "En disputa"


def test_files_with_brackets_in_their_names_are_one_log(tmp_path):
    rows = [f"C{who},{day},{n}" for who, day, n in zip(WHO, DAYS, AMOUNTS, strict=True)]
    for number, part in (("[1]", rows[:120]), ("[2]", rows[120:])):
        (tmp_path / f"sales {number}.csv").write_text("\n".join(["customer,date,amount", *part]))
    _, said = write_configuration(tmp_path)
    assert "all files that match sales [[]*.csv have the same columns" in said
    assert SUM in check_data(tmp_path / "kamlab.toml").text


def test_folders_of_parquet_say_something_of_their_rows(tmp_path):
    parquet_by_month(tmp_path)
    table = config.Transactions(
        path="sales", columns={"account": "customer_id", "date": "order_date", "product_line": "month"}
    )
    for exclude, rows in (({}, N), ({"month": ["01"]}, 20)):
        settings = config.Config(
            company=config.Company(name="X"),
            source=config.Source(transactions=table.model_copy(update={"exclude": exclude})),
            base=tmp_path,
        )
        ledger, _ = inputs.read_lines(settings)
        lines = ledger.lines.to_pandas()
        # 20 lines a month; "01" is no number.
        assert lines.groupby("product_line").size().to_dict() == {f"{m:02d}": 20 for m in range(1, 13)}
        assert (lines["product_line"] == lines["date"].astype(str).str[5:7]).all()
        assert lines["source"].iloc[0] == "month=01/part-0.parquet"
        assert (lines["kind"] == "excluded").sum() == (rows if exclude else 0)


def test_a_folder_that_is_one_table_is_read_whole(tmp_path):
    parquet_by_month(tmp_path)
    path, _ = write_configuration(tmp_path / "sales")
    assert config.load(path).source.transactions.path == "."
    assert SUM in check_data(path).text
