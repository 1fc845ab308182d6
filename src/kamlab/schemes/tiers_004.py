"""Document 004's small, medium, large and VIP customers: four fitted classes of lifetime value above 0; else small."""

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Scheme, fitted

LABELS = ("small", "medium", "large", "VIP")
PRINTED = (N_("small customers"), N_("medium customers"), N_("large customers"), N_("VIP customers"))

SCHEME = Scheme(
    name="tiers_004",
    title=N_("Small to VIP by lifetime value"),
    document="004",
    kind="fitted",
    needs=("clv",),
    classes={"tiers_004": Classes(LABELS, order="clv", value="clv", bounds=("lower", "upper"), printed=PRINTED)},
    classify=fitted("tiers_004", "clv", LABELS),
)
