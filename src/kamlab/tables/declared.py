"""The optional tables: what each holds and what its columns are."""

from __future__ import annotations

from kamlab.tables.schema import Field, Schema

ACCOUNT = Field("account", meaning="customer, by the id of the transaction log", needed=True)


def _date(name: str, meaning: str, *, needed: bool = False) -> Field:
    return Field(name, "date", meaning, needed)


def _number(
    name: str, meaning: str, *, needed: bool = False, minimum: float | None = 0, maximum: float | None = None
) -> Field:
    return Field(name, "number", meaning, needed, minimum, maximum)


def _text(name: str, meaning: str, *, needed: bool = False) -> Field:
    return Field(name, "text", meaning, needed)


_TABLES = (
    Schema(
        "owners",
        "people in sales",
        (
            _text("owner", "as the account master names the person", needed=True),
            _text("name", "full name"),
            _text("team", "team"),
            _date("active_from", "first day of work"),
            _date("active_to", "last day of work"),
            _number("capacity_hours", "hours a year for customers"),
        ),
        key=("owner",),
        known_from="active_from",
        outcomes=(("active_to",),),
        rising=(("active_from", "active_to"),),
    ),
    Schema(
        "prospects",
        "deals of the pipeline, won, lost and open",
        (
            _text("deal", "id of the deal", needed=True),
            Field("account", meaning="customer or prospect; empty where it is not known"),
            _text("name", "name of the prospect"),
            _text("product", "what is offered"),
            _text("owner", "person responsible"),
            _text("stage", "stage of the deal, as the source names it", needed=True),
            _date("opened", "day on which it was opened"),
            _date("closed", "day on which it was won or lost"),
            _date("expected_close", "day on which the decision is expected, such as that of a tender"),
            _number("value", "value of the deal, in currency"),
            _number("probability", "chance to win, from 0 to 1", maximum=1),
        ),
        key=("deal",),
        money="value",
        known_from="opened",
        outcomes=(("closed", "stage", "value", "probability"),),
        rising=(("opened", "closed"),),
    ),
    Schema(
        "projects",
        "customers' projects",
        (
            _text("project", "id of the project", needed=True),
            ACCOUNT,
            _text("name", "name of the project"),
            _text("status", "status, as the source names it"),
            _date("start", "first day"),
            _date("end", "last day planned"),
            _number("value", "value to us, in currency"),
        ),
        key=("project",),
        money="value",
        known_from="start",
        rising=(("start", "end"),),
    ),
    Schema(
        "invoices",
        "invoices",
        (
            _text("invoice", "number of the invoice", needed=True),
            ACCOUNT,
            _date("date", "day of the invoice", needed=True),
            _date("due", "day on which it is due"),
            _number("amount", "amount, negative for credit notes; in currency", needed=True, minimum=None),
            Field("disputed", "flag", "yes where the customer disputes what is unpaid"),
            _date("disputed_on", "day on which the customer disputed it"),
        ),
        key=("invoice",),
        money="amount",
        known_from="date",
        outcomes=(("disputed_on", "disputed"),),
        rising=(("date", "due"),),
    ),
    Schema(
        "payments",
        "payments received",
        (
            _text("payment", "number of the payment"),
            ACCOUNT,
            _date("date", "day on which the money came", needed=True),
            _number("amount", "amount, negative where it was paid back; in currency", needed=True, minimum=None),
            _text("invoice", "invoice that it pays"),
        ),
        key=("account", "payment"),
        money="amount",
        known_from="date",
    ),
    Schema(
        "costs",
        "costs to serve",
        (
            ACCOUNT,
            _date("date", "day, or first day of the month", needed=True),
            _number("amount", "cost, in currency", needed=True),
            _text("kind", "kind of cost, such as freight, visits, support"),
        ),
        money="amount",
        known_from="date",
    ),
    Schema(
        "effort",
        "hours spent on customers",
        (
            ACCOUNT,
            _date("date", "day, or first day of the month", needed=True),
            _number("hours", "hours", needed=True, maximum=744),
            _text("owner", "who spent them"),
        ),
        known_from="date",
    ),
    Schema(
        "contacts",
        "contacts made",
        (
            ACCOUNT,
            _date("date", "day", needed=True),
            _text("channel", "visit, call, message …"),
            _text("owner", "who made it"),
            _text("person", "contact person"),
            _text("note", "what it was about"),
        ),
        known_from="date",
    ),
    Schema(
        "persons",
        "contact persons at customers",
        (
            _text("person", "id of the person", needed=True),
            ACCOUNT,
            _text("name", "name"),
            _text("role", "role in buying, such as user, buyer, decider"),
            _text("department", "department, such as purchasing, production, finance"),
            _date("active_from", "known from"),
            _date("active_to", "left on"),
        ),
        key=("person",),
        known_from="active_from",
        outcomes=(("active_to",),),
        rising=(("active_from", "active_to"),),
    ),
    Schema(
        "complaints",
        "complaints and how satisfied customers are",
        (
            _text("complaint", "id of the complaint"),
            ACCOUNT,
            _date("date", "day", needed=True),
            _text("subject", "what it is about"),
            _date("closed", "day on which it was settled"),
            _number("satisfaction", "satisfaction, from 0 to 10", maximum=10),
        ),
        key=("complaint",),
        known_from="date",
        outcomes=(("closed", "satisfaction"),),
        rising=(("date", "closed"),),
    ),
    Schema(
        "competitors",
        "competitors at customers",
        (
            ACCOUNT,
            _text("competitor", "name of the competitor", needed=True),
            _text("product_line", "product line"),
            _number("share", "the competitor's share of what the customer buys, from 0 to 1", maximum=1),
            _date("date", "day on which that was learnt"),
        ),
        key=("account", "competitor", "product_line", "date"),
        known_from="date",
    ),
    Schema(
        "targets",
        "targets",
        (
            _date("start", "first day of the period", needed=True),
            _date("end", "last day of the period", needed=True),
            Field("account", meaning="customer, where the target is one customer's"),
            _text("owner", "person, where it is one person's"),
            _text("region", "region, where it is one's"),
            _text("product_line", "product line, where it is one's"),
            _number("amount", "revenue to reach, in currency", needed=True),
            _date("set_on", "day on which it was set"),
        ),
        money="amount",
        known_from="set_on",
        rising=(("start", "end"),),
    ),
    Schema(
        "actions",
        "actions agreed on",
        (
            _text("action", "id of the action", needed=True),
            ACCOUNT,
            _text("text", "what is to be done", needed=True),
            _text("owner", "who does it"),
            _date("created", "day on which it was agreed on"),
            _date("due", "day by which it is to be done"),
            _date("done", "day on which it was done"),
        ),
        key=("action",),
        known_from="created",
        outcomes=(("done",),),
        rising=(("created", "due"), ("created", "done")),
    ),
    Schema(
        "products",
        "products",
        (
            _text("product", "code of the product", needed=True),
            _text("name", "name"),
            _text("product_line", "product line"),
            _number("list_price", "list price of a unit, in currency"),
            _number("cost", "cost of a unit, in currency"),
            _date("active_from", "sold from"),
            _date("active_to", "sold until"),
        ),
        key=("product",),
        known_from="active_from",
        rising=(("active_from", "active_to"),),
    ),
    Schema(
        "controls",
        "monthly control totals from the books",
        (
            Field("month", "month", "month", needed=True),
            _number("amount", "what the books say, in currency", needed=True, minimum=None),
        ),
        key=("month",),
        money="amount",
        known_from="month",
    ),
)

SCHEMAS: dict[str, Schema] = {schema.name: schema for schema in _TABLES}
"""The optional tables by name; the configuration calls them source.NAME."""

RATES = Schema(
    "rates",
    "exchange rates",
    (
        _text("currency", "code of the currency", needed=True),
        _date("date", "day from which it holds", needed=True),
        Field("rate", "number", "units of the company's currency for one", needed=True, above=0),
    ),
    known_from="date",
    key=("currency", "date"),
    agreeing="rate",
)
"""The rates by which amounts are converted; the configuration calls them source.rates."""
