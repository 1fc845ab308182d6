"""A run's folder: opened by the chapters, built beside the last one and switched in one step by the runner."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kamlab
from kamlab import config as _config
from kamlab import resources, steps
from kamlab.config import Config
from kamlab.errors import ConfigError
from kamlab.i18n import Translator
from kamlab.ledger import Ledger
from kamlab.period import StudyPeriod, end_of_last_complete_month, parse_day

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_CONFIG = "kamlab.toml"


@dataclass(frozen=True)
class Run:
    """A folder of tables that chapters hand over through.

    Attributes
    ----------
    folder : Path
        Holds `tables/`.
    config : Config
    period : StudyPeriod
    draft : bool
        Whether tables that are missing are made when they are read.
    accept_stale : bool
        Whether a stale or unfinished log is reported on nevertheless.
    """

    folder: Path
    config: Config
    period: StudyPeriod
    draft: bool = False
    accept_stale: bool = False
    _ledger: list[Ledger] = field(default_factory=list, repr=False, compare=False)

    def path(self, name: str) -> Path:
        """Return where a table is stored."""
        return self.folder / "tables" / f"{name}.parquet"

    def facts_path(self, name: str) -> Path:
        """Return where a step's facts are stored."""
        return self.folder / "tables" / f"{name}.json"

    def has(self, name: str) -> bool:
        """Whether a table exists."""
        return self.path(name).exists()

    def read(self, name: str) -> pd.DataFrame:
        """Read a table; a draft makes it first if it is missing.

        Raises
        ------
        ConfigError
            If there is no such table.
        """
        import pandas as pd

        self._make(name, self.path(name))
        return pd.read_parquet(self.path(name))

    def read_facts(self, name: str) -> dict[str, Any]:
        """Read a step's facts; a draft makes them first if they are missing."""
        self._make(name, self.facts_path(name))
        return json.loads(self.facts_path(name).read_text("utf-8"))

    def write(self, name: str, table: pd.DataFrame) -> pd.DataFrame:
        """Write a table in one step, and return it."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = pa.Table.from_pandas(table, preserve_index=False)
        with replacing(self.path(name)) as path:
            pq.write_table(arrow, path, compression="zstd")
        return table

    def write_facts(self, name: str, facts: dict[str, Any]) -> None:
        """Write a step's facts as JSON."""
        with replacing(self.facts_path(name)) as path:
            path.write_text(json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True, default=str), "utf-8")

    def ledger(self) -> Ledger:
        """Open the ledger."""
        if not self._ledger:
            self._make("ledger", self.path("ledger"))
            self._ledger.append(Ledger.from_parquet(self.path("ledger"), self.read("quarantine")))
        return self._ledger[0]

    def write_ledger(self, ledger: Ledger) -> None:
        """Write the ledger."""
        with replacing(self.path("ledger")) as path:
            ledger.write_parquet(path)
        self._ledger[:] = [ledger]

    def translator(self, lang: str) -> Translator:
        """Return the words and number formats of a language, in the company's currency."""
        return Translator(lang, currency=self.config.company.currency)

    def _make(self, name: str, path: Path) -> None:
        if path.exists():
            return
        if name not in steps.MAKERS:
            raise ConfigError(f'There is no table "{name}". Known are: {", ".join(sorted(steps.MAKERS))}.')
        if not self.draft:
            raise ConfigError(
                f'The table "{name}" is not in {self.folder}: the chapter that makes it has not run. '
                "Run the chapters in order."
            )
        steps.MAKERS[name](self)
        if not path.exists():
            raise ConfigError(f'This company\'s data gives no table "{name}".')


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put it in its place once it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def open(
    run_dir: str | Path = "",
    *,
    config: str | Path = DEFAULT_CONFIG,
    as_of: str = "",
    accept_stale: bool = False,
) -> Run:
    """Open a run for a chapter.

    Parameters
    ----------
    run_dir : str or Path
        Folder of a run under way or finished; empty opens a draft under `reports/.draft/`, which makes missing tables.
    config : str or Path
        Configuration file; where the default is not there, the sample company's.
    as_of : str
        As-of date (ISO); empty takes the configuration's, else the end of the last complete month.
    accept_stale : bool
        Report on a stale log nevertheless.

    Returns
    -------
    Run
    """
    settings = load_config(config)
    period = study_period(settings, as_of)
    if run_dir:
        return Run(Path(run_dir).resolve(), settings, period, accept_stale=accept_stale)
    folder = _draft_root(settings) / f"{run_id(settings, period)}-{fingerprint(settings, period)[:8]}"
    return Run(folder, settings, period, draft=True, accept_stale=accept_stale)


def load_config(path: str | Path) -> Config:
    """Load a configuration; where the default one is not there, the sample company's."""
    if str(path) == DEFAULT_CONFIG and not Path(path).exists():
        path = resources.sample() / DEFAULT_CONFIG
    return _config.load(path)


def study_period(config: Config, as_of: str = "", *, today: date | None = None) -> StudyPeriod:
    """Return the period up to the given as-of date, else the configured one, else the last complete month's end."""
    given = parse_day(as_of) if as_of else config.period.as_of
    end = given or end_of_last_complete_month(today or date.today())
    return StudyPeriod(end, config.period.horizon_days, config.period.unit)


def run_id(config: Config, period: StudyPeriod) -> str:
    """Return the run's name: the company in lower-case letters and digits, and the as-of date."""
    letters = "".join(c if c.isalnum() else "-" for c in config.company.name.lower())
    slug = "-".join(part for part in letters.split("-") if part)[:60] or "company"
    return f"{slug}-{period.calibration_end.isoformat()}"


def fingerprint(config: Config, period: StudyPeriod, **parameters: object) -> str:
    """Return a hash of all that a run's results depend on: inputs, settings, parameters and code."""
    facts = {
        "inputs": input_hashes(config),
        "config": config.model_dump(mode="json", exclude={"base"}),
        "period": [str(period.calibration_end), period.horizon_days, period.unit],
        "parameters": {k: str(v) for k, v in sorted(parameters.items())},
        "version": kamlab.__version__,
        "code": _code_hash(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def input_hashes(config: Config) -> dict[str, str]:
    """Return the SHA-256 of each input file, by the path that the configuration gives it."""
    paths = [t.path for t in steps.input_tables(config)]
    if config.strategies.playbook:
        paths.append(config.strategies.playbook)
    return {p: file_hash(config.resolve(p)) if config.resolve(p).is_file() else "missing" for p in paths}


def file_hash(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _code_hash() -> str:
    """Return a hash of the package's code, templates, catalogues and notebooks."""
    package = Path(kamlab.__file__).parent
    digest = hashlib.sha256()
    suffixes = {".py", ".toml", ".typ", ".po", ".ipynb"}
    for root in (package, resources.notebooks()):
        for path in sorted(root.rglob("*")):
            if path.suffix in suffixes and ".ipynb_checkpoints" not in path.parts:
                digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _draft_root(config: Config) -> Path:
    """Return where drafts go: `reports/` beside or above the configuration, else a temporary folder."""
    candidates = [config.base, *config.base.parents[:3]]
    base = next((p for p in candidates if (p / "reports").is_dir() and os.access(p / "reports", os.W_OK)), config.base)
    if not os.access(base, os.W_OK):
        return Path(tempfile.gettempdir()) / "kamlab-drafts"
    return base / "reports" / ".draft"
