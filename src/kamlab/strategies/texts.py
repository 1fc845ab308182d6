"""Names, meanings, tactics and reasons of the default playbook, for readers of reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kamlab.i18n import N_


@dataclass(frozen=True)
class Text:
    """Words for one label; all are keys of the message catalogue.

    name : as printed; meaning : one sentence; tactics : what to do, one sentence each.
    """

    name: str
    meaning: str
    tactics: tuple[str, ...] = ()


STRATEGIES: Mapping[str, Text] = {
    "acquire": Text(
        N_("Acquire"),
        N_("Turn a promising prospect into a customer."),
        (
            N_("Find out who decides, who uses the product and who pays, and meet each of them."),
            N_("Offer a sample or a trial order, with a date for the decision."),
            N_("Show a customer of the same industry who is content."),
        ),
    ),
    "promote": Text(
        N_("Promote"),
        N_("Win a larger share of what the customer already buys elsewhere."),
        (
            N_("Learn its projects and purchase plans of the year before the tenders are out."),
            N_("Bring technical advice and a complete solution in early."),
            N_("Agree on volume steps, and on what the customer gains at each of them."),
        ),
    ),
    "retain": Text(
        N_("Retain"),
        N_("Keep a valuable customer buying, and competitors outside."),
        (
            N_("Meet users, buyers and management at fixed intervals."),
            N_("Propose a supply plan for the year that lowers the customer's cost."),
            N_("Settle complaints first, and ask how content the customer is."),
        ),
    ),
    "win_back": Text(
        N_("Win back"),
        N_("Bring back a valuable customer who is leaving or has left."),
        (
            N_("Ask for the true reason in person, by someone who may decide."),
            N_("Agree on a recovery plan with dates, and limit any price concession in time."),
            N_("Name one person who answers for service until the third order."),
        ),
    ),
    "static": Text(
        N_("Wait and see"),
        N_("Keep in touch at little cost, and wait for an occasion."),
        (
            N_("Keep a light contact each quarter, by phone or message."),
            N_("Watch for changes: new management, a new site, a new project."),
            N_("Serve on standard terms, without visits."),
        ),
    ),
}

TYPES: Mapping[str, Text] = {
    "A": Text(
        N_("Type A"),
        N_("Invest first: first call on people, stock and management time; an account plan for each."),
    ),
    "B": Text(N_("Type B"), N_("Hold: keep today's service, and add resources only against a threat.")),
    "C": Text(
        N_("Type C"),
        N_("Invest selectively: only where a project shows how the potential can be won."),
    ),
    "D": Text(N_("Type D"), N_("Minimum effort: standard terms, and service from a shared team.")),
}

FLAGS: Mapping[str, Text] = {
    "no_owner": Text(N_("No owner"), N_("Nobody in sales is responsible for the account.")),
    "hold": Text(
        N_("Hold"), N_("Owes or disputes money for more than 90 days: settle that before anything is promised.")
    ),
    "override": Text(N_("Decided by hand"), N_("A person has decided against the rule.")),
    "bz_strategic": Text(N_("Strategic below zero"), N_("Loses money, and is kept for a strategic reason.")),
    "repair": Text(N_("Repair"), N_("Mend price, terms and service cost before selling more.")),
    "check_margin": Text(
        N_("Check margin"), N_("More likely loses money than not, without the certainty that a repair asks for.")
    ),
    "watch": Text(N_("Watch"), N_("Silent, though it is still expected to contribute much.")),
    "lapsed": Text(N_("Lapsed"), N_("Silent, and too small or too short a customer for a win-back.")),
    "review": Text(N_("Review"), N_("Large orders in two different years and nothing else: look at it by hand.")),
    "returning": Text(N_("Returning"), N_("Has ordered again after more than a year; fewer than three orders since.")),
    "new": Text(N_("New"), N_("Fewer than three order days, or known for less than a year.")),
    "headroom": Text(N_("Headroom"), N_("Contributes much, and still gives us little of what it buys.")),
    "saturated": Text(N_("Saturated"), N_("Buys nearly all that it can buy from us: protect it.")),
    "future": Text(N_("Future"), N_("Could buy clearly more from us.")),
    "conquest": Text(N_("Rival inside"), N_("Could buy much, and a competitor holds the place that should be ours.")),
    "provisional": Text(N_("Provisional"), N_("The type rests on the account's own best year, or on a short history.")),
    "collect_data": Text(N_("Collect data"), N_("What it could buy is unknown: ask.")),
}

REASONS: Mapping[str, str] = {
    "prospect.acquire": N_("Has never bought, and could buy {potential}."),
    "prospect.small": N_("Has never bought, and could buy only {potential}."),
    "prospect.graded": N_("Has never bought; its pipeline promises a deal soon, what it could buy is unknown."),
    "prospect.unknown": N_("Has never bought, and nobody has said what it could buy."),
    "returner.wait": N_("Has sent goods or money back, and has no purchase in this log."),
    "negative.strategic": N_("Loses money at {trailing} of revenue in the last 12 months; kept as strategic."),
    "negative.repair": N_("Loses money at {trailing} of revenue in the last 12 months."),
    "win_back.silent": N_("Silent for {days} days; bought {peak} in its best 12 months."),
    "win_back.shrinking": N_(
        "Down to {trailing} in the last 12 months, from {prior_peak} in its best 12 months before."
    ),
    "silent.watch": N_("Silent for {days} days, and still expected to bring {contribution}."),
    "silent.lapsed": N_("Silent for {days} days; bought {peak} in its best 12 months, no case for a win-back."),
    "static.type_d": N_("Expected to bring {contribution}, and could buy {potential}: little of both."),
    "static.type_c": N_("Expected to bring {contribution}, and buys already {share} of {potential}."),
    "promote.type_c": N_("Expected to bring {contribution}, and could buy {potential}."),
    "promote.mid": N_("Expected to bring {contribution}; it bought {trailing} in the last 12 months, of {potential}."),
    "retain.value": N_("Expected to bring {contribution}; it bought {trailing} in the last 12 months."),
    "override": N_("Decided by {decider}, until {until}: {because}."),
}
"""Strategy rule → sentence for a report's line."""

