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
    pick("run.txt", ["uv"], "uv.txt")
    # Spark comes on top of either environment, and brings nothing that is not in it but these two.
    spark = [*COMMAND, "--extra", "spark", "-c", "requirements/run.txt", "-o", "requirements/spark.txt"]
    subprocess.run(spark, cwd=ROOT, env=env, check=True)
    pick("spark.txt", ["py4j", "pyspark"], "spark.txt")


def pick(source: str, packages: list[str], target: str) -> None:
    """Write some packages of a file of requirements, with their hashes, to another."""
    text = (ROOT / "requirements" / source).read_text("utf-8")
    found = [re.search(rf"^{package}==(?:.*\\\n)*.*\n", text, re.M) for package in packages]
    (ROOT / "requirements" / target).write_text("".join(match[0] for match in found if match), "utf-8")


if __name__ == "__main__":
    main()
