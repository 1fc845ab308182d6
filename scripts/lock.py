"""Resolve requirements/*.txt anew: universal, with hashes, without any address."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [
    *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal"),
    *("--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header"),
    *("--no-annotate", "--extra", "build"),
]


def main() -> None:
    env = os.environ | {"UV_NO_CONFIG": "1"}
    run = [*COMMAND, "-o", "requirements/run.txt"]
    dev = [*COMMAND, "--extra", "dev", "-c", "requirements/run.txt", "-o", "requirements/dev.txt"]
    for command in (run, dev):
        subprocess.run(command, cwd=ROOT, env=env, check=True)
    # pip installs uv, and nothing but uv, from this file before uv installs the rest.
    text = (ROOT / "requirements" / "run.txt").read_text("utf-8")
    (uv,) = re.findall(r"^uv==(?:.*\\\n)*.*\n", text, re.M)
    (ROOT / "requirements" / "uv.txt").write_text(uv, "utf-8")


if __name__ == "__main__":
    main()
