"""The report's fonts and the look of figures."""

import base64
import io
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from PIL import Image

from kamlab.figures import style
from kamlab.reports import glyphs

FACES = {
    "NotoSans-Regular": ("Noto Sans", 400, False),
    "NotoSans-Bold": ("Noto Sans", 700, False),
    "NotoSans-Italic": ("Noto Sans", 400, True),
    "NotoSansSC-Regular": ("Noto Sans SC", 400, False),
    "NotoSansSC-Bold": ("Noto Sans SC", 700, False),
}
VIETNAMESE = "ăâđêôơưĂÂĐÊÔƠƯáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ"
SPANISH = "áéíóúüñÁÉÍÓÚÜÑ¿¡ªº"
PUNCTUATION = "–—‘’“”…•−×±≈≤≥→€¥£₫′″‰"

# Machado, Oliveira, Fernandes 2009, severity 1: how deuteranopes and protanopes see linear RGB.
DEUTERANOPE = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
PROTANOPE = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]


def cmap(face: str) -> set[str]:
    with TTFont(glyphs.FONTS_DIR / f"{face}.ttf", lazy=True) as font:
        return set(map(chr, font.getBestCmap()))


@pytest.mark.parametrize("face", FACES)
def test_fonts_are_static_and_named_so_that_programs_tell_them_apart(face):
    with TTFont(glyphs.FONTS_DIR / f"{face}.ttf", lazy=True) as font:
        assert "fvar" not in font
        assert "gvar" not in font
        family, weight, italic = FACES[face]
        assert font["name"].getBestFamilyName() == family
        assert font["OS/2"].usWeightClass == weight
        assert bool(font["OS/2"].fsSelection & 1) == italic
        assert bool(font["OS/2"].fsSelection & 1 << 5) == (weight == 700)


def test_fonts_cover_the_languages():
    for face in ("NotoSans-Regular", "NotoSans-Bold", "NotoSans-Italic"):
        assert set(VIETNAMESE + SPANISH) <= cmap(face)
    assert set(PUNCTUATION) <= glyphs.covered()
    regular, bold = cmap("NotoSansSC-Regular"), cmap("NotoSansSC-Bold")
    # Unicode 3.0 closed the block's first 20,902 ideographs; later additions at its end are hardly ever met.
    assert {chr(c) for c in range(0x4E00, 0x9FA6)} <= regular
    rows = (bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    gb2312 = {row.decode("gb2312", "ignore") for row in rows} - {""}
    assert len(gb2312) == 6763, "the number of ideographs in the standard"
    assert gb2312 <= bold
    assert set("臺灣鑫龍業務東") <= bold
    assert set("“”‘’，。：；！？（）《》、") <= regular & bold


def test_fonts_are_small_and_carry_their_licences():
    files = list(glyphs.FONTS_DIR.iterdir())
    assert sum(f.stat().st_size for f in files) < 12_000_000
    for name in ("OFL-NotoSans.txt", "OFL-NotoSansSC.txt"):
        assert "SIL OPEN FONT LICENSE Version 1.1" in (glyphs.FONTS_DIR / name).read_text(encoding="utf-8")
    assert {f.stem for f in files if f.suffix == ".ttf"} == set(FACES)


def test_clean_replaces_what_is_missing_and_drops_what_is_invisible():
    assert glyphs.clean("Cafe\u0301 \u202eabc\u202c\u200b\x07\ufeff a\u00adb") == ("Café abc ab", {})
    assert glyphs.clean("line\r\nnext\ttab") == ("line  next tab", {})
    assert glyphs.clean("😀a😀 مص") == ("□a□ □□", {"😀": 2, "م": 1, "ص": 1})
    assert glyphs.clean("👩\u200d🔬\ufe0f")[0] == "□□", "joiners and variation selectors vanish"
    assert glyphs.clean("\ud83d")[0] == "", "half of a surrogate pair"


def test_clean_document_lists_each_character_once_with_its_count_and_first_place():
    document = {
        "body": [{"rows": [["ok", "Emoji 😀 Ltd"], ["😀", "\x01"]]}],
        "svg": "<text>Seoul 한</text>\n<g/>",
        "n": 3,
    }
    cleaned, replaced = glyphs.clean_document(document)
    assert cleaned == {
        "body": [{"rows": [["ok", "Emoji □ Ltd"], ["□", ""]]}],
        "svg": "<text>Seoul □</text>\n<g/>",
        "n": 3,
    }
    assert [(r.character, r.count, r.example) for r in replaced] == [
        ("한", 1, "Seoul □"),
        ("😀", 2, "Emoji □ Ltd"),
    ]
    assert str(replaced[1]) == 'U+1F600 (grinning face), 2 times, first in "Emoji □ Ltd"'


def bars():
    with style.style():
        figure, axes = plt.subplots(figsize=(style.WIDTH_INCHES, 2))
        axes.bar(["广州化工", "Đường $x$", "😀"], [1, 2, 3])
        axes.set_title("Title", weight="bold")
    return figure


def test_svg_is_the_same_each_time_undated_and_keeps_its_text():
    first, second = style.to_svg(bars()), style.to_svg(bars())
    assert first == second
    assert "dc:date" not in first
    for text in ("广州化工", "Đường $x$", "😀", "Title"):
        assert f">{text}</text>" in first
    assert "'Noto Sans', 'Noto Sans SC'" in first
    assert plt.get_fignums() == []


def test_figures_are_measured_with_the_report_s_fonts():
    with style.style():
        for family, expected in (("Noto Sans", "NotoSans-Regular"), ("Noto Sans SC", "NotoSansSC-Regular")):
            found = Path(font_manager.findfont(family, fallback_to_default=False))
            assert found == glyphs.FONTS_DIR / f"{expected}.ttf"
        bold = font_manager.FontProperties(family="Noto Sans", weight="bold")
        assert Path(font_manager.findfont(bold)).stem == "NotoSans-Bold"


def test_style_changes_nothing_outside():
    before = dict(mpl.rcParams)
    with style.style():
        assert mpl.rcParams["text.parse_math"] is False
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("points", "images"), [(style.MAX_VECTOR_POINTS, 0), (style.MAX_VECTOR_POINTS + 1, 1)])
def test_only_large_scatters_become_images(points, images):
    with style.style():
        figure, axes = plt.subplots()
        x = np.linspace(0, 1, points)
        style.maybe_rasterize(axes.scatter(x, x, s=1))
        style.maybe_rasterize(axes.plot(x[:10], x[:10])[0])
    svg = style.to_svg(figure)
    assert svg.count("<image") == images


