"""Document 004's classes by attitude: how satisfied accounts say they are, from 0 to 10.

The score is the mean of what they answered in the last 12 months; the table of complaints has such answers. The limits
are those of the net promoter score (Reichheld, 2003): from 9 on promoters, under 7 detractors.
"""

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Found, Scheme, by_cuts
from kamlab.tiers import by_hand

LABELS = (N_("detractor"), N_("passive"), N_("promoter"))
BORDERS = (7.0, 9.0)

SCHEME = Scheme(
    name="attitude_004",
    title=N_("Attitude"),
    document="004",
    kind="fixed",
    needs=("attitude_score",),
    classes={"attitude_004": Classes(LABELS, order="attitude_score")},
    classify=lambda table, context: Found(
        {"attitude_004": by_cuts(table, table["attitude_score"], by_hand(BORDERS, labels=LABELS))}
    ),
)
