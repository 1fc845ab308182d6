"""What the workbook holds: accounts with every label, a sheet a scheme, deals, credit, dimensions, unusable lines."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from kamlab import reasons, schemes
from kamlab.i18n import COMMAS, Translator
from kamlab.ids import beside
from kamlab.reports.sections.owners import DIMENSIONS, UNKNOWN
from kamlab.reports.sections.source import Source, is_contribution
from kamlab.reports.workbook.headings import (
    ABOUT,
    ACCOUNT_NUMBERS,
    ACCOUNT_TEXTS,
    CREDIT,
    DEALS,
    DIMENSION_ROWS,
    LISTS,
    RESTS_ON,
    Row,
)
from kamlab.reports.workbook.writing import Sheet, SheetColumn
from kamlab.segment_names import translated
from kamlab.strategies import texts, wording

MOST_LISTED = 20_000
"""Accounts up to which a sheet lists them. Of more, the accounts' sheet has those with the highest expected value, with
all their labels, and a scheme's sheet counts them by label: nobody reads a million lines in a spreadsheet, and a file
of a hundred million bytes opens nowhere. All of them stand in the run's tables."""


def sheets(run: Source, t: Translator) -> list[Sheet]:
    """Return the sheets of a run's workbook, and last the sheet that says which table and column each number is from.

    Parameters
    ----------
    run : Source
    t : Translator
        Language of headings and labels, and currency.
    """
    found = [accounts(run, t), *_playbook(run, t), *_class_columns(run, t), *_lists(run, t), _quarantine(run, t)]
    n = len(run.read("account_table", columns=["account"]))
    return [*found, _origins(found, n, t)]


def accounts(run: Source, t: Translator) -> Sheet:
    """One row an account: who it is, what it brings, every label with its probability, and why it has its strategy."""
    worth = run.read("account_table", columns=["account", "expected_contribution"])
    n_accounts, some = len(worth), None
    if n_accounts > MOST_LISTED:
        some = {"account": worth.nlargest(MOST_LISTED, "expected_contribution")["account"].tolist()}
    rows = run.read("account_table", where=some)
    strategies = run.read("strategies", columns=["account", "strategy_rule", "strategy_inputs", "flags"], where=some)
    strategies = beside(rows[["account"]], strategies)
    reasons = rows.assign(strategy_rule=strategies["strategy_rule"], strategy_inputs=strategies["strategy_inputs"])
    columns = [SheetColumn("account", t("Account"), source="account_table.account", width=14)]
    columns += [
        SheetColumn(key, t(label), source=f"account_table.{key}", width=36 if key == "name" else None)
        for key, label in ACCOUNT_TEXTS.items()
        if rows[key].notna().any()
    ]
    labels = run.read("labels", columns=["account", "scheme", "label", "probability"], where=some)
    wide = labels.pivot(index="account", columns="scheme", values=["label", "probability"]).reindex(rows["account"])
    values: dict[str, pd.Series] = {}
    for scheme in labels["scheme"].drop_duplicates():
        title = t(wording.SCHEMES.get(scheme, scheme))
        values[scheme] = _named(wide["label", scheme].reset_index(drop=True), _label_namer(scheme, t))
        columns.append(SheetColumn(scheme, title, source="labels.label"))
        if scheme == "strategy":
            values["reason"] = pd.Series([wording.reason(t, row) for row in reasons.to_dict("records")], dtype="str")
            columns.append(SheetColumn("reason", t("Why this strategy"), source="strategies.strategy_rule", width=60))
        values[f"p_{scheme}"] = wide["probability", scheme].reset_index(drop=True).astype(float)
        columns.append(SheetColumn(f"p_{scheme}", _probability_of(title, t), "percent", source="labels.probability"))
    values["flags"] = strategies["flags"].map(lambda flags: _flags(flags, t), na_action="ignore")
    columns.append(SheetColumn("flags", t("Remarks"), source="strategies.flags", width=36))
    segments = run.read("segments", columns=["account", "segment_name", "probability"], where=some)
    segments = beside(rows[["account"]], segments)
    values["segment"] = _named(segments["segment_name"], lambda name: translated(name, t))
    values["p_segment"] = segments["probability"]
    likely = run.read("prospect_segments")
    likely = likely[likely["rank"] == 1].set_index("account").reindex(rows["account"]).reset_index()
    columns.append(SheetColumn("segment", t("Segment"), source="segments.segment_name", width=36))
    columns.append(SheetColumn("p_segment", _probability_of(t("Segment"), t), "percent", source="segments.probability"))
    if likely["share"].notna().any():
        values["likely"] = _named(likely["segment_name"], lambda name: translated(name, t))
        values["p_likely"] = likely["share"].astype(float)
        title = t("Likeliest segment of a prospect")
        columns.append(SheetColumn("likely", title, source="prospect_segments.segment_name", width=36))
        columns.append(SheetColumn("p_likely", t("Of those most like it"), "percent", source="prospect_segments.share"))
    for column in _applied(run):
        values[column] = _named(rows[column], _class_namer(column, t))
        columns.append(SheetColumn(column, t(schemes.TITLES[column]), source=f"schemes.{column}"))
    values["potential_source"] = _named(rows["potential_source"], lambda source: t(wording.SOURCES[source]))
    costs = ("cost_to_serve", "receivables_cost", "credit_loss")
    same = () if is_contribution(run) else (*costs, "expected_contribution", "contribution_lower", "contribution_upper")
    numbers = tuple(row for row in ACCOUNT_NUMBERS if row[0] not in same)
    columns += _columns(numbers, "account_table", rows, t)
    return Sheet(
        _title_of_accounts(n_accounts, t), columns, rows.assign(**values), frozen_columns=2, about=t(ABOUT["accounts"])
    )


