"""Figures as readers see them: hatching in the HTML page, room in the nine boxes, gaps between scripts."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kamlab.figures import nine_box, style
from kamlab.figures.words import apart
from kamlab.reports.page.svg import drawing


def test_hatched_bars_keep_their_pattern_in_the_page():
    with style.style():
        figure, axes = plt.subplots()
        axes.bar([0], [1], hatch="////", color="#AE3A1E", edgecolor="white")
    made = drawing(style.to_svg(figure), "f1-", alt="A bar.", width=300)
    used, defined = set(re.findall(r"url\(#([^)]*)\)", made)), set(re.findall(r' id="([^"]*)"', made))
    assert used <= defined
    (pattern,) = re.findall(r'<pattern id="([^"]*)"', made)
    assert f'fill="url(#{pattern})"' in made


@example(1.0, (0.1, 1.7, 4.2), 0.26)
@given(
    st.floats(1e-2, 1e9),
    st.tuples(st.floats(0.01, 6), st.floats(0.01, 6), st.floats(0.01, 6)),
    st.sampled_from(sorted(nine_box.LEAST.values())),
)
def test_every_box_has_its_room_and_values_stand_where_their_axis_says(low, widths, least):
    marks = tuple(low * 10 ** np.concatenate([[0.0], np.cumsum(widths)]))
    place, value = nine_box._stretch(marks, least)
    places = place(np.array(marks))
    assert (places[0], places[-1]) == pytest.approx((0, 1), abs=1e-9)
    assert np.diff(places).min() >= least - 1e-9
    between = np.geomspace(marks[0], marks[-1], 30)
    assert value(place(between)) == pytest.approx(between, rel=1e-6)
    assert (np.diff(place(between)) > 0).all()


def test_boxes_wide_enough_keep_the_plain_log_scale():
    place, _ = nine_box._stretch((1.0, 10.0, 100.0, 1000.0), 0.26)
    assert place(np.array([10.0, 100.0])) == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("收入CNY 10.9亿（+5%）；预计12个月", "收入 CNY 10.9亿（+5%）；预计 12 个月"),
        ("占42%的客户", "占 42% 的客户"),
        ("Revenue rose 5%", "Revenue rose 5%"),
    ],
)
def test_chinese_and_latin_stand_apart(text, said):
    assert apart(text) == said
