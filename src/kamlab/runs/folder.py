"""A run's folder: opened by the chapters, which hand over through its tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kamlab import config as _config
from kamlab import steps
from kamlab.config import Config
from kamlab.errors import ConfigError
from kamlab.i18n import Translator
from kamlab.ledger import Ledger
from kamlab.period import StudyPeriod, parse_day
from kamlab.resources import replacing, write_csv
from kamlab.runs.drafts import DEFAULT_CONFIG, PARENTS_SEARCHED, draft_root, find_config
from kamlab.runs.identity import fingerprint, input_hashes, run_id, study_period
from kamlab.runs.writing import Writer
from kamlab.sources import file_hash

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "manifest.json"
"""Written last: a folder that holds it is finished and does not change any more."""

BEFORE = Path("log", "before")
"""Copies of what a run needs of the same company's run before."""

HANDED_ON = ("profile.parquet", "segments.parquet", "segmentation.json")
"""Its tables and facts."""

HANDED_ON_TOO = ("standing.parquet",)
"""What it hands on where it has it: runs of an older kamlab do not."""

SCRATCH = ".scratch"
"""Temporary files of the engines, inside a run's folder as long as it is under way."""

KEPT_BYTES = 1_500_000_000
"""Tables that a run has read stay in memory up to this size together, because sections ask for the same ones often."""

RUNS = ".runs"
"""Where the folders of runs lie, under way and finished, inside the folder that holds the links to them."""

FROZEN = Path("log", "config.json")
"""What a run was started with."""


class _Kept(NamedTuple):
    """A table that has been read, the file that it was read from, and its size in memory."""

    table: pd.DataFrame
    file: tuple[int, ...]
    size: int


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
    _tables: dict[str, _Kept] = field(default_factory=dict, repr=False, compare=False)
    _writer: Writer = field(default_factory=Writer, repr=False, compare=False)

    @property
    def scratch(self) -> Path | None:
        """Where temporary files of a run under way go: its own folder; elsewhere once it is finished."""
        return None if (self.folder / MANIFEST).exists() else self.folder / SCRATCH

    def path(self, name: str) -> Path:
        """Return where a table is stored."""
        return self.folder / "tables" / f"{name}.parquet"

    def facts_path(self, name: str) -> Path:
        """Return where a step's facts are stored."""
        return self.folder / "tables" / f"{name}.json"

    def has(self, name: str) -> bool:
        """Whether a table exists."""
        self._writer.settle(self.path(name))
        return self.path(name).exists()

    def read(
        self, name: str, *, columns: Sequence[str] = (), where: Mapping[str, Sequence[str]] | None = None
    ) -> pd.DataFrame:
        """Read a table, or some of its columns and rows; a draft makes it first if it is missing.

        Parameters
        ----------
        name : str
        columns : sequence of str
            Columns that are wanted; all of them if none is named.
        where : mapping of str to sequence of str, optional
            Column → values of the rows that are wanted; what is read so is not kept for the next time.

        Raises
        ------
        ConfigError
            If there is no such table.
        """
        import pandas as pd
        import pyarrow.parquet as pq

        path = self.path(name)
        self._writer.settle(self.path(name))
        self._make(name, path)
        if where:
            schema = pq.read_schema(path)
            # A column without any value has no type that values could be compared with.
            if not all(where.values()) or any(str(schema.field(column).type) == "null" for column in where):
                nothing = schema.empty_table().to_pandas()
                return nothing[list(columns)] if columns else nothing
            filters = [(column, "in", list(values)) for column, values in where.items()]
            return pd.read_parquet(path, columns=list(columns) or None, filters=filters)
        stat = path.stat()
        file = stat.st_ino, stat.st_size, stat.st_mtime_ns
        kept = self._tables.get(name)
        key = name
        if kept is None or kept.file != file:
            key = " ".join((name, *columns))
            kept = self._tables.get(key)
        if kept is None or kept.file != file:
            table = pd.read_parquet(path, columns=list(columns) or None)
            kept = _Kept(table, file, int(table.memory_usage().sum()))
        self._tables.pop(key, None)
        self._tables[key] = kept
        while self._tables and sum(each.size for each in self._tables.values()) > KEPT_BYTES:
            del self._tables[next(iter(self._tables))]
        # What the caller changes becomes a copy of its own.
        return kept.table[list(columns)] if columns else kept.table.copy(deep=False)

    def before(self) -> Run | None:
        """Return what was handed on from the same company's run before, if there was one."""
        folder = self.folder / BEFORE
        return Run(folder, self.config, self.period) if folder.is_dir() else None

    def read_facts(self, name: str) -> dict[str, Any]:
        """Read a step's facts; a draft makes them first if they are missing."""
        self._make(name, self.facts_path(name))
        return json.loads(self.facts_path(name).read_text("utf-8"))

    def writing(self) -> AbstractContextManager[None]:
        """Let tables be written while the work goes on; whoever reads one waits for it, and all stand at the end."""
        return self._writer.beside()

    def write(self, name: str, table: pd.DataFrame) -> pd.DataFrame:
        """Write a table in one step, and return it; see `writing`.

        Raises
        ------
        ConfigError
            If the run is finished.
        """
        self._refuse_if_finished(name)
        self._writer.put(self.path(name), table)
        return table

    def write_csv(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as CSV beside its Parquet file, for those who mend data in a spreadsheet; see `write`."""
        self._refuse_if_finished(name)
        write_csv(table, self.path(name).with_suffix(".csv"))

    def write_refused(self, lines: pd.DataFrame) -> Path:
        """Write the lines for which a run is refused as CSV, where it outlives the run; return where that is."""
        if self.folder.parent.name == RUNS:
            path = refused_lines(self.folder.parents[1], run_id(self.config, self.period))
        else:
            path = self.path("quarantine").with_suffix(".csv")
        write_csv(lines, path)
        return path

    def write_facts(self, name: str, facts: dict[str, Any]) -> None:
        """Write a step's facts as JSON; see `write`."""
        self._refuse_if_finished(name)
        with replacing(self.facts_path(name)) as path:
            path.write_text(json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True, default=str), "utf-8")

    def ledger(self) -> Ledger:
        """Open the ledger."""
        if not self._ledger:
            self._make("ledger", self.path("ledger"))
            options: dict[str, Any] = {"engine": self.config.engine, "scratch": self.scratch}
            self._ledger.append(Ledger.from_parquet(self.path("ledger"), self.read("quarantine"), **options))
        return self._ledger[0]

    def write_ledger(self, ledger: Ledger, *, until: date) -> None:
        """Write the ledger's lines up to the as-of date; see `write`."""
        self._refuse_if_finished("ledger")
        with replacing(self.path("ledger")) as path:
            ledger.write_parquet(path, until=until)
        self._ledger.clear()

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
        with self._locked():
            # Another notebook may have made it meanwhile.
            if not path.exists():
                steps.MAKERS[name](self)
        if not path.exists():
            raise ConfigError(f'This company\'s data gives no table "{name}".')

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other notebooks from making the same draft's tables; steps that ask for further tables may enter."""
        from filelock import FileLock

        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock", is_singleton=True):
            yield

    def _refuse_if_finished(self, name: str) -> None:
        if (self.folder / MANIFEST).exists():
            raise ConfigError(
                f'"{name}" cannot be written: the run in {self.folder} is finished and does not change any more. '
                'Open a draft with run_dir="" to try something else.'
            )


