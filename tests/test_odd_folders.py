"""Folders of data as programs of four countries export them: init and check as a new user would run them."""

import pytest

from kamlab import config
from kamlab.checks import check_data
from kamlab.errors import DataError
from kamlab.start import confirm, write_configuration


def folder(tmp_path, **files):
    found = tmp_path / "company"
    found.mkdir()
    for name, (text, encoding) in files.items():
        (found / f"{name}.csv").write_bytes(text.encode(encoding))
    return found


def begun(found, as_of="2025-12-31"):
    path, said = write_configuration(found)
    confirm(path)
    return config.load(path).source, said, check_data(path, as_of=as_of).text


DAYS = [(month, day) for month in range(1, 13) for day in (3, 14, 25)]


def test_a_spanish_export_with_titles_subtotals_and_signs_behind(tmp_path):
    lines = [
        "Aceros del Duero S.A.;;;;",
        "Ventas por cliente;;;;",
        ";;;;",
        "Factura;Fecha factura;Solicitante;Material;Importe neto",
    ]
    for i, (month, day) in enumerate(DAYS):
        amount = {5: "1.000,50-", 7: "(2.000,25)"}.get(i, f"1.{i:03d},00")
        lines.append(f"90{i:04d};{day:02d}.{month:02d}.2025;{100 + i % 4:010d};Viga Núñez {i % 3};{amount}")
        if day == 25:
            lines.append(f";;;* Subtotal {month:02d}.2025;3.003,00")
    lines.append(";;;** Total general;36.036,00")
    source, said, text = begun(folder(tmp_path, ZSD=("\r\n".join(lines) + "\r\n", "cp1252")))
    log = source.transactions
    assert log.columns["account"] == "Solicitante"
    assert log.columns["amount"] == "Importe neto"
    assert log.exclude == {"Material": ["* Subtotal*", "** Total general"]}
    assert '13 lines have neither customer nor date ("* Subtotal 01.2025" …): left out as totals' in said
    assert "header in line 4" in text
    # By hand: 34 × 1,000 + (0 + … + 35) − 5 − 7 − 1,000.50 − 2,000.25 = 31,617.25; totals 12 × 3,003 + 36,036.
    assert "Read 49 lines, 103,689.25: accepted 49 lines, 103,689.25; quarantined 0 lines" in text
    assert "Left out by the configuration: 13 lines, 72,072.00." in text


def test_a_chinese_export_in_ten_thousands_with_tax(tmp_path):
    lines = ["单据日期,购货单位,产品名称,含税金额（万元）,税率"]
    lines += [f"2025年{m}月{d}日,苏州宏达机电{d % 4},电机,{m}.1234,13%" for m, d in DAYS]
    master = "客户名称,所属行业,地区,潜力（万元）\n" + "".join(f"苏州宏达机电{i},汽车,华东,{i}.5\n" for i in range(4))
    source, said, text = begun(folder(tmp_path, 销售明细=("\n".join(lines), "gbk"), 客户档案=(master, "gbk")))
    assert source.transactions.columns["amount"] == "含税金额（万元） * 10000"
    assert source.accounts.columns == {"account": "客户名称", "industry": "所属行业", "region": "地区"}
    for part in (
        '"含税金额（万元）" is written in 万元, and so multiplied by 10,000',
        '"含税金额（万元）" seems to include tax, which stays in until you take the first # from tax_rate',
        '"潜力（万元）" is written in 万元; give declared_potential in a column of plain units of money',
    ):
        assert part in said
    # 3 × (1 + … + 12) + 36 × 0.1234 ten thousands
    assert f"accepted 36 lines, {(3 * 78 + 36 * 0.1234) * 10_000:,.2f}" in text


def test_an_american_export_in_halves_of_years_with_headers_again(tmp_path):
    head = "Invoice #,Invoice Date,Customer #,Customer Name,Qty,Unit Price,Extended Price\n"
    files = {}
    for half in (1, 2):
        rows = [
            f'{half}{m}{d},{m:02d}/{d:02d}/2025,{d % 5:05d},"Store {d % 5}, Inc.",2,"$1,000.25","$2,000.50"\n'
            for m, d in DAYS
            if (m > 6) == (half == 2)
        ]
        files[f"sales_2025_H{half}"] = (head + "".join(rows[:9]) + head + "".join(rows[9:]), "utf-8")
    source, said, text = begun(folder(tmp_path, **files))
    assert source.transactions.path == "sales_2025_H*.csv"
    assert source.transactions.columns["amount"] == "Extended Price"
    assert "have the same columns and are read as one log" in said
    assert "lines that repeat the header, left out: 1" in text
    assert "Read 36 lines, 72,018.00: accepted 36 lines, 72,018.00; quarantined 0 lines" in text


def test_a_vietnamese_export_with_points_in_thousands(tmp_path):
    head = "Số phiếu;Ngày chứng từ;Mã KH;Tên hàng;SL;Đơn giá;Thành tiền\r\n"
    rows = [f"PX{m}{d};{d:02d}/{m:02d}/2025;KH{d % 4:03d};Ống nhựa;2;1.250.000,50;2.500.001,00\r\n" for m, d in DAYS]
    source, _, text = begun(folder(tmp_path, ban_hang=(head + "".join(rows), "utf-8-sig")))
    assert source.transactions.columns["amount"] == "Thành tiền"
    assert "numbers written like 1.234,50 (found)" in text
    assert "Read 36 lines, 90,000,036.00" in text


def test_a_total_that_is_called_like_a_product_stays_and_is_said_to_have_no_date(tmp_path):
    rows = [f"2025-{m:02d}-{d},C{d},Total protein,5.00" for m, d in DAYS if d > 9]
    lines = ["date,customer,product,amount", *rows, ",,Total protein,9.00"]
    source, _, text = begun(folder(tmp_path, log=("\n".join(lines), "utf-8")))
    assert source.transactions.exclude == {}
    assert "1 × date is missing or impossible (lines 26), 9.00" in text


def test_why_a_column_with_a_usual_name_is_not_taken_is_said(tmp_path):
    found = folder(tmp_path, log=("customer,date,amount\n" + "A,Q1,5\n" * 9, "utf-8"))
    with pytest.raises(DataError, match=r'log\.csv: customer, date, amount \("date" holds no dates \("Q1"\)\)'):
        write_configuration(found)
