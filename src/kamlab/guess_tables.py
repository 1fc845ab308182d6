"""What files beside the transaction log probably are, by their names and headers in four languages: to be confirmed."""

from __future__ import annotations

from kamlab.guess import LOG_WORDS, MASTER_WORDS, guess, plain
from kamlab.sources import RawTable
from kamlab.tables import SCHEMAS

FILE_WORDS: dict[str, str] = {
    "owners": "owners, sales reps, sales team, employees, people, nhân viên, 业务员, 销售员, 員工, vendedores, "
    "comerciales",
    "prospects": "prospects, pipeline, opportunities, deals, cơ hội, tiềm năng, 商机, 機會, oportunidades, prospectos",
    "projects": "projects, dự án, 项目, 專案, proyectos",
    "invoices": "invoices, receivables, hóa đơn, công nợ, 发票, 应收, 發票, facturas",
    "payments": "payments, receipts, thanh toán, phiếu thu, 付款, 收款, 回款, pagos, cobros",
    "costs": "costs to serve, service costs, costs, chi phí, 费用, 費用, costes, costos, gastos",
    "effort": "effort, hours, timesheet, giờ công, 工时, 工時, horas, esfuerzo",
    "contacts": "contacts made, visits, calls, activities, liên hệ, ghé thăm, 拜访, 联系记录, 拜訪, visitas, llamadas",
    "persons": "contact persons, persons, người liên hệ, 联系人, 聯絡人, personas, contactos",
    "complaints": "complaints, claims, khiếu nại, 投诉, 客诉, 投訴, reclamaciones, quejas",
    "competitors": "competitors, rivals, đối thủ, 竞争对手, 競爭對手, competidores, competencia",
    "targets": "targets, budget, plan, quota, chỉ tiêu, kế hoạch, 目标, 計劃, objetivos, presupuesto",
    "actions": "actions, tasks, hành động, công việc, 行动, 任务, 行動, acciones, tareas",
    "controls": "control totals, controls, books, ledger totals, general ledger, sổ cái, đối chiếu, 总账, 对账, 總帳, "
    "contabilidad, totales, libro mayor",
    "products": "products, items, articles, sản phẩm, hàng hóa, 产品, 商品, 產品, productos, artículos",
}
"""Table → words in the name of a file that holds it; the first table to fit is taken."""

DATE_WORDS = (
    "date, day, month, posting date, invoice date, payment date, visit date, ngày, tháng, ngày hóa đơn, "
    "ngày thanh toán, 日期, 月份, 发票日期, 开票日期, 付款日期, 收款日期, fecha, mes, "
    "fecha factura, fecha pago, fecha cobro"
)
START_WORDS = (
    "start, start date, from, valid from, active from, ngày bắt đầu, từ ngày, 开始日期, 起始日期, inicio, desde"
)
END_WORDS = "end, end date, to, until, active to, ngày kết thúc, đến ngày, 结束日期, 截止日期, fin, hasta"

