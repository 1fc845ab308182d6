"""The HTML page in a browser: what is printed, what a phone shows, and what a click on a heading does."""

import checkers
import pandas as pd
from test_pdf import NAMES, document, make_cover

from kamlab.i18n import Translator
from kamlab.reports import blocks as b
from kamlab.reports.page import render_page

T = Translator("en", currency="CNY")
ROWS = 130


def a_page():
    amounts = [(i * 37) % ROWS * 1_000 for i in range(ROWS)]
    rows = pd.DataFrame(
        {
            "account": [f"Account {i:03}" for i in range(ROWS)],
            "revenue": [T.money(amount) for amount in amounts],
            "why": next(iter(NAMES.values()))
            + ", which bought "
            + pd.Series(map(T.money, amounts))
            + " in the last 12 months.",
        }
    )
    columns = [
        b.TableColumn("account", "Who buys"),
        b.TableColumn("revenue", "Revenue of the year", "right"),
        b.TableColumn("why", "Reason"),
    ]
    blocks = (make_cover(), b.text("# Accounts"), b.table(rows, columns=columns, caption="All accounts."))
    return render_page(document(*blocks))


@checkers.with_chromium
def test_a_long_table_has_its_headings_on_every_printed_page_and_no_row_is_lost(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(a_page(), "utf-8")
    pages = checkers.printed(path, tmp_path)
    with_rows = [words for words in pages if "Account 0" in words or "Account 1" in words]
    assert len(with_rows) >= 3
    for words in with_rows:
        assert words.count("Who buys") == words.count("Revenue of the year") == words.count("Reason") == 1
    whole = " ".join(pages)
    assert all(whole.count(f"Account {i:03}") == 1 for i in range(ROWS))


@checkers.with_chromium
def test_a_phone_shows_the_page_in_its_width_and_a_click_on_a_heading_sorts_by_what_amounts_are_worth(tmp_path):
    script = """
      const root = page.documentElement, second = row => row.cells[1].textContent;
      const column = () => [...page.querySelectorAll("tbody tr")].map(second);
      const button = page.querySelectorAll("thead th")[1].querySelector("button");
      const before = column();
      button.click();
      const once = column();
      button.click();
      return {wide: root.scrollWidth, seen: root.clientWidth,
              window: page.defaultView.innerWidth, size: parseFloat(getComputedStyle(page.body).fontSize),
              before, once, twice: column()};
    """
    found = checkers.on_a_phone(a_page(), script, tmp_path)
    assert found["window"] == 390
    assert found["wide"] <= found["seen"]
    assert found["size"] >= 14
    by_worth = [T.money(i * 1_000) for i in range(ROWS)]
    assert found["before"] != by_worth
    assert {tuple(found["once"]), tuple(found["twice"])} == {tuple(by_worth), tuple(by_worth[::-1])}
