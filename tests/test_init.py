"""`kamlab init`: headers guessed in four languages, shown, left open where ambiguous, never trusted by itself."""

import os
import shutil
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from kamlab import cli, config
from kamlab.checks import check_data
from kamlab.errors import ConfigError, DataError
from kamlab.guess import LOG_WORDS, MASTER_WORDS, guess, guess_log, plain
from kamlab.guess_tables import FIELD_WORDS, FILE_WORDS, guess_table
from kamlab.runs import run
from kamlab.sources import from_frame
from kamlab.start import confirm, write_configuration
from kamlab.tables import SCHEMAS

CASES = os.environ.get("KAMLAB_CASES")

HEADERS = {
    "en": ("Customer ID", "Order Date", "Net Amount", "Product Name"),
    "vi": ("Mã khách hàng", "Ngày đặt hàng", "Thành tiền", "Tên hàng"),
    "zh": ("客户编号", "订单日期", "金额", "产品名称"),
    "es": ("Código cliente", "Fecha pedido", "Importe", "Producto"),
}
MASTERS = {
    "en": ("Customer No", "Customer Name", "Account Manager", "Country"),
    "vi": ("Mã KH", "Tên khách hàng", "Người phụ trách", "Quốc gia"),
    "zh": ("客户代码", "客户名称", "业务员", "国家"),
    "es": ("Nº cliente", "Razón social", "Vendedor", "País"),
}


@pytest.mark.parametrize("lang", HEADERS)
def test_headers_are_guessed(lang):
    account, day, net, product = HEADERS[lang]
    assert guess(HEADERS[lang], LOG_WORDS).columns == {
        **{"account": account, "order_date": day, "amount": net, "product": product}
    }
    account, name, owner, country = MASTERS[lang]
    expected = {"account": account, "name": name, "owner": owner, "country": country}
    assert guess(MASTERS[lang], MASTER_WORDS).columns == expected


def test_headers_of_a_wholesaler_are_guessed():
    headers = ("Số HĐ", "Ngày HĐ", "Mã KH", "Thành tiền")
    assert guess(headers, LOG_WORDS).columns["order_id"] == "Số HĐ"
    master = guess(("Mã KH", "Tỉnh/TP", "Nhân viên phụ trách"), MASTER_WORDS).columns
    assert master == {"account": "Mã KH", "region": "Tỉnh/TP", "owner": "Nhân viên phụ trách"}
    assert guess(("Nº cliente", "Provincia", "Comercial asignado"), MASTER_WORDS).columns == {
        **{"account": "Nº cliente", "region": "Provincia", "owner": "Comercial asignado"}
    }


def test_no_word_means_two_things():
    for words in (LOG_WORDS, MASTER_WORDS):
        seen = {}
        for key, names in words.items():
            for word in {plain(name) for name in names.split(",")}:
                assert seen.setdefault(word, key) == key or {key, seen[word]} == {"account", "name"}, word


def test_a_column_that_holds_something_else_is_not_taken():
    frame = pd.DataFrame({"Customer": ["A"], "Date": ["soon"], "Amount": ["a lot"], "Total": ["5"]})
    found = guess_log(from_frame(frame))
    assert found.columns == {"account": "Customer"}
    assert found.refuted == {
        "order_date": '"Date" holds no dates ("soon")',
        "amount": '"Amount" holds no numbers ("a lot")',
    }


