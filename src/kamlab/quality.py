"""Whether what could be read is enough to be trusted."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from kamlab.config import Transactions
from kamlab.errors import first_ids
from kamlab.guess import plain
from kamlab.ledger import mostly_impossible
from kamlab.terms import REVENUE_KINDS, TABLES

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.ledger import Ledger


def too_much(ledger: Ledger, log: Transactions, *, as_of: date | None = None) -> list[str]:
    """Say where so many lines of a log, or so much of its money, is quarantined that a report would mislead.

    Money is the sum of the amounts without their signs, as far as they can be read, up to the as-of date. What no rate
    converts counts as it stands, because nothing tells what it is worth.
    """
    rows = ledger.reconciliation(as_of).set_index("part")["rows"]
    bad, name = ledger.quarantine, Path(log.path).name
    judged = rows["read"] - rows["after_as_of"]
    many = mostly_impossible(bad, judged, log.max_quarantined_share, name, log.date_format)
    found = [many] if many else []
    if not ledger.has_money:
        return found
    amounts = bad["amount"].dropna().map(abs)
    out, limit = sum(amounts), log.max_quarantined_money
    lines = ledger.table if as_of is None else ledger.table.filter(ledger.table.date <= as_of)
    accepted = lines.amount.abs().sum().to_pyarrow().as_py() or 0
    if out > limit * float(out + accepted):
        largest = bad.loc[amounts.sort_values(ascending=False).index]
        where = f"the largest in lines {first_ids(largest['line'])}: {first_ids(largest['reason'].unique(), 3)}"
        found.append(
            f"{float(out / (out + accepted)):.0%} of the log's money stands in the {len(bad):,} lines that cannot be "
            f"used ({where}), more than the {limit:.0%} up to which a report on the rest can be trusted. Mend these "
            "lines, or raise max_quarantined_money."
        )
    return found


def compare_with_books(ledger: Ledger, totals: pd.DataFrame, *, until: date | None = None) -> pd.DataFrame:
    """Compare the months of the books with the log: log = attributed + unattributed + excluded.

    Parameters
    ----------
    ledger : Ledger
    totals : DataFrame
        Columns month (its first day) and amount (currency), as the table controls is read.
    until : date, optional
        As-of date; months that end later are left out, because nobody knew them on that day.

    Returns
    -------
    pandas.DataFrame
        Columns of `terms.TABLES["books"]`: Decimals in currency, one row a month of the books.
    """
    import ibis
    import pandas as pd

    t = ledger.table
    revenue = t.kind.isin(REVENUE_KINDS)
    part = ibis.cases((~revenue, "excluded"), (t.account.isnull(), "unattributed"), else_="attributed")
    sums = t.group_by(month=t.date.strftime("%Y-%m"), part=part).agg(money=t.amount.sum()).to_pyarrow().to_pylist()
    found = {(row["month"], row["part"]): row["money"] or Decimal(0) for row in sums}
    # A sum of up to 15 digits comes back from a float as it was written.
    table = pd.DataFrame({"month": totals["month"], "books": totals["amount"].map(lambda value: Decimal(str(value)))})
    if until:
        table = table[table["month"] + pd.offsets.MonthEnd(0) <= pd.Timestamp(until)]
    table = table.sort_values("month", ignore_index=True).assign(month=lambda df: df["month"].dt.strftime("%Y-%m"))
    for name in ("attributed", "unattributed", "excluded"):
        table[name] = [found.get((month, name), Decimal(0)) for month in table["month"]]
    table["log"] = table["attributed"] + table["unattributed"] + table["excluded"]
    table["difference"] = table["log"] - table["books"]
    return table[[column.name for column in TABLES["books"]]]


LEGAL_FORMS = (
    *(
        "gmbh",
        "mbh",
        "ag",
        "kg",
        "ltd",
        "limited",
        "inc",
        "incorporated",
        "llc",
        "corp",
        "corporation",
        "co",
        "company",
    ),
    *("plc", "sa", "sl", "srl", "sas", "bv", "nv", "de", "cv", "tnhh", "jsc", "cong", "ty", "cp", "the"),
    *("有限公司", "有限责任公司", "股份有限公司", "股份", "集团"),
)
TYPING_ERRORS = ((4, 0), (8, 1))
"""Names shorter than so many letters may differ in so many of them; all others in `MOST_ERRORS`."""
MOST_ERRORS = 2

LARGEST_BLOCK = 2000


def duplicate_names(master: pd.DataFrame) -> pd.DataFrame:
    """Suggest accounts that may be one customer: spelling variants of one name. Nothing is merged.

    Names are compared without case, accents, signs and legal forms, within those that begin alike; they may differ in
    two letters, short ones in fewer. Names whose digits differ, and accounts of one parent, are left alone.

    Parameters
    ----------
    master : DataFrame
        As `accounts.read_accounts` returns it.

    Returns
    -------
    pandas.DataFrame
        Columns account, other, name_a, name_b, errors (letters that differ), most alike first.
    """
    import pandas as pd
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    known = master.dropna(subset="name")
    keys = known["name"].map(_bare_name)
    table = pd.DataFrame({"account": known["account"], "name": known["name"], "parent": known["parent"], "key": keys})
    table["digits"] = keys.str.replace(r"\D", "", regex=True)
    table = table[table["key"] != ""].sort_values(["key", "account"])
    rows = []
    for _, block in table.groupby([table["key"].str[:2], "digits"], sort=True):
        for start in range(0, len(block), LARGEST_BLOCK):
            part = block.iloc[start : start + LARGEST_BLOCK]
            keys_of_part = part["key"].tolist()
            errors = process.cdist(keys_of_part, keys_of_part, scorer=Levenshtein.distance, score_cutoff=MOST_ERRORS)
            for i, j in zip(*(errors <= MOST_ERRORS).nonzero(), strict=True):
                a, b = part.iloc[i], part.iloc[j]
                allowed = next((n for length, n in TYPING_ERRORS if len(a["key"]) < length), MOST_ERRORS)
                apart = pd.isna(a["parent"]) or a["parent"] != b["parent"]
                if i < j and errors[i, j] <= allowed and apart:
                    rows.append((a["account"], b["account"], a["name"], b["name"], int(errors[i, j])))
    found = pd.DataFrame(rows, columns=["account", "other", "name_a", "name_b", "errors"])
    return found.sort_values(["errors", "account"], ignore_index=True)


def _bare_name(name: str) -> str:
    """Return a company's name without legal forms, case, accents and signs."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", name).casefold())
    kept = [plain(word) for word in words if plain(word) not in LEGAL_FORMS] or [plain(word) for word in words]
    text = "".join(kept)
    for form in sorted(LEGAL_FORMS, key=len, reverse=True):
        if not form.isascii():
            text = text.removesuffix(form)
    return text