FIELD_WORDS: dict[str, str] = {
    **{key: LOG_WORDS[key] for key in ("account", "product", "product_line", "cost")},
    **{key: MASTER_WORDS[key] for key in ("owner", "name", "region")},
    **dict.fromkeys(("active_from", "start"), START_WORDS),
    **dict.fromkeys(("active_to", "end"), END_WORDS),
    "date": DATE_WORDS,
    "amount": LOG_WORDS["amount"],
    "month": "month, period, date, posting month, tháng, kỳ, 月份, 期间, 会计期间, mes, período, fecha",
    "value": "value, deal value, close value, amount, giá trị, 金额, 价值, valor, importe",
    "invoice": "invoice, invoice no, invoice number, invoice id, số hóa đơn, mã hóa đơn, 发票号, 发票编号, 發票號, "
    "factura, nº factura, número factura",
    "due": "due, due date, hạn thanh toán, ngày đến hạn, 到期日, 到期日期, vencimiento, fecha vencimiento",
    "disputed": "disputed, dispute, tranh chấp, 争议, 有争议, disputado, en disputa",
    "disputed_on": "disputed on, dispute date, ngày tranh chấp, 争议日期, fecha disputa",
    "payment": "payment, payment id, payment no, check number, mã thanh toán, số phiếu thu, 付款编号, 收款单号, pago, "
    "nº pago, nº cobro, cobro",
    "deal": "deal, deal id, opportunity, opportunity id, mã cơ hội, cơ hội, 商机, 商机编号, oportunidad, "
    "id oportunidad",
    "stage": "stage, deal stage, giai đoạn, 阶段, 階段, etapa, fase",
    "opened": "opened, open date, engage date, created, ngày mở, 创建日期, 立项日期, apertura, fecha apertura",
    "expected_close": "expected close, expected close date, forecast close, ngày dự kiến chốt, ngày chốt dự kiến, "
    "预计成交日期, 预计关闭日期, cierre previsto, fecha prevista de cierre",
    "closed": "closed, close date, ngày đóng, 关闭日期, 成交日期, cierre, fecha cierre",
    "probability": "probability, win probability, xác suất, 概率, 赢率, probabilidad",
    "project": "project, project id, mã dự án, 项目编号, proyecto, id proyecto",
    "status": "status, trạng thái, 状态, 狀態, estado",
    "team": "team, nhóm, đội, 团队, 團隊, equipo",
    "capacity_hours": "capacity hours, hours a year, số giờ, 工时, horas, horas año",
    "kind": "kind, type, cost type, loại, 类别, 费用类别, tipo",
    "hours": "hours, giờ, số giờ, 工时, 小时, horas",
    "channel": "channel, kind, kênh, hình thức, 方式, 渠道, canal, medio",
    "person": "person, person id, contact, người liên hệ, 联系人, persona, contacto",
    "note": "note, notes, ghi chú, 备注, nota, notas",
    "department": "department, dept, phòng ban, bộ phận, 部门, departamento, área",
    "role": "role, position, job title, vai trò, chức vụ, 职务, 角色, cargo, puesto",
    "complaint": "complaint, complaint id, mã khiếu nại, 投诉编号, reclamación, nº reclamación",
    "subject": "subject, reason, chủ đề, lý do, 主题, 原因, asunto, motivo",
    "satisfaction": "satisfaction, score, mức hài lòng, 满意度, satisfacción",
    "competitor": "competitor, rival, đối thủ, 竞争对手, competidor",
    "share": "share, thị phần, 份额, cuota",
    "set_on": "set on, agreed on, ngày đặt, 设定日期, fijado el",
    "action": "action, action id, task id, mã hành động, 行动编号, acción, id acción",
    "text": "text, what, description, task, nội dung, mô tả, 内容, 描述, descripción, tarea",
    "created": "created, created on, ngày tạo, 创建日期, creado",
    "done": "done, done on, completed, ngày hoàn thành, 完成日期, hecho, terminado",
    "list_price": "list price, price, giá niêm yết, 标价, 单价, precio, precio lista",
}
"""Column of an optional table → names that a source may give it, the most telling first."""


def guess_table(file: str, raw: RawTable) -> tuple[str, dict[str, str]] | None:
    """Guess which optional table a file holds.

    Parameters
    ----------
    file : str
        Its name; FILE[SHEET] for a sheet of a workbook, which is then what names it.
    raw : RawTable

    Returns
    -------
    name : str
        Of `tables.SCHEMAS`.
    columns : dict of str to str
        Table column → source column, each source column once.

    None where its name is that of no table, or a needed column is not found for certain.
    """
    stem = plain(file.removesuffix("]").partition("[")[2] if file.endswith("]") else file.rpartition(".")[0])
    for name, words in FILE_WORDS.items():
        if not any(plain(word) in stem for word in words.split(",")):
            continue
        schema = SCHEMAS[name]
        fields = [f.name for f in schema.fields]
        found = guess(raw.columns, {key: FIELD_WORDS[key] for key in fields}).columns
        # What the table needs takes its column first.
        ordered = sorted(found, key=lambda key: (key not in schema.needed, fields.index(key)))
        taken: dict[str, str] = {}
        for key in ordered:
            if found[key] not in taken.values():
                taken[key] = found[key]
        if all(key in taken for key in schema.needed):
            return name, {key: taken[key] for key in fields if key in taken}
    return None
