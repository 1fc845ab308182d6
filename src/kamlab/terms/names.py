"""Names that the tables' values take, and the choices of the configuration."""

from __future__ import annotations

LEVELS = ("Low", "Mid", "High")
"""The three classes of contribution and of potential, in rising order."""

STRATEGIES = ("acquire", "promote", "retain", "win_back", "static")
"""The five strategies of document 000."""

TYPES = ("A", "B", "C", "D")
"""The four account types of document 000."""

ABC = ("A", "B", "C")
"""Three classes in falling order, as documents 002 and 004 name them."""

CREDIT_CLASSES = ("AAA", "AA", "A", "none")
"""The credit classes of document 002, and none."""

POTENTIAL_SOURCES = ("declared", "fitted", "own_peak", "pipeline", "unknown")
"""Where a potential comes from, in falling order of trust."""

IDS = ("account", "order_id", "line_id", "product", "product_line")
"""Text columns of the ledger that tell things apart, and so may be numbers that count nothing."""

FORECASTERS = (
    *("last_horizon", "seasonal", "trailing", "same_count", "rate"),
    *("nbd", "bg_nbd", "mbg_nbd", "pareto_nbd", "bg_cnbd", "mbg_cnbd", "bg_bb"),
    *("bg_nbd_covariates", "pareto_nbd_covariates"),
    *("blend", "combination", "supervised"),
)
"""What can be in force as the forecast, the simplest first."""

COVARIATES = ("channel", "industry", "region", "country", "territory", "size")
"""Columns of the account master that models of purchases may take."""

AUTO = "auto"
"""The forecaster that the contest chooses."""

LINE_KINDS = ("sale", "return", "rebate", "free", "freight", "tax", "intercompany")
"""Kinds of ledger lines."""

EXCLUDED = "excluded"
"""Kind of the lines that the configuration leaves out, such as those of cancelled orders."""

REVENUE_KINDS = ("sale", "return", "rebate")
"""Kinds of ledger lines that count as revenue."""
