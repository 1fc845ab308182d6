"""What to do about a label: goals, resources, aspects, departments, horizons, tactics.

Written for readers of account plans and reports. `SOURCES` says which entries of the documents' catalogue a text rests
on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kamlab.i18n import N_, Translator
from kamlab.strategies.model import Playbook
from kamlab.strategies.texts import NAMES, SCHEMES, STRATEGIES


@dataclass(frozen=True)
class Advice:
    """What a strategy asks for; all are keys of the message catalogue.

    goal : what counts as done; resources : what it may cost; short, mid, long : steps within 12 months, 3 and 5 years.
    """

    goal: str
    resources: str
    short: str
    mid: str
    long: str


@dataclass(frozen=True)
class Effort:
    """How much a type of account gets; keys of the message catalogue."""

    resources: str
    management: str


ADVICE: Mapping[str, Advice] = {
    "acquire": Advice(
        N_("A first order within the year, from the right decision makers."),
        N_("Hours of sales and technical people before the sale, limited by what the prospect could bring."),
        N_("Find the deciders and the need; agree on a trial."),
        N_("Win the first project and deliver it without a fault."),
        N_("Become one of its two regular suppliers."),
    ),
    "promote": Advice(
        N_("A larger share of what it buys, shown in orders and not in visits."),
        N_("More presales, earlier: experts, samples and drafts of solutions in its planning season."),
        N_("List its projects of the year with dates, budgets and deciders."),
        N_("Win one product line that it buys elsewhere today."),
        N_("Agree on a frame contract over several years."),
    ),
    "retain": Advice(
        N_("Last year's contribution again, and no competitor inside."),
        N_("First call on service and stock; no new discounts."),
        N_("Meet users, buyers and management; settle what is open."),
        N_("Bring a plan that lowers its running costs."),
        N_("Tie systems and planning of both companies together."),
    ),
    "win_back": Advice(
        N_("The true reason within a month, a decision within three."),
        N_("One person with authority; price concessions below half of what can be recovered, and limited in time."),
        N_("Ask in person why it left, and mend the cause."),
        N_("Deliver three orders in a row without a complaint."),
        N_("Return it to the ordinary plan of its type."),
    ),
    "static": Advice(
        N_("Contact at little cost, so that a change is noticed."),
        N_("No visits; telephone, messages and the shared team."),
        N_("Send what is of use, and keep its data up to date."),
        N_("Look at it again when its management, site or projects change."),
        N_("Move it up as soon as its potential is known and large."),
    ),
}
"""Strategy → what it asks for."""

EFFORT: Mapping[str, Effort] = {
    "A": Effort(
        N_("Half of all special effort: people, stock, management time."),
        N_("A plan each year, a review each quarter, one person responsible."),
    ),
    "B": Effort(
        N_("Keep today's effort; add only against a threat."), N_("Fixed contact intervals, a review twice a year.")
    ),
    "C": Effort(
        N_("Effort by project, released when a project is won."),
        N_("A plan where the potential is high; else a list of projects."),
    ),
    "D": Effort(N_("None beyond the shared team."), N_("No plan; moved up when its numbers change.")),
}
"""Type → how much it gets."""

ASPECT_NAMES: Mapping[str, str] = {
    "identify": N_("Identify"),
    "attract": N_("Attract"),
    "serve": N_("Serve"),
    "retain": N_("Keep"),
    "develop": N_("Develop"),
}

ASPECTS: Mapping[str, Mapping[str, str]] = {
    "identify": {
        "I": N_("Know every decider, user and plan of the next years."),
        "II": N_("Know what it needs and what of it is routine."),
        "III": N_("Know what it buys elsewhere, and why it brings so little."),
        "IV": N_("Keep name, address and orders right; ask no more."),
    },
    "attract": {
        "I": N_("Show first what nobody else can see yet."),
        "II": N_("Make ordering so easy that nobody looks elsewhere."),
        "III": N_("Offer a first step with a clear gain for both."),
        "IV": N_("Catalogue, price list and campaigns for all."),
    },
    "serve": {
        "I": N_("A named team, and answers within the day."),
        "II": N_("Agreed service levels, through cheap channels."),
        "III": N_("Help and training with its first larger uses."),
        "IV": N_("Standard processes and set delivery days."),
    },
    "retain": {
        "I": N_("Measure how content it is, and act before it complains."),
        "II": N_("Keep quality and dates; contracts that renew themselves."),
        "III": N_("Keep it only while its potential justifies the help."),
        "IV": N_("Do not pay for staying."),
    },
    "develop": {
        "I": N_("A joint plan over several years, with people from both sides."),
        "II": N_("Add only what costs little to sell."),
        "III": N_("Raise margin first, then volume."),
        "IV": N_("Cross-sell with the order, or not at all."),
    },
}
"""Aspect of customer management → label of `four_001` → what to do."""

DEPARTMENT_NAMES: Mapping[str, str] = {
    "sales": N_("Sales"),
    "marketing": N_("Marketing"),
    "service": N_("Service"),
    "operations": N_("Operations"),
    "technical": N_("Technical"),
    "finance": N_("Finance"),
}

DEPARTMENTS: Mapping[str, Mapping[str, str]] = {
    "sales": {
        "acquire": N_("Open doors: name each decider and the next step."),
        "promote": N_("Follow each project from the budget on."),
        "retain": N_("Visit on schedule; watch for competitors."),
        "win_back": N_("Lead the recovery, with management beside."),
        "static": N_("Telephone each quarter."),
    },
    "marketing": {
        "acquire": N_("References of the same industry."),
        "promote": N_("Material for each of its projects."),
        "retain": N_("Invite it to events and ask its opinion."),
        "win_back": N_("Nothing until the cause is mended."),
        "static": N_("Newsletter and catalogue only."),
    },
    "service": {
        "acquire": N_("Answer its trial at once."),
        "promote": N_("Train its users on the new product line."),
        "retain": N_("Settle complaints first; report open ones monthly."),
        "win_back": N_("One person answers until the third order."),
        "static": N_("Standard service."),
    },
    "operations": {
        "acquire": N_("Keep samples and a trial lot ready."),
        "promote": N_("Plan capacity for the volume steps."),
        "retain": N_("Reserve stock for its forecast."),
        "win_back": N_("No late delivery until it is back."),
        "static": N_("Bundle deliveries."),
    },
    "technical": {
        "acquire": N_("Work out a first solution with its users."),
        "promote": N_("Bring experts into its planning."),
        "retain": N_("Show how it runs at lower cost."),
        "win_back": N_("Find out whether quality drove it away."),
        "static": N_("On request only."),
    },
    "finance": {
        "acquire": N_("Check its credit before the first offer."),
        "promote": N_("Terms that reward volume and early payment."),
        "retain": N_("Watch overdue amounts and its share of our revenue."),
        "win_back": N_("Price concessions in writing, with an end date."),
        "static": N_("Standard terms."),
    },
}
"""Department → strategy → what it does."""

PRINCIPLES: Mapping[str, str] = {
    "levels": N_(
        "First choose the market, then the customers in it; some rules hold for all customers, others for one class."
    ),
    "volume": N_("Judge a customer by what it leaves with us, not by volume or share alone."),
    "qualify": N_(
        "Before hours go into a deal, ask whether the customer will buy, when, from which budget, and who decides."
    ),
    "projects": N_(
        "Where we are ahead in a project, win it; where a rival is ahead, look for the need that it leaves open, and "
        "do not give up because we are weaker today."
    ),
    "unfit": N_(
        "Do not press products on a customer that serve it badly; what comes back or is complained about tells."
    ),
    "rewards": N_("Discounts, rewards and special service are bounded by what they can bring, and have an end date."),
    "references": N_("Large customers who are content bring others: ask them for a word."),
    "people": N_(
        "Choose, train and encourage people for the customer's good: they know it, share what they know, answer for "
        "complaints, and promise only what can be kept."
    ),
    "software": N_("Choose software by its price, its use in the industry and its future; it does not replace a plan."),
}
"""What holds for every customer, whatever its labels."""

SOURCES: Mapping[str, tuple[str, ...]] = {
    "strategy.acquire": ("000-11", "000-12", "000-22"),
    "strategy.promote": ("000-13", "000-14", "000-15", "000-22"),
    "strategy.retain": ("000-16", "000-17", "000-22", "000-28"),
    "strategy.win_back": ("000-18", "000-19", "000-22"),
    "strategy.static": ("000-20", "000-21", "000-22"),
    "type_000": ("000-09", "000-10"),
    "four_001": ("001-14", "001-15", "001-16", "001-17"),
    "aspects": ("001-02", "001-06", "001-12", "001-13"),
    "departments": ("001-18", "003-03"),
    "engagement_001": ("001-22", "001-23", "001-24", "001-25", "001-26"),
    "value_004": ("004-05", "004-06", "004-07", "004-16"),
    "matrix_004": ("004-12", "004-13", "004-14", "004-15"),
    "coverage_004": ("004-22", "004-23", "004-24", "004-25"),
    "lifecycle_002": ("002-01", "002-04"),
    "terms_002": ("002-09", "002-10", "002-11"),
    "key_003": ("003-33", "003-35", "003-36", "003-37"),
    "remove_list": ("001-17", "003-33", "004-07"),
    "horizons": ("001-21", "002-19", "004-03"),
    "levels": ("001-01", "003-01"),
    "volume": ("001-19",),
    "qualify": ("003-23",),
    "projects": ("002-20",),
    "unfit": ("002-24", "003-29", "004-09"),
    "rewards": ("003-31", "003-41"),
    "references": ("004-26",),
    "people": ("003-11", "003-38", "003-40"),
    "software": ("003-19",),
}
"""Text → entries of the documents' catalogue that it rests on."""


def name(t: Translator, scheme: str, label: str) -> str:
    """Return the name of a label of one of the other schemes, as readers see it; an unknown one as it is."""
    if scheme in SCHEMES and label in SCHEMES[scheme]:
        return t(SCHEMES[scheme][label].name)
    return t(NAMES[scheme][label]) if label in NAMES.get(scheme, {}) else label


def tactics(t: Translator, strategy: str, playbook: Playbook) -> list[str]:
    """Return the tactics of a strategy: ours in the reader's language, then those of the playbook as they stand."""
    own = [t(sentence) for sentence in STRATEGIES[strategy].tactics]
    return own + [tactic.text for tactic in playbook.tactics if tactic.strategy == strategy]
