"""Key pages as they look: the first page and the nine-box in each language, against images that a person looked at.

The documents are frozen, so only type, layout and drawing can change an image. After a wanted change:
`python scripts/page_images.py`, and look at the new images.
"""

import numpy as np
import pytest
from PIL import Image
from test_i18n import load_script

from kamlab.i18n import languages

SCRIPT = load_script("page_images")
SHIFT = 48
"""Levels of grey of 255 by which a pixel counts as another: the edges of letters differ less between rasterisers, and
the sixteen shades that are kept by half of it at most."""
MOST_DIFFERENT = 0.003
"""Share of such pixels: one line of text that has moved is 0.004 and more."""


@pytest.mark.parametrize("language", languages())
def test_key_pages_look_as_they_did(language):
    pages = SCRIPT.drawn(language)
    assert len(pages) == len(list(SCRIPT.PAGES.glob(f"{language}-*.png")))
    for number, page in enumerate(pages, start=1):
        with Image.open(SCRIPT.PAGES / f"{language}-{number}.png") as image:
            kept = np.asarray(image.convert("L"))
        assert page.shape == kept.shape
        different = np.abs(page.astype(int) - kept.astype(int)) > SHIFT
        assert different.mean() <= MOST_DIFFERENT, f"page {number} differs in {different.mean():.2%} of its pixels"


def test_a_line_of_text_that_moved_would_be_seen():
    page = SCRIPT.drawn("en")[0]
    rows = np.flatnonzero((page < 128).sum(axis=1) > 20)
    middle = rows[len(rows) // 2]
    moved = page.copy()
    moved[middle - 4 : middle + 12] = page[middle : middle + 16]
    assert (np.abs(page.astype(int) - moved.astype(int)) > SHIFT).mean() > MOST_DIFFERENT
