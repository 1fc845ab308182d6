"""Where every number of the documents comes from: traces, by document."""

from kamlab.reports.traces.common import COMMON
from kamlab.reports.traces.management import MANAGEMENT
from kamlab.reports.traces.plans import PLANS
from kamlab.reports.traces.review import REVIEW
from kamlab.reports.traces.trace import DRAWN, VALUE, Trace

TRACES = (*COMMON, *MANAGEMENT, *REVIEW, *PLANS)

__all__ = ["DRAWN", "TRACES", "VALUE", "Trace"]
