"""Where every number of the documents comes from: traces, in the order of the documents."""

from kamlab.reports.traces.appendix_accounts import APPENDIX_ACCOUNTS
from kamlab.reports.traces.appendix_classes import APPENDIX_CLASSES
from kamlab.reports.traces.appendix_forecast import APPENDIX_FORECAST
from kamlab.reports.traces.appendix_lists import APPENDIX_LISTS
from kamlab.reports.traces.common import COMMON
from kamlab.reports.traces.first_page import DECISIONS, FIRST_PAGE, HOW_SURE
from kamlab.reports.traces.gains import GAINS
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
    *GAINS,
    *FIXED_AND_FITTED,
    *FORECAST,
    *DATA,
)
APPENDIX = (*APPENDIX_FORECAST, *APPENDIX_CLASSES, *APPENDIX_ACCOUNTS, *APPENDIX_LISTS)
TRACES = (*COMMON, *MANAGEMENT, *REVIEW, *PLANS, *APPENDIX)

__all__ = ["APPENDIX", "COMMON", "DRAWN", "MANAGEMENT", "PLANS", "REVIEW", "TRACES", "VALUE", "Trace"]