def _title_of_accounts(n: int, t: Translator) -> str:
    return t("All accounts") if n <= MOST_LISTED else t("{n} accounts worth most", n=t.number(MOST_LISTED))


def _playbook(run: Source, t: Translator) -> list[Sheet]:
    """Return a sheet for each scheme of the playbook: label, probability, rule and the values that gave it."""
    labels = run.read("labels", columns=["scheme", "label"])
    names = run.read("account_table", columns=["account", "name"])
    columns = [
        SheetColumn("account", t("Account"), source="labels.account", width=14),
        SheetColumn("name", t("Name"), source="account_table.name", width=36),
        SheetColumn("label", t("Label"), source="labels.label", width=30),
        SheetColumn("probability", t("Probability"), "percent", source="labels.probability"),
        SheetColumn("rests_on", t("Rests on"), source="labels.rests_on", width=36),
        SheetColumn("rule", t("Rule"), source="labels.rule", width=28),
        SheetColumn("inputs", t("Values that gave it"), source="labels.inputs", width=80),
    ]
    found = []
    place, playbook = pd.factorize(labels["scheme"])
    for number, scheme in enumerate(playbook):
        title, namer = t(wording.SCHEMES.get(scheme, scheme)), _label_namer(scheme, t)
        given = labels.loc[place == number, "label"]
        if len(given) > MOST_LISTED:
            found.append(_counted(title, given, namer, columns[2], t))
            continue
        rows = run.read("labels", where={"scheme": [scheme]}).merge(names, on="account", how="left")
        rests = {found: _rests_on(found, t) for found in rows["rests_on"].dropna().unique()}
        rows = rows.assign(rests_on=rows["rests_on"].map(rests), label=_named(rows["label"], namer))
        found.append(Sheet(title, columns, rows, 2, t(ABOUT["scheme"])))
    return found


def _counted(title: str, values: pd.Series, name: Callable[[str], str], label: SheetColumn, t: Translator) -> Sheet:
    """Return a sheet of a scheme that says how many accounts have each label, ordered by what it is called."""
    columns = [label, SheetColumn("accounts", t("Accounts"), "number", source=label.source)]
    counts = values.value_counts(sort=False)
    named = _named(pd.Series(counts.index), name).to_numpy()
    counted = counts.groupby(named).sum().rename_axis(label.key).rename("accounts").reset_index()
    return Sheet(title, columns, counted, about=t(ABOUT["counted"]))


def _class_columns(run: Source, t: Translator) -> list[Sheet]:
    """Return a sheet for each column of table "schemes" that holds a class, with its probability where it has one."""
    names = run.read("account_table", columns=["account", "name"])
    table, chances = beside(run.read("schemes"), names), run.read("class_probabilities")
    found = []
    for column in _applied(run):
        rows, namer = table.loc[table[column].notna(), ["account", "name", column]], _class_namer(column, t)
        few = len(rows) <= MOST_LISTED
        rows = rows.merge(chances, on="account", how="left") if few else rows
        shares = {str(c): f"{column}_{c}" for c in rows[column].unique() if f"{column}_{c}" in rows}
        if few and column == "contribution_class":
            shares = {str(c): str(c) for c in rows[column].unique()}
        columns = [
            SheetColumn("account", t("Account"), source="schemes.account", width=14),
            SheetColumn("name", t("Name"), source="account_table.name", width=36),
            SheetColumn("class", t("Class"), source=f"schemes.{column}", width=30),
        ]
        if shares:
            mine = [row[shares[str(row[column])]] for row in rows.to_dict("records")]
            rows = rows.assign(probability=pd.Series(mine, index=rows.index, dtype=float))
            origin = f"class_probabilities.{'…' if column == 'contribution_class' else column + '_…'}"
            columns.append(SheetColumn("probability", t("Probability"), "percent", source=origin))
        title, classes = t(schemes.TITLES[column]), rows[column]
        if few:
            found.append(Sheet(title, columns, rows.assign(**{"class": _named(classes, namer)}), 2, t(ABOUT["class"])))
        else:
            found.append(_counted(title, classes, namer, columns[2], t))
    return found


