"""A figure's SVG → SVG inside a page: only what draws, with styles as attributes and ids of its own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import escape

from kamlab.errors import ReportError

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
DRAWS = frozenset(
    (
        *("svg", "g", "defs", "clipPath", "path", "use", "text"),
        *("tspan", "rect", "circle", "ellipse", "line", "polyline", "polygon"),
        *("image", "title", "linearGradient", "radialGradient", "stop", "pattern"),
    )
)
"""Elements that are kept; nothing among them runs or fetches."""
GEOMETRY = frozenset(
    (
        *("d", "x", "y", "x1", "y1", "x2", "y2"),
        *("cx", "cy", "r", "rx", "ry", "width", "height"),
        *("points", "transform", "viewBox", "preserveAspectRatio", "clip-path", "clipPathUnits", "gradientUnits"),
        *("gradientTransform", "offset", "patternUnits", "patternTransform", "patternContentUnits"),
    )
)
PAINT = frozenset(
    (
        *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap"),
        *(
            "opacity",
            "stroke-linejoin",
            "stroke-dasharray",
            "stroke-dashoffset",
            "stroke-miterlimit",
            "font-size",
            "font-family",
        ),
        *("font-weight", "font-style", "text-anchor", "stop-color", "stop-opacity", "clip-rule"),
    )
)
"""Properties of a style that are attributes too: a page whose policy forbids inline styles draws them all the same."""
_LOCAL = re.compile(r"url\(#([^)]*)\)")


def drawing(source: str, prefix: str, *, alt: str, width: int) -> str:
    """Return a figure as inline SVG.

    Parameters
    ----------
    source : str
        SVG as matplotlib writes it.
    prefix : str
        Put before every id, so that the figures of a page do not share any.
    alt : str
        Description for readers who cannot see it.
    width : int
        Width in pixels, where there is room.

    Raises
    ------
    ReportError
        If it is no SVG.
    """
    try:
        root = ET.fromstring(source.encode("utf-8"))
    except ET.ParseError as error:
        raise ReportError(f"A figure is no SVG: {error}.") from None
    if root.tag != f"{SVG}svg":
        raise ReportError("A figure is no SVG.")
    inner = "".join(_element(child, prefix) for child in root)
    box = escape(root.get("viewBox", ""))
    return (
        f'<svg role="img" aria-label="{escape(alt)}" viewBox="{box}" width="{width}" stroke-linejoin="round" '
        f'stroke-linecap="butt">{inner}</svg>'
    )


def _element(node: ET.Element, prefix: str) -> str:
    name = node.tag.removeprefix(SVG)
    if name not in DRAWS:
        return ""
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in _attributes(node, prefix).items())
    inner = escape(node.text or "") if name in ("text", "tspan", "title") else ""
    for child in node:
        inner += _element(child, prefix)
        inner += escape(child.tail or "") if name in ("text", "tspan") else ""
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"


def _attributes(node: ET.Element, prefix: str) -> dict[str, str]:
    found = {}
    for key, value in node.items():
        if key == "id":
            found["id"] = prefix + value
        elif key in GEOMETRY or key in PAINT:
            found[key] = _own(value, prefix)
        elif key in ("href", f"{XLINK}href") and value.startswith("#"):
            found["href"] = f"#{prefix}{value[1:]}"
        elif key in ("href", f"{XLINK}href") and value.startswith("data:image/png;base64,"):
            found["href"] = value
        elif key == "style":
            for part in value.split(";"):
                name, _, paint = part.partition(":")
                if name.strip() in PAINT:
                    found[name.strip()] = _own(paint.strip(), prefix)
    return found


def _own(value: str, prefix: str) -> str:
    """Let a reference to an id name the figure's own."""
    return _LOCAL.sub(rf"url(#{prefix}\1)", value) if "url(" in value else value
