"""Time a whole report of the sample company, step by step: `make bench`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMPORT = "import time; t = time.perf_counter(); import kamlab; print(time.perf_counter() - t)"


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    imported = min(float(subprocess.check_output([sys.executable, "-c", IMPORT])) for _ in range(3))
    print(f"import kamlab                 {imported:8.3f} s")
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        code = "from kamlab.runs import run; import json, sys; print(json.dumps(dict(run(out=sys.argv[1]).timings)))"
        done = subprocess.run([sys.executable, "-c", code, out], capture_output=True, text=True, check=True)
        total = time.perf_counter() - start
        timings = json.loads(done.stdout)
        for step, seconds in timings.items():
            print(f"{step:<30}{seconds:8.2f} s {seconds / total:6.0%}")
        print(f"{'kamlab report on the sample':<30}{total:8.2f} s on {os.cpu_count()} cores; documents' steps overlap")
        size = sum(p.stat().st_size for p in Path(out).rglob("*.pdf") if not p.is_symlink())
        print(f"{'size of the PDF':<30}{size / 1e3:8.0f} kB")


if __name__ == "__main__":
    main()
