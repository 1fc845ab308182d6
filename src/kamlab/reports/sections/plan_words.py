"""Sentences of account plans: what the data shows, what it asks for, and names of facts, roles and states."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from kamlab.i18n import COMMAS, N_, Translator
from kamlab.strategies.wording import chance

PARTS: Mapping[str, str] = {
    "strength": N_("Strengths"),
    "weakness": N_("Weaknesses"),
    "opportunity": N_("Opportunities"),
    "threat": N_("Threats"),
}

OWN_WORDS: Mapping[str, str] = {
    "strength": "strengths",
    "weakness": "weaknesses",
    "opportunity": "opportunities",
    "threat": "threats",
}
"""Part → column of the workbook with what people add."""

FINDINGS: Mapping[str, str] = {
    "share_high": N_("{share} of what it can buy from us it does buy."),
    "grown": N_("It has grown: {money} in the last 12 months, after {before}."),
    "faithful": N_("It bought on {number} days in 12 months, and still buys with a probability of {probability}."),
    "good_margin": N_("Its margin rate is {share}; half of all accounts are below {other}."),
    "pays_well": N_("It pays on time: credit class {name}."),
    "content": N_("It is content: {decimal} of 10 (answers: {number})."),
    "loses_money": N_("It loses money while it buys, with a probability of {probability}."),
    "complaints": N_("Open complaints: {number}."),
    "shrunk": N_("Down to {money} in the last 12 months, from {before} in its best 12 months before."),
    "share_low": N_("Only {share} of what it can buy from us it does buy."),
    "discontent": N_("It is not content: {decimal} of 10 (answers: {number})."),
    "no_decider": N_("We know nobody there who decides."),
    "contact_overdue": N_("Days since contact was due: {number}."),
    "poor_margin": N_("Its margin rate is only {share}; half of all accounts are above {other}."),
    "one_line": N_("It buys only one product line: {name}."),
    "recover": N_("In its best 12 months before the last it bought for {money} more than is expected now."),
    "headroom": N_("Headroom of {money} a year beyond the forecast."),
    "deals": N_("Open deals: {number}; by their chances worth {money}."),
    "lines_missing": N_("Most customers of its industry also buy {names}."),
    "projects": N_("Projects under way: {number}; worth {money} to us."),
    "no_owner": N_("Nobody here is responsible for it."),
    "overdue": N_("{money} is overdue for more than 90 days."),
    "disputed": N_("It disputes {money}."),
    "rival": N_("{name} delivers {share} of what it buys of {line}."),
    "rival_inside": N_("{name} delivers there too."),
    "leaving": N_("It still buys with a probability of only {probability}."),
    "one_order": N_("A single order brought {share} of its revenue of the last 12 months."),
    "pays_late": N_("It pays late, by {number} days on average."),
    "dependence": N_("It brings {share} of our revenue; its loss would hurt."),
}
"""Finding → its sentence."""

PROPOSALS: Mapping[str, str] = {
    "name_owner": N_("Name the person who is responsible for it."),
    "settle": N_("Settle {money} that is overdue or disputed for more than 90 days, before anything is promised."),
    "settle_complaints": N_("Settle its open complaints: {number}."),
    "ask_reason": N_("Ask in person why it left, and write the answer down."),
    "decide_recovery": N_("Decide whether to go on with the recovery or to let it go."),
    "mend_margin": N_("Mend price, terms and service cost before selling more."),
    "contact": N_("Get in touch: contact is overdue."),
    "find_decider": N_("Find out who decides, and meet that person."),
    "follow_deals": N_("Bring its open deals to a decision: {number}."),
    "cross_sell": N_("Offer what most of its industry buys: {names}."),
    "answer_rival": N_("Find out what {name} does better, and answer it."),
    "ask_potential": N_("Ask what it could buy in a year, and note it in the account master."),
}
"""Proposal → its sentence."""

WHO: Mapping[str, str] = {
    "owner": N_("To be named"),
    "management": N_("Sales management"),
    "finance": N_("Finance"),
    "service": N_("Service"),
}
"""Who does what is proposed, where it is not the person responsible."""

STATES: Mapping[str, str] = {
    "overdue": N_("overdue"),
    "open": N_("open"),
    "done": N_("done"),
    "proposed": N_("proposed"),
}
"""State of an action."""

ROLES: Mapping[str, str] = {
    "decider": N_("Decider"),
    "buyer": N_("Buyer"),
    "user": N_("User"),
    "technical": N_("Technical"),
    "finance": N_("Finance"),
    "other": N_("Other"),
}
"""Role of a contact person."""

FACTS: Mapping[str, str] = {
    "industry": N_("Industry"),
    "channel": N_("Channel"),
    "country": N_("Country"),
    "size": N_("Size"),
    "owner": N_("Owner"),
    "potential": N_("Declared potential"),
    "contact": N_("Last contact"),
}
"""Fact of the customer card that no other line of the page shows to be missing."""

WHY_NOT: Mapping[str, str] = {
    "capacity": N_("Its owner can keep {capacity} plans, and more is at stake at {capacity} others."),
    "no_owner": N_("Nobody is responsible for it; name an owner first."),
}
"""Why an account that needs a plan has none."""

_Writer = Callable[[Translator, Any], str]

_WRITERS: Mapping[str, _Writer] = {
    "money": lambda t, v: t.money(v),
    "before": lambda t, v: t.money(v),
    "share": lambda t, v: t.percent(v),
    "other": lambda t, v: t.percent(v),
    "number": lambda t, v: t.number(v),
    "decimal": lambda t, v: t.number(v, digits=1),
    "probability": lambda t, v: chance(v, t),
    "name": lambda t, v: str(v),
    "line": lambda t, v: str(v),
    "names": lambda t, v: t.join(COMMAS, v),
}
"""Placeholder → how its value is written."""


def sentence(t: Translator, template: str, values: str) -> str:
    """Fill a template with values as the tables keep them: a JSON object."""
    return t(template, **{key: _WRITERS[key](t, value) for key, value in json.loads(values).items()})


def finding(t: Translator, row: Mapping[str, Any]) -> str:
    """Write a row of table "plan_findings"."""
    return sentence(t, FINDINGS[row["finding"]], row["finding_values"])


def action(t: Translator, row: Mapping[str, Any]) -> str:
    """Write what is to be done by a row of table "plan_actions": people's own words, or a proposal."""
    if row["state"] != "proposed":
        return str(row["text"])
    return sentence(t, PROPOSALS[row["action"]], row["action_values"])


def who(t: Translator, row: Mapping[str, Any]) -> str:
    """Write who does it."""
    if isinstance(row["who"], str):
        return row["who"]
    return t(WHO[row["department"] if row["department"] in WHO else "owner"])
