"""The columns of the workbook that people fill: what each holds, and who may read it."""

from __future__ import annotations

from dataclasses import dataclass

from kamlab.i18n import N_


@dataclass(frozen=True)
class NoteField:
    """A column of the workbook: its name, its label and meaning (keys of the catalogue), whether it is personal."""

    name: str
    label: str
    meaning: str
    personal: bool = False


FIELDS = (
    NoteField("address", N_("Address"), N_("Where it is.")),
    NoteField("phone", N_("Telephone"), N_("The company's number.")),
    NoteField("business", N_("Business"), N_("What it makes, how much a year, for whom; its industry's situation.")),
    NoteField("organisation", N_("How it decides"), N_("Departments that use, buy and support, and how they decide.")),
    NoteField("culture", N_("Culture and ways of working"), N_("What it values and how it works.")),
    NoteField("needs", N_("Needs"), N_("What it needs and how it uses the products.")),
    NoteField("purchase_plans", N_("Purchase plans"), N_("Coming projects and tenders: when, budget, process.")),
    NoteField("competition", N_("What competitors do"), N_("Samples, use, how content it is with them, their people.")),
    NoteField("strengths", N_("Strengths"), N_("Where we are better; added to what the data shows.")),
    NoteField("weaknesses", N_("Weaknesses"), N_("Where we are worse; added to what the data shows.")),
    NoteField("opportunities", N_("Opportunities"), N_("What we could win; added to what the data shows.")),
    NoteField("threats", N_("Threats"), N_("What could cost us the customer; added to what the data shows.")),
    NoteField("reason_lost", N_("Why it left"), N_("The true reason, as told; for accounts to win back.")),
    NoteField("goals", N_("Goals agreed on"), N_("What we agreed on with it: volume, prices, product lines.")),
    NoteField("executives", N_("Executives needed"), N_("Who of management visits whom, and when.")),
    NoteField(
        "experts", N_("Experts and training needed"), N_("Technical people, training, samples: what for, and when.")
    ),
    NoteField("mid_term", N_("In three years"), N_("What we want to be to each other in three years.")),
    NoteField("long_term", N_("In five years"), N_("What we want to be to each other in five years.")),
    NoteField("birthdays", N_("Birthdays"), N_("Of contact persons who agreed that we note them."), personal=True),
    NoteField("interests", N_("Interests"), N_("Hobbies, schools, home towns; with consent only."), personal=True),
    NoteField("family", N_("Family"), N_("With consent only."), personal=True),
)
"""What only people can say of an account."""

ACCOUNT, NAME, OWNER, UPDATED = "account", "name", "owner", "updated"

MEANINGS = {
    ACCOUNT: N_("Id of the account; do not change it."),
    NAME: N_("Its name, written by kamlab for orientation; not read."),
    OWNER: N_("Person responsible, written by kamlab for orientation; not read."),
    UPDATED: N_("Day on which you last changed the row. A row of a later day than the report's is not read."),
}
"""The columns before the fields; keys of the message catalogue."""


def read_fields(*, personal: bool) -> tuple[str, ...]:
    """Return the names of the fields that are read."""
    return tuple(field.name for field in FIELDS if personal or not field.personal)