POTENTIALS: Mapping[str, str] = {
    "declared": N_("{amount} a year (declared)"),
    "fitted": N_("{amount} a year (what the largest tenth of similar accounts buys)"),
    "own_peak": N_("{amount} a year (its own best 12 months)"),
    "pipeline": N_("{amount} a year (its open deals, a least amount)"),
}
"""Source of a potential → the potential, as sentences name it."""

OTHER_REASON = N_("Rule {rule}: {inputs}.")
"""Sentence for a rule that an analyst has added to the playbook."""

SCHEMES: Mapping[str, Mapping[str, Text]] = {
    "four_001": {
        "I": Text(
            N_("Support and develop"),
            N_("Valuable today and able to grow: invest in the relationship."),
            (
                N_("Make an offer that is built for this customer alone."),
                N_("Give it a fixed team that knows its business and its plans."),
                N_("Reward its loyalty with better terms for more business."),
            ),
        ),
        "II": Text(
            N_("Maintain efficiently"),
            N_("Valuable today, with little room to grow: keep it at a lower cost."),
            (
                N_("Move routine orders to a direct, cheaper channel."),
                N_("Offer a package that meets its needs without special effort."),
            ),
        ),
        "III": Text(
            N_("Nurture and change behaviour"),
            N_("Brings little today and could bring much: help it to become profitable."),
            (
                N_("Teach it how to use and order the products better."),
                N_("Tie every advantage to a change: larger orders, a wider range, earlier payment."),
            ),
        ),
        "IV": Text(
            N_("Serve at lower cost"),
            N_("Brings little and has little room: standard service, and no special effort."),
            (
                N_("Bundle deliveries and set a smallest order."),
                N_("Sell other products along with what it orders anyway."),
                N_("Where it costs more than it brings even so, take back services."),
            ),
        ),
    },
    "value_004": {
        "MVC": Text(N_("Most valuable"), N_("Belongs to the highest class of expected contribution.")),
        "MGC": Text(N_("Fastest growing"), N_("Has grown beyond doubt and has room for more.")),
        "growable": Text(N_("Growable"), N_("Has room for more; growth is not proved.")),
        "BZ": Text(N_("Below zero"), N_("Loses money while it buys.")),
        "BZ_strategic": Text(
            N_("Below zero, strategic"), N_("Loses money, and is kept for a reason with an end date.")
        ),
        "other": Text(N_("Other"), N_("Neither among the most valuable nor with room to grow.")),
    },
    "matrix_004": {
        "strengthen": Text(N_("Strengthen"), N_("Owns much of our range and is about to buy much.")),
        "contact": Text(N_("Keep in contact"), N_("Owns much of our range and is about to buy little.")),
        "develop": Text(N_("Develop"), N_("Owns little of our range and is about to buy much.")),
        "acquire": Text(N_("Win over"), N_("Owns and buys little, and could buy clearly more.")),
        "abandon": Text(N_("Give up"), N_("Owns and buys little, and loses money.")),
        "self_service": Text(
            N_("Self-service"), N_("Owns and buys little, and that will not change: it orders by itself.")
        ),
        "unknown": Text(N_("Share unknown"), N_("Nobody knows how much of what it buys comes from us.")),
    },
    "engagement_001": {
        "market": Text(N_("Market"), N_("The same offer for everybody.")),
        "segment": Text(N_("Segment"), N_("An offer for customers with the same needs.")),
        "niche": Text(N_("Niche"), N_("An offer for a few customers who are much alike.")),
        "one_to_one": Text(N_("One to one"), N_("One person of ours, one plan, one customer.")),
        "team": Text(
            N_("Team to one"), N_("Several departments of ours work from one shared picture of the customer.")
        ),
        "together": Text(N_("Together"), N_("We and the customer work on the same task.")),
    },
}
"""Labels of the playbook's other schemes, with what they mean."""

NAMES: Mapping[str, Mapping[str, str]] = {
    "lifecycle_002": {
        "prospect": N_("Prospect"),
        "new": N_("New"),
        "active": N_("Active"),
        "at_risk": N_("At risk"),
        "lost": N_("Lost"),
    },
    "coverage_004": {
        "one": N_("One account a person"),
        "two": N_("Two accounts a person"),
        "three_to_five": N_("Three to five accounts a person"),
        "pooled": N_("Shared team"),
        "self_service": N_("Orders by itself"),
    },
    "terms_002": {
        "open": N_("Open account"),
        "short": N_("Short terms"),
        "part_deposit": N_("Part in advance"),
        "deposit": N_("Payment in advance"),
        "stopped": N_("Stopped until settled"),
        "unknown": N_("Not known"),
    },
    "key_003": {
        "protect": N_("Protect"),
        "cultivate": N_("Cultivate"),
        "capture": N_("Capture"),
        "remove": N_("Remove"),
        "serve": N_("Serve"),
    },
    "remove_list": {
        "proposed": N_("Proposed for removal"),
        "watched": N_("Watched"),
        "no": N_("No"),
    },
}
"""Labels of schemes that explain themselves."""
