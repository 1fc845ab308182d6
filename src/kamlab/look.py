"""How the documents look: languages, sections, a colour that can be read, and a logo that is safe to embed."""

from __future__ import annotations

import base64
import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kamlab.errors import ConfigError, did_you_mean

ACCENT = "#17365d"
"""Colour of headings, rules and covers, where none is set."""

LEAST_CONTRAST = 4.5
"""Of text to its ground: WCAG 2.2, level AA."""

SECTIONS = ("strategies", "accounts", "owners", "growth", "tiers", "forecast", "targets", "data", "method")
"""Sections of the management report after its first page, in their usual order; the notebook's cells carry them."""

LARGEST_LOGO = 200_000
"""Bytes."""

_ACTIVE = frozenset(
    ("script", "foreignObject", "iframe", "animate", "animateMotion", "animateTransform", "set", "handler")
)
_PNG = b"\x89PNG\r\n\x1a\n"


class Colours(BaseModel):
    """Colours of a company; those of strategies and levels mean something and stay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accent: str = ACCENT

    @field_validator("accent")
    @classmethod
    def _readable(cls, colour: str) -> str:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
            raise ValueError(f'"{colour}" is no colour; write six hexadecimal digits, as in "{ACCENT}"')
        found = contrast(colour, "#ffffff")
        if found < LEAST_CONTRAST:
            raise ValueError(
                f'"{colour}" is too light: text in it on white has a contrast of {found:.2f} to 1, and '
                f"{LEAST_CONTRAST} is the least that can be read; take a darker shade"
            )
        return colour.lower()


class Report(BaseModel):
    """Settings of the documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    languages: list[str] = Field(default=["en"], min_length=1)
    confidentiality: str = "Confidential"
    sections: list[str] = list(SECTIONS)
    logo: str | None = None
    colours: Colours = Colours()

    @field_validator("sections")
    @classmethod
    def _known(cls, sections: list[str]) -> list[str]:
        faults = [f'there is no section "{s}".{did_you_mean(s, SECTIONS)}' for s in sections if s not in SECTIONS]
        twice = sorted({s for s in sections if sections.count(s) > 1})
        if twice:
            faults.append(f"{', '.join(twice)} stand twice.")
        if faults:
            raise ValueError(f"{' '.join(faults)} Sections are: {', '.join(SECTIONS)}")
        return sections


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours such as "#17365d", 1 to 21, as WCAG 2.2 defines it (relative luminance)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def read_logo(path: Path) -> str:
    """Return a logo as the text of an SVG that fetches and runs nothing; a PNG stands in it as data.

    Raises
    ------
    ConfigError
        If there is no such file, it is too large, neither PNG nor SVG, or holds what a document must not.
    """
    if not path.is_file():
        raise ConfigError(f"There is no logo {path}. Mend report.logo, or leave it out.")
    data = path.read_bytes()
    if len(data) > LARGEST_LOGO:
        raise ConfigError(
            f"The logo {path.name} has {len(data) // 1000} kB; {LARGEST_LOGO // 1000} kB are the most, because it "
            "stands in every document. Save it smaller."
        )
    return _wrapped(data) if data.startswith(_PNG) else _checked(data, path.name)


def _wrapped(data: bytes) -> str:
    width, height = struct.unpack(">II", data[16:24])
    size, picture = f'width="{width}" height="{height}"', base64.b64encode(data).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size}>'
        f'<image {size} href="data:image/png;base64,{picture}"/></svg>'
    )


def _checked(data: bytes, name: str) -> str:
    try:
        text = re.sub(r"<\?xml[^>]*\?>|<!DOCTYPE[^>\[]*>", "", data.decode("utf-8-sig")).strip()
        root = None if "<!ENTITY" in text else ET.fromstring(text)
    except (UnicodeDecodeError, ET.ParseError):
        root = None
    if root is None or root.tag != "{http://www.w3.org/2000/svg}svg":
        raise ConfigError(f"The logo {name} is neither a PNG nor an SVG in UTF-8. Save it as one of them.")
    faults = sorted({fault for node in root.iter() for fault in _faults(node)})
    if "viewBox" not in root.attrib:
        faults.append("it has no viewBox")
    if faults:
        raise ConfigError(f"The logo {name} cannot be embedded: {'; '.join(faults)}. Save it as a plain SVG or as PNG.")
    return text


def _faults(node: ET.Element) -> list[str]:
    """Say what of a node would run, fetch, or look different elsewhere."""
    name = node.tag.rpartition("}")[2]
    found = [f"<{name}> runs"] if name in _ACTIVE else []
    if name in ("text", "tspan"):
        found.append("it holds text, which needs its font; turn the text into paths")
    for key, value in node.attrib.items():
        local = key.rpartition("}")[2]
        if local.lower().startswith("on"):
            found.append(f"{local} runs")
        if local == "href" and not value.startswith(("#", "data:image/png", "data:image/jpeg")):
            found.append(f'it fetches "{value[:60]}"')
    fetched = re.findall(r"url\(\s*['\"]?(?!#)|@import", " ".join([node.text or "", *node.attrib.values()]))
    return found + ["its style fetches a file"] * bool(fetched)