def test_ticks_on_a_logarithmic_axis_are_written_by_the_translator():
    with style.style():
        figure, axes = plt.subplots()
        axes.loglog([1e5, 1e7], [1, 10])
        style.write_ticks(axes.xaxis, lambda value: f"CNY {value:,.0f}")
        style.write_ticks(axes.yaxis, lambda value: f"{value:.0f} orders")
    svg = style.to_svg(figure)
    assert "CNY 1,000,000" in svg
    assert "10 orders" in svg
    assert "mathdefault" not in svg


def lightness(rgb) -> float:
    """CIE L* of linear RGB."""
    y = float(np.dot([0.2126, 0.7152, 0.0722], rgb))
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y


def lab(rgb) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(np.clip(xyz, 0, None) / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def linear(colour: str) -> np.ndarray:
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("colours", [style.STRATEGY_COLOURS, style.TYPE_COLOURS, style.LEVEL_COLOURS])
def test_colours_stay_apart_in_grey_and_for_colour_blind_readers(colours):
    rgb = [linear(c) for c in colours.values()]
    grey = sorted(lightness(c) for c in rgb)
    assert min(np.diff(grey)) > 8, "steps of lightness in a grey print"
    for matrix in (np.eye(3), DEUTERANOPE, PROTANOPE):
        seen = [lab(np.clip(np.array(matrix) @ c, 0, 1)) for c in rgb]
        distances = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
        assert min(distances) > 15, "CIE76 distance; 2.3 is just noticeable"


def test_raster_inside_a_figure_is_a_sharp_png():
    with style.style():
        figure, axes = plt.subplots(figsize=(2, 2))
        x = np.linspace(0, 1, style.MAX_VECTOR_POINTS + 1)
        style.maybe_rasterize(axes.scatter(x, x, s=1))
    svg = style.to_svg(figure)
    data = re.search(r"data:image/png;base64,([^\"]+)", svg)[1]
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.width > 200, "over 150 dots an inch on nearly 2 inches"
