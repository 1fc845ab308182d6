"""Document 004's development potential: three fitted classes of headroom."""

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Scheme, fitted
from kamlab.terms import LEVELS

SCHEME = Scheme(
    name="development_004",
    title=N_("Development potential"),
    document="004",
    kind="fitted",
    needs=("headroom",),
    classes={"development_004": Classes(LEVELS, order="headroom")},
    classify=fitted("development_004", "headroom", LEVELS),
)
