"""Make the fonts in src/kamlab/reports/fonts: static subsets of the variable fonts that two wheels hold.

Usage: python scripts/make_fonts.py [--wheels DIR]

Without --wheels the wheels are downloaded with pip. Static, because variable fonts fall to their thinnest
weight inside SVG figures; subset, because the Chinese original alone has 17 MB. Run once; the result is in
the repository.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

WHEELS = {"fontpkg_noto_sans": "fontpkg-noto-sans==2.15", "justmytype_intl_cjk": "justmytype-intl-cjk==0.1.0"}
FONTS = Path(__file__).resolve().parents[1] / "src" / "kamlab" / "reports" / "fonts"
LATIN = "fontpkg_noto_sans/files/NotoSans"
CHINESE = "justmytype_intl_cjk/fonts/ofl/notosanssc"

# Latin with Vietnamese, combining marks, Greek, Cyrillic, punctuation, currencies, letterlike symbols, minus.
LATIN_RANGES = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x1E00, 0x1EFF),
    (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20BF), (0x2100, 0x215F), (0x2212, 0x2212),
    (0xFFFD, 0xFFFD),
]  # fmt: skip
# Quotes and dashes (full width in Chinese), arrows, mathematics, circled numbers, shapes, Chinese
# punctuation, kana, full-width forms; no Latin letters, so that digits never come from the Chinese font.
SYMBOL_RANGES = [
    (0x2010, 0x2027), (0x2030, 0x203B), (0x2190, 0x22FF), (0x2460, 0x24FF), (0x2500, 0x257F),
    (0x25A0, 0x26FF), (0x2713, 0x2713), (0x3000, 0x303F), (0x3040, 0x30FF), (0xFF00, 0xFFEF),
]  # fmt: skip
IDEOGRAPHS = [(0x4E00, 0x9FFF)]


class Face(NamedTuple):
    """One font to make: where it comes from, at which weight, and the characters it keeps."""

    name: str
    member: str
    wheel: str
    weight: int
    characters: set[int]


def in_ranges(ranges: list[tuple[int, int]]) -> set[int]:
    return {c for low, high in ranges for c in range(low, high + 1)}


def common() -> set[int]:
    """Return the ideographs of GB 2312 and of Big5's first level: the usual ones of both scripts."""
    simplified = {c for c in in_ranges(IDEOGRAPHS) if chr(c).encode("gb2312", "ignore")}
    traditional = {c for c in in_ranges(IDEOGRAPHS) if b"\xa4" <= chr(c).encode("big5", "ignore")[:1] < b"\xc9"}
    return simplified | traditional


def faces() -> list[Face]:
    latin = in_ranges(LATIN_RANGES)
    symbols = in_ranges(SYMBOL_RANGES)
    upright, italic = f"{LATIN}[wdth,wght].ttf", f"{LATIN}-Italic[wdth,wght].ttf"
    chinese = f"{CHINESE}/NotoSansSC[wght].ttf"
    return [
        Face("NotoSans-Regular", upright, "fontpkg_noto_sans", 400, latin),
        Face("NotoSans-Bold", upright, "fontpkg_noto_sans", 700, latin),
        Face("NotoSans-Italic", italic, "fontpkg_noto_sans", 400, latin),
        Face("NotoSansSC-Regular", chinese, "justmytype_intl_cjk", 400, symbols | in_ranges(IDEOGRAPHS)),
        Face("NotoSansSC-Bold", chinese, "justmytype_intl_cjk", 700, symbols | common()),
    ]


def static_subset(data: bytes, face: Face) -> TTFont:
    """Pin a variable font at one weight and keep only the face's characters."""
    font = TTFont(BytesIO(data), recalcTimestamp=False)
    axes = {a.axisTag: {"wght": face.weight, "wdth": 100}[a.axisTag] for a in font["fvar"].axes}
    instantiateVariableFont(font, axes, inplace=True, updateFontNames=True)
    options = subset.Options(
        hinting=False,
        layout_features=["ccmp", "kern", "locl", "mark", "mkmk", "tnum", "lnum"],
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17],
        notdef_outline=True,
        drop_tables=["DSIG", "BASE", "vhea", "vmtx", "STAT"],
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=face.characters)
    subsetter.subset(font)
    style(font, bold=face.weight == 700, italic=face.name.endswith("Italic"))
    return font


def style(font: TTFont, *, bold: bool, italic: bool) -> None:
    """Set the style bits by which programs tell the faces of one family apart."""
    font["OS/2"].usWeightClass = 700 if bold else 400
    font["OS/2"].fsSelection = (font["OS/2"].fsSelection & ~0b1100001) | (
        bold << 5 | italic | (not bold and not italic) << 6
    )
    font["head"].macStyle = bold | italic << 1


def download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*command, *WHEELS.values()], check=True)


def make(wheels: Path) -> None:
    archives = {name: zipfile.ZipFile(next(wheels.glob(f"{name}-*.whl"))) for name in WHEELS}
    for face in faces():
        font = static_subset(archives[face.wheel].read(face.member), face)
        path = FONTS / f"{face.name}.ttf"
        font.save(path)
        print(f"{path.name}: {len(font.getBestCmap()):,} characters, {path.stat().st_size / 1e6:.2f} MB")
    licences = {
        "OFL-NotoSans.txt": archives["fontpkg_noto_sans"].read("fontpkg_noto_sans/LICENSE"),
        "OFL-NotoSansSC.txt": archives["justmytype_intl_cjk"].read(f"{CHINESE}/OFL.txt"),
    }
    for name, text in licences.items():
        (FONTS / name).write_bytes(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheels", type=Path, help="folder that holds the two wheels")
    given = parser.parse_args().wheels
    FONTS.mkdir(parents=True, exist_ok=True)
    if given:
        make(given)
        return
    with tempfile.TemporaryDirectory() as folder:
        download(Path(folder))
        make(Path(folder))


if __name__ == "__main__":
    main()
