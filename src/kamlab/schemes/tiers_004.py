"""Document 004's small, medium, large and VIP customers: four fitted classes of lifetime value above 0; else small."""

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Scheme, fitted

LABELS = (N_("small"), N_("medium"), N_("large"), N_("VIP"))

SCHEME = Scheme(
    name="tiers_004",
    title=N_("Small to VIP by lifetime value"),
    document="004",
    kind="fitted",
    needs=("clv",),
    classes={"tiers_004": Classes(LABELS, order="clv", value="clv")},
    classify=fitted("tiers_004", "clv", LABELS),
)