def _lists(run: Source, t: Translator) -> list[Sheet]:
    """Return the lists beside: open deals, credit, dimensions; those without rows are left out."""
    names = run.read("account_table", columns=["account", "name"])
    deals = run.read("pipeline").merge(names, on="account", how="left")
    deals = deals.assign(stalled=_named(deals["stalled"], lambda stalled: t("yes") if stalled else t("no")))
    divided = run.read("dimensions")
    divided = divided.assign(
        dimension=_named(divided["dimension"], lambda name: t(DIMENSIONS[name])),
        value=divided["value"].replace(UNKNOWN, t("unknown")),
    )
    found = (
        ("pipeline", DEALS, deals),
        ("credit", CREDIT, run.read("credit").merge(names, on="account", how="left")),
        ("dimensions", DIMENSION_ROWS, divided),
    )
    return [
        Sheet(t(LISTS[name]), _columns(columns, name, rows, t), rows, about=t(ABOUT[name]))
        for name, columns, rows in found
        if not rows.empty
    ]


def _quarantine(run: Source, t: Translator) -> Sheet:
    """Count the lines that could not be used, by reason, with their money."""
    lines = run.read("quarantine")
    # What no rate converts stands there in its own currency.
    rows = lines.assign(amount=lines["amount"].astype(float)).groupby(["reason", "currency"], as_index=False)
    counted = rows.agg(lines=("line", "size"), amount=("amount", "sum"))
    counted["reason"] = _named(counted["reason"], lambda told: reasons.printed(told, t))
    columns = [
        SheetColumn("reason", t("Why"), source="quarantine.reason", width=60),
        SheetColumn("lines", t("Lines"), "number", source="quarantine.line"),
        SheetColumn("amount", t("Money"), "money", source="quarantine.amount"),
    ]
    if counted["currency"].any():
        columns.append(SheetColumn("currency", t("Currency"), source="quarantine.currency"))
    return Sheet(t("Lines that cannot be used"), columns, counted, about=t(ABOUT["quarantine"]))


def _origins(found: list[Sheet], n_accounts: int, t: Translator) -> Sheet:
    """Name the table and the column that each column of the other sheets comes from."""
    rest = t("The lines of all {n} accounts stand in tables/account_table.parquet.", n=t.number(n_accounts))
    short = [{"sheet": found[0].title, "heading": "", "origin": rest}] if n_accounts > MOST_LISTED else []
    rows = [
        {"sheet": sheet.title, "heading": column.label, "origin": column.source}
        for sheet in found
        for column in sheet.columns
    ]
    columns = [
        SheetColumn("sheet", t("Sheet"), width=36),
        SheetColumn("heading", t("Heading"), width=40),
        SheetColumn("origin", t("Table and column of the run"), width=44),
    ]
    return Sheet(t("Where it comes from"), columns, pd.DataFrame([*rows, *short]), about=t(ABOUT["origins"]))


def _columns(rows: tuple[Row, ...], table: str, data: pd.DataFrame, t: Translator) -> list[SheetColumn]:
    """Return the columns that hold any value."""
    return [
        SheetColumn(key, t(label), kind, f"{'account_table' if key == 'name' else table}.{key}")
        for key, label, kind in rows
        if data[key].notna().any()
    ]


def _applied(run: Source) -> list[str]:
    """Return the columns of table "schemes" that hold a class; fixed thresholds that nobody has set give none."""
    table = run.read("schemes")
    unset = {f"{axis}_class_fixed" for axis in schemes.AXES if axis not in run.config.set_levels}
    return [column for column in schemes.CLASSES if column not in unset and table[column].notna().any()]


def _named(values: pd.Series, name: Callable[[str], str]) -> pd.Series:
    """Return values by their names; each name is looked up once."""
    return values.map({value: name(value) for value in values.dropna().unique()}).astype("str")


def _label_namer(scheme: str, t: Translator) -> Callable[[str], str]:
    return lambda label: wording.label_name(t, scheme, label)


def _class_namer(column: str, t: Translator) -> Callable[[str], str]:
    known = schemes.CLASSES[column]
    printed = dict(zip(known.labels, known.printed or known.labels, strict=True))
    return lambda label: t(printed[label]) if label in printed else label


def _probability_of(title: str, t: Translator) -> str:
    return t("{name}, {detail}", name=title, detail=t("probability"))


def _flags(flags: str, t: Translator) -> str:
    return t.join(COMMAS, (t(texts.FLAGS[f].name) if f in texts.FLAGS else f for f in flags.split(", ") if f))


def _rests_on(names: str, t: Translator) -> str:
    return t.join(COMMAS, (t(RESTS_ON[name]) for name in names.split(", ") if name))
