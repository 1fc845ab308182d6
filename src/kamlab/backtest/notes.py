"""What a choice has to say of itself: what limits its record, and what stands in for what could not be fitted."""

from __future__ import annotations

from kamlab.i18n import N_

NOTE_NO_ORIGIN = N_(
    "The log is too short for a check: no earlier date has enough accounts and purchases to forecast from."
)
NOTE_SHORT = N_(
    "The log holds less than two horizons: the forecast was checked from a shorter history than it has now, and the "
    "contest cannot support its choice."
)
NOTE_ONE_ORIGIN = N_(
    "The forecast could be checked from one earlier date only; it was chosen there, so its record is not untouched."
)
NOTE_DEFAULT = N_(
    "Nothing could be chosen: half of the forecast is the best-fitting model's, half the purchases of the last 12 "
    "months."
)
NOTE_CONFIGURED = N_("The forecaster was set in the configuration; the contest did not choose it.")
NOTE_UNTAUGHT = N_("There is no earlier date that could teach the learner; the combination does without it.")
NOTE_NO_SPEND = N_("Order values cannot be modelled, so purchases are forecast and no money.")
NOTE_SAMPLED = N_("The contest looked at a random sample of the accounts; the forecast is made from all of them.")
NOTE_LEFT_OUT = N_("At least one model could not be fitted at every earlier date; there it was left out.")
NOTE_REPLACED = N_("The chosen model could not be fitted to all data; the next best stands in its place.")
NOTE_SILENT = N_(
    "Some accounts bought nothing where the rule looks. They get what the model expects of them, corrected by what "
    "such accounts brought at earlier dates."
)
NOTE_FEW = N_(
    "Fewer than 30 accounts have bought, or fewer than 10 have bought again: too few to fit a model to. Assumptions on "
    "companies at large fill in what these accounts do not show, and the intervals are wide."
)
NOTE_ALIVE = N_("BG/CNBD takes every one-time buyer for active: P(alive) is 1 there, however long the silence.")
