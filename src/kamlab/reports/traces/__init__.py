"""Where every number of the documents comes from: traces, in the order of the documents."""

from kamlab.reports.traces.common import COMMON
from kamlab.reports.traces.first_page import DECISIONS, FIRST_PAGE, HOW_SURE
from kamlab.reports.traces.lists import LISTS, STRATEGIES
from kamlab.reports.traces.plans import PLANS
from kamlab.reports.traces.record import DATA, FIXED_AND_FITTED, FORECAST, OWNERS
from kamlab.reports.traces.review import REVIEW
from kamlab.reports.traces.trace import DRAWN, VALUE, Trace

MANAGEMENT = (
    *FIRST_PAGE,
    *DECISIONS,
    *HOW_SURE,
    *STRATEGIES,
    *LISTS,
    *OWNERS,
    *FIXED_AND_FITTED,
    *FORECAST,
    *DATA,
)
TRACES = (*COMMON, *MANAGEMENT, *REVIEW, *PLANS)

__all__ = ["COMMON", "DRAWN", "MANAGEMENT", "PLANS", "REVIEW", "TRACES", "VALUE", "Trace"]