def folder(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    return tmp_path


def test_what_is_ambiguous_stays_a_comment_with_its_reason(tmp_path):
    log = "Customer ID,customer_id,Order Date,Ship Date,Amount\nA,1,03/04/2005,05/04/2005,1.234\n"
    path, said = write_configuration(folder(tmp_path, log=log))
    text = path.read_text("utf-8")
    assert '# columns.account = "Customer ID"' in text
    assert 'account may be "Customer ID" or "customer_id"' in said
    assert '"03/04/2005" may have the day first or the month' in said
    assert '"1.234" may be 1234 or 1.234' in said
    assert '# date_format = "%d/%m/%Y"' in text
    assert 'The date could be "Ship Date" as well' in text
    with pytest.raises(DataError, match='No column is named for "account"'):
        check_data(tmp_path)


def test_a_folder_without_a_log_is_said(tmp_path):
    with pytest.raises(DataError, match="can be a transaction log") as caught:
        write_configuration(folder(tmp_path, colours="colour,shade\nred,1\n", broken="a,b\n"))
    assert "colours.csv: colour, shade" in str(caught.value)
    assert "broken.csv cannot be read" in str(caught.value)
    assert not (tmp_path / "kamlab.toml").exists()
    write_configuration(folder(tmp_path, orders=LOG))
    with pytest.raises(ConfigError, match="never overwrites it"):
        write_configuration(tmp_path)
    empty = tmp_path / "none"
    empty.mkdir()
    with pytest.raises(DataError, match="holds no data"):
        write_configuration(empty)


LOG = "Mã khách hàng;Ngày;Doanh thu\n" + "".join(
    f"KH{i % 40};{i % 28 + 1:02d}/{i % 12 + 1:02d}/2024;1.{i:03d},50\n" for i in range(480)
)


SPANISH = {
    "ventas_2024": "Fecha pedido;Código cliente;Cantidad;Importe;Estado\n"
    + "".join(f"{i % 28 + 1:02d}/{i % 12 + 1:02d}/2024;C{i % 40};1.{i:03d};{i},50;Servido\n" for i in range(480))
    + "05/05/2024;C1;1;9,50;Anulado\n",
    "ventas_2025": "Fecha pedido;Código cliente;Cantidad;Importe;Estado\n" + "03/02/2025;C1;1;9,50;Servido\n" * 30,
    "clientes": "Código cliente;Razón social;Vendedor;Potencial\n"
    + "".join(f"C{i};Peña {i} S.L.;Inés Cano;{i}.000,00\n" for i in range(1, 40)),
    "facturas": "Nº factura;Código cliente;Fecha factura;Vencimiento;Importe\n"
    "F1;C1;28/02/2025;31/03/2025;1.000,50\nF2;C1;01/03/2025;31/03/2025;20,50\n",
    "cobros": "Nº pago;Código cliente;Fecha;Importe;Nº factura\nG1;C1;15/03/2025;1.000,50;F1\nG2;C1;16/03/2025;1;F2\n",
    "oportunidades": "Oportunidad;Código cliente;Etapa;Fecha apertura;Valor\n"
    "O1;C2;Ganada;13/01/2025;5,5\nO2;C2;Abierta;14/01/2025;7\n",
    "notas": "tema;texto\na;b\n",
}


def test_a_spanish_company_in_several_files(tmp_path):
    path, said = write_configuration(folder(tmp_path, **SPANISH))
    text = path.read_text("utf-8")
    assert 'path = "ventas_202*.csv"' in text
    assert "all files that match ventas_202*.csv have the same columns and are read as one log" in said
    # 1.022 alone may be a thousand; the amounts of the same file tell that it is.
    assert "Still to settle" not in said
    assert "numbers written like 1.234,50 (found)" in text
    assert '# exclude = { Estado = ["Anulado"] }' in text
    assert 'orders with "Anulado" in "Estado" count as sales' in said
    assert "not used, because nothing tells what they hold: notas.csv" in said
    assert "as_of = 2025-02-03" in text
    confirm(path)
    settings = config.load(path)
    assert settings.source.accounts.columns["declared_potential"] == "Potencial"
    assert settings.source.invoices.columns == {
        **{"invoice": "Nº factura", "account": "Código cliente", "date": "Fecha factura", "due": "Vencimiento"},
        "amount": "Importe",
    }
    assert set(settings.source.side_tables) == {"invoices", "payments", "prospects"}
    assert settings.source.prospects.columns["stage"] == "Etapa"
    found = check_data(tmp_path)
    assert "Read 511 lines, 115,494.50" in found.text
    assert "Table payments (payments received): 2 rows read, 0 used, 2 of later days left out" in found.text


def test_a_workbook_with_a_sheet_for_each_table(tmp_path):
    book = openpyxl.Workbook()
    book.remove(book.active)
    sheets = {
        "销售明细": [
            ["客户编号", "日期", "金额"],
            *([f"K{i % 9}", date(2024, 1 + i % 12, 5), 10 + i] for i in range(60)),
        ],
        "客户": [["客户编号", "客户名称", "业务员"], *([f"K{i}", f"公司{i}", "李娜"] for i in range(9))],
        "收款": [["客户编号", "收款日期", "金额"], ["K1", date(2024, 3, 1), 11], ["K1", date(2024, 4, 1), 12]],
    }
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "数据.xlsx")
    path, _ = write_configuration(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kamlab.toml", "数据.xlsx"]
    confirm(path)
    source = config.load(path).source
    found = {"transactions": source.transactions, "accounts": source.accounts, "payments": source.payments}
    assert {name: (table.path, table.sheet) for name, table in found.items()} == {
        "transactions": ("数据.xlsx", "销售明细"),
        "accounts": ("数据.xlsx", "客户"),
        "payments": ("数据.xlsx", "收款"),
    }
    # 60 amounts from 10 to 69.
    assert "Read 60 lines, 2,370.00" in check_data(tmp_path).text


def test_every_optional_table_can_be_guessed():
    assert set(FILE_WORDS) == set(SCHEMAS)
    assert {field.name for schema in SCHEMAS.values() for field in schema.fields} == set(FIELD_WORDS)


@pytest.mark.parametrize(
    ("file", "header", "name"),
    [
        ("Payments 2025.csv", "customer,payment date,amount", "payments"),
        ("hóa đơn.xlsx", "Số hóa đơn,Mã khách hàng,Ngày hóa đơn,Số tiền", "invoices"),
        ("业务员.csv", "业务员,团队", "owners"),
        ("quejas.csv", "Cliente,Fecha,Motivo", "complaints"),
        ("payments.csv", "colour,shade", None),
        ("other.csv", "customer,payment date,amount", None),
    ],
)
def test_tables_are_guessed_by_file_and_header(file, header, name):
    found = guess_table(file, from_frame(pd.DataFrame([["1"] * 4][:1], columns=(header + ",,,").split(",")[:4])))
    assert (found and found[0]) == name


def test_nothing_is_reported_before_its_reader_has_confirmed(tmp_path):
    path, _ = write_configuration(folder(tmp_path, don_hang=LOG))
    found = check_data(tmp_path, as_of="2024-12-28")
    assert "No report can be made: The columns of this configuration were guessed by kamlab init" in found.text
    assert found.faults
    assert "dates written like 31/12/2025 (Ngày) (found)" in found.text
    assert "numbers written like 1.234,50 (found)" in found.text
    # 480 amounts from 1,000.50 to 1,479.50.
    assert "Read 480 lines, 595,200.00" in found.text
    with pytest.raises(ConfigError, match="set confirmed = true"):
        run(path, as_of="2024-12-28", out=tmp_path / "reports")
    confirm(path)
    assert config.load(path).source.confirmed
    assert "were guessed by kamlab init" not in check_data(tmp_path, as_of="2024-12-28").text


def test_the_command_works_without_a_terminal(tmp_path):
    folder(tmp_path, orders=LOG)
    done = CliRunner().invoke(cli.app, ["init", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0
    assert 'columns.account = "Mã khách hàng"' in done.stdout
    assert not config.load(tmp_path / "kamlab.toml").source.confirmed
    (tmp_path / "kamlab.toml").unlink()
    done = CliRunner().invoke(cli.app, ["init", str(tmp_path), "--yes"], catch_exceptions=False)
    assert done.stdout.endswith("Confirmed.\n")
    assert config.load(tmp_path / "kamlab.toml").source.confirmed


@pytest.mark.skipif(not CASES, reason="KAMLAB_CASES does not name the folder of real data")
def test_tables_that_belong_together_are_joined(tmp_path):
    for file in Path(CASES, "classicmodels").glob("*.csv"):
        shutil.copy(file, tmp_path)
    path, _ = write_configuration(tmp_path)
    text = path.read_text("utf-8")
    assert (
        'joins = [{ path = "orders.csv", on = "orderNumber" }, { path = "products.csv", on = "productCode" }]' in text
    )
    assert 'columns.amount = "quantityOrdered * priceEach"' in text
    assert (
        '# exclude = { status = ["Cancelled"] }   # orders to leave out; there are "Shipped", "Resolved", "Cancelled"'
        in text
    )
    assert '[source.accounts]\npath = "customers.csv"' in text
    assert 'columns.owner = "salesRepEmployeeNumber"' in text
    assert '[source.payments]\npath = "payments.csv"' in text
    assert "as_of = 2005-05-31" in text
    confirm(path)
    found = check_data(tmp_path)
    assert "Read 2,996 lines, 9,604,190.61" in found.text
    assert not found.faults
