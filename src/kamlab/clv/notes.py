"""What fitted models say of themselves and reports leave to their own sentences."""

from __future__ import annotations

from kamlab.i18n import N_

NOTE_ONE_TIME = N_("BG/NBD takes every one-time buyer for active: P(alive) is 1 there, however long the silence.")
