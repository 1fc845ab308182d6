"""The look of all figures: fonts, sizes and colours that hold in print, in grey and for colour-blind readers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

FONTS_DIR = Path(__file__).parents[1] / "reports" / "fonts"
FONT_FAMILIES = ["Noto Sans", "Noto Sans SC"]
WIDTH_INCHES = 6.5
"""Width of the text on the page: figures are drawn at their final size."""
RASTER_DPI = 220
MAX_VECTOR_POINTS = 5_000

INK = "#1F2933"
MUTED = "#66717F"
GRID = "#DDE2E8"
ACCENT = "#17365D"

STRATEGY_COLOURS = {
    "acquire": "#EDB13C",
    "promote": "#3296A8",
    "retain": "#17365D",
    "win_back": "#AE3A1E",
    "static": "#D0D5DB",
}
"""One colour a strategy; their greys are far apart too."""
TYPE_COLOURS = {"A": "#17365D", "B": "#2F7DB0", "C": "#EDB13C", "D": "#D0D5DB"}
LEVEL_COLOURS = {"Low": "#CBDCEB", "Mid": "#6C9DC6", "High": "#17365D"}
PALETTE = ("#17365D", "#3296A8", "#EDB13C", "#AE3A1E", "#D0D5DB", "#7A5C8E")
"""Colours for series without a meaning of their own."""


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    """Make the package's fonts known to matplotlib, ahead of fonts of the same name on the machine."""
    known = font_manager.fontManager.ttflist
    before = len(known)
    for path in sorted(FONTS_DIR.glob("*.ttf")):
        font_manager.fontManager.addfont(path)
    known[:0] = [known.pop() for _ in range(len(known) - before)][::-1]


@contextmanager
def style() -> Iterator[None]:
    """Draw with the reports' fonts, sizes and colours while the context lasts."""
    _register_fonts()
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]  # its stub lists every key
        yield


def to_svg(figure: Figure) -> str:
    """Return the figure as SVG text, the same for the same figure, and close it.

    Text stays text, to be set with the report's fonts; characters that these lack are left to the report.
    """
    import matplotlib.pyplot as plt

    buffer = StringIO()
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, dpi=RASTER_DPI)
    plt.close(figure)
    return buffer.getvalue()


def write_ticks(axis: Axis, write: Callable[[float], str]) -> None:
    """Let `write`, such as `Translator.money`, write an axis' tick labels.

    A logarithmic axis needs it: matplotlib writes powers of ten as mathematics, which reports do not read.
    """
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_formatter(NullFormatter())


def maybe_rasterize(artist: Collection | Line2D) -> None:
    """Turn the points of a scatter or line into an image inside the SVG where they are very many."""
    points = artist.get_xydata() if isinstance(artist, Line2D) else artist.get_offsets()
    artist.set_rasterized(len(np.asarray(points)) > MAX_VECTOR_POINTS)


_SETTINGS: dict[str, Any] = {
    "figure.figsize": (WIDTH_INCHES, 3.3),
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.family": FONT_FAMILIES,
    "font.size": 8.5,
    "text.color": INK,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "kamlab",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "patch.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
