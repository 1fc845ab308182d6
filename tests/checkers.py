"""Accessibility checkers that are no part of the project's environment: found where they are installed, or left out.

`outloud` (PyPI) reads a PDF by PDF/UA-1 and what a validator cannot see; axe-core (npm) reads a page in Chromium.
KAMLAB_OUTLOUD and KAMLAB_AXE name the command and the file `axe.min.js`.
"""

import json
import os
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pypdfium2
import pytest

OUTLOUD = os.environ.get("KAMLAB_OUTLOUD") or shutil.which("outloud")
AXE = os.environ.get("KAMLAB_AXE")
CHROMIUM = shutil.which("chromium")

with_outloud = pytest.mark.skipif(not OUTLOUD, reason="outloud is not installed, nor named by KAMLAB_OUTLOUD")
with_axe = pytest.mark.skipif(
    not (AXE and CHROMIUM), reason="KAMLAB_AXE does not name axe-core's axe.min.js, or Chromium is not installed"
)

with_chromium = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu")


def printed(path, folder):
    """The words of each page of an HTML page as Chromium prints it, between blanks."""
    pdf = folder / "printed.pdf"
    flags = (*FLAGS, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
    subprocess.run([CHROMIUM, *flags, path.as_uri()], check=True, capture_output=True)
    with pypdfium2.PdfDocument(pdf) as file:
        return [" ".join(page.get_textpage().get_text_bounded().split()) for page in file]


def on_a_phone(page, script, folder):
    """What a script finds, as JSON, in an HTML page in a window 390 pixels wide; it sees the page as `page`."""
    # The page allows no scripts but its own, and a window of Chromium is never that narrow; a frame is.
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    around = folder / "around.html"
    around.write_text(
        f"""<!doctype html><meta charset=utf-8>
        <iframe width=390 height=800 style="border:0" srcdoc="{escape(free)}"></iframe>
        <pre id=found></pre><script>document.querySelector("iframe").onload = event => {{
          const page = event.target.contentDocument;
          document.getElementById("found").textContent = JSON.stringify((() => {{ {script} }})());
        }}</script>""",
        "utf-8",
    )
    flags = (*FLAGS, "--virtual-time-budget=20000", "--dump-dom")
    done = subprocess.run([CHROMIUM, *flags, around.as_uri()], check=True, capture_output=True, text=True)
    return json.loads(unescape(re.search(r'<pre id="found">(.*)</pre>', done.stdout, re.DOTALL)[1]))


def faults_heard(paths, folder):
    """PDF files in which outloud finds an error, or that it cannot read, with its verdict."""
    report = folder / "outloud.json"
    subprocess.run(
        [OUTLOUD, "--quiet", "--json", report, "--fail-on", "never", *paths], check=True, capture_output=True
    )
    found = json.loads(report.read_text("utf-8"))["results"]
    assert len(found) == len(paths)
    return [(file["path"], file["verdict"]) for file in found if file["verdict"] not in ("pass", "review")]


RUN = """axe.run(document).then(found => {
  const said = found.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))]);
  document.body.innerHTML = "<pre id=found></pre>";
  document.getElementById("found").textContent = JSON.stringify({said, passed: found.passes.length});
})"""


def faults_seen(path, folder):
    """Violations that axe-core finds in an HTML page as Chromium shows it, and the number of rules that passed."""
    page = path.read_text("utf-8")
    script = Path(AXE).read_text("utf-8").replace("</script", "<\\\\/script")
    # The page allows no scripts but its own; the checker's is added to a copy.
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    copy = folder / path.name
    copy.write_text(page.replace("</body>", f"<script>{script}</script><script>{RUN}</script></body>"), "utf-8")
    flags = (*FLAGS, "--virtual-time-budget=60000", "--dump-dom")
    done = subprocess.run([CHROMIUM, *flags, copy.as_uri()], check=True, capture_output=True, text=True)
    found = json.loads(re.search(r'<pre id="found">(.*)</pre>', done.stdout)[1])
    return found["said"], found["passed"]