def refused_lines(out: Path, name: str) -> Path:
    """Return where the lines stand for which a run of that name was refused: beside the link to the last good one."""
    return out / f"{name}.quarantine.csv"


def open(
    run_dir: str | Path = "",
    *,
    config: str | Path = DEFAULT_CONFIG,
    as_of: str = "",
    accept_stale: bool = False,
    variant: str = "",
) -> Run:
    """Open a run for a chapter.

    Parameters
    ----------
    run_dir : str or Path
        Folder of a run under way or finished, whose own settings are taken; empty opens a draft under
        `reports/.draft/`, which makes missing tables.
    config : str or Path
        Configuration file. The default is looked for in the working directory and three folders above; where there is
        none, the sample company is taken.
    as_of : str
        As-of date (ISO); empty takes the run's or the configuration's, else the end of the last complete month.
    accept_stale : bool
        Report on a stale log nevertheless.
    variant : str
        Names what else a draft's tables depend on, such as a number of segments set by hand, so that each gets a
        draft of its own.

    Returns
    -------
    Run

    Raises
    ------
    ConfigError
        If there is no such run or configuration, or a run was started with other settings than those given.
    """
    if run_dir:
        return _open_run(Path(run_dir).expanduser().resolve(), config, as_of, accept_stale)
    settings = load_config(config)
    period = study_period(settings, as_of)
    parameters = {"accept_stale": accept_stale, "variant": variant}
    mark = fingerprint(settings, period, inputs=input_hashes(settings), parameters=parameters)
    folder = draft_root(settings) / f"{run_id(settings, period)}-{mark[:8]}"
    return Run(folder, settings, period, draft=True, accept_stale=accept_stale)


def load_config(path: str | Path) -> Config:
    """Load a configuration; the default one is looked for, and the sample company's stands in for it."""
    return _config.load(find_config(parents=PARENTS_SEARCHED) if str(path) == DEFAULT_CONFIG else path)


def _open_run(folder: Path, config: str | Path, as_of: str, accept_stale: bool) -> Run:
    if not folder.is_dir():
        raise ConfigError(
            f'There is no run in {folder}: no such folder. Name the folder of a run, or take run_dir="" for a draft.'
        )
    if not (folder / FROZEN).is_file():
        settings = load_config(config)
        return Run(folder, settings, study_period(settings, as_of), accept_stale=accept_stale)
    frozen = _config.thaw(folder / FROZEN)
    given = None if str(config) == DEFAULT_CONFIG else _config.load(config)
    faults = []
    if given is not None and _compared(given) != _compared(frozen.config):
        faults.append(f"config={str(config)!r} holds other settings")
    if as_of and parse_day(as_of) != frozen.as_of:
        faults.append(f"as_of={as_of!r} is not its as-of date {frozen.as_of}")
    if accept_stale and not frozen.accept_stale:
        faults.append("it does not accept a stale log")
    if faults:
        raise ConfigError(
            f"The run in {folder} was started with its own settings, and they stay: {'; '.join(faults)}. Leave these "
            'parameters out, or open a draft with run_dir="".'
        )
    period = study_period(frozen.config, frozen.as_of.isoformat())
    return Run(folder, frozen.config, period, accept_stale=frozen.accept_stale)


def _compared(config: Config) -> tuple[Path, dict[str, Any], list[str]]:
    """Return what two configurations are compared by: playbook and logo count by what is in them, not by where."""
    paths = [config.resolve(path) for path in (config.strategies.playbook, config.report.logo) if path]
    found = [file_hash(path) if path.is_file() else "missing" for path in paths]
    settings = config.model_dump(mode="json", exclude={"base": True, "strategies": True, "report": {"logo"}})
    return config.base, settings, found
