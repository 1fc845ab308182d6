"""What `kamlab report` does: run the chapters, export the documents, switch the finished folder in one step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kamlab import config as _config
from kamlab.config import Config, Frozen
from kamlab.errors import ConfigError, DataError, KamlabError, first_ids
from kamlab.i18n import Translator
from kamlab.i18n import languages as known_languages
from kamlab.look import read_logo
from kamlab.runs import documents
from kamlab.runs.building import DOCUMENTS, build
from kamlab.runs.crew import Progress
from kamlab.runs.drafts import find_config
from kamlab.runs.folder import FROZEN, MANIFEST, RUNS, refused_lines
from kamlab.runs.identity import fingerprint, input_hashes, run_id, study_period, versions
from kamlab.runs.output import (
    BUILDING,
    before,
    current,
    handed_on,
    is_intact,
    locked,
    put_in_place,
    refuse_foreign,
    switch,
)
from kamlab.runs.plan_notes import offer_notes, refuse_notes
from kamlab.sources import file_hash


@dataclass(frozen=True)
class Result:
    """What a run left behind.

    Attributes
    ----------
    link : Path
        `reports/<run_id>`, which points at `folder`.
    folder : Path
        The finished, unchanging folder.
    reports : tuple of Path
        PDF documents, seen through `link`.
    reused : bool
        Whether a finished run of the same inputs, settings and code was there already.
    timings : mapping of str to float
        Seconds a step, which overlap; empty if reused.
    messages : tuple of str
        What the user is told beside: which workbook of plan notes was extended, or why it was not.
    """

    link: Path
    folder: Path
    reports: tuple[Path, ...]
    reused: bool
    timings: Mapping[str, float]
    messages: tuple[str, ...] = ()


def run(
    config: str | Path | None = None,
    *,
    as_of: str = "",
    languages: Sequence[str] = (),
    out: str | Path = "reports",
    accept_stale: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Run all chapters and write the management report in each language.

    Parameters
    ----------
    config : str or Path, optional
        Configuration file; if not given, `kamlab.toml` of the working directory, else the sample company's.
    as_of : str
        As-of date; see `runs.study_period`.
    languages : sequence of str
        Languages of the report; the configuration's if empty.
    out : str or Path
        Folder of all runs.
    accept_stale : bool
        Report on a stale log nevertheless.
    progress : callable, optional
        Called with the step's name, its number and the number of steps before each step; and again with the same
        number as a long step tells how far it is: "02_customer_value: 3/12 earlier dates".

    Returns
    -------
    Result

    Raises
    ------
    KamlabError
        For whatever a user can mend; `out` is then as it was before.
    RunLockedError
        If another run writes to `out`.
    """
    settings = _config.load(find_config() if config is None else config)
    period = study_period(settings, as_of)
    langs = tuple(dict.fromkeys(languages or settings.report.languages))
    _refuse_early(settings, langs)
    frozen = Frozen(settings, period.calibration_end, langs, accept_stale)
    name = run_id(settings, period)
    out = Path(out).expanduser().resolve()
    with locked(out):
        link = out / name
        refuse_foreign(link, settings.company.name)
        inputs = input_hashes(settings)
        earlier = before(out, settings.company.name, period.calibration_end)
        parameters = {"languages": langs, "accept_stale": accept_stale, "before": handed_on(earlier)}
        mark = fingerprint(settings, period, inputs=inputs, parameters=parameters)
        target = out / RUNS / f"{name}-{mark[:8]}"
        reused = is_intact(target)
        timings: dict[str, float] = {}
        if not reused:
            building = target.with_name(f"{BUILDING}{target.name}")
            try:
                timings = build(building, frozen, earlier, progress)
                _refuse_changed(building, settings, inputs)
                _write_manifest(building, frozen, inputs, mark, current(link))
                put_in_place(building, target)
            finally:
                shutil.rmtree(building, ignore_errors=True)
        switch(link, target)
        # What an earlier attempt was refused for is mended.
        refused_lines(out, name).unlink(missing_ok=True)
    messages = offer_notes(settings, target, Translator(langs[0], currency=settings.company.currency))
    reports = tuple(link / "pdf" / f"{document}.{lang}.pdf" for document in DOCUMENTS.values() for lang in langs)
    return Result(link, target, reports, reused, timings, messages)


def early_faults(config: Config, langs: Sequence[str]) -> list[KamlabError]:
    """Return what of a configuration can only fail later, found before anything is written or computed."""
    faults: list[KamlabError] = []
    unknown = [lang for lang in langs if lang not in known_languages()]
    if unknown:
        faults.append(
            ConfigError(
                f"No report can be written in {first_ids(unknown)}. Languages are: {', '.join(known_languages())}."
            )
        )
    if not config.source.confirmed:
        faults.append(
            ConfigError(
                "The columns of this configuration were guessed by kamlab init. Compare them with your data, then set "
                "confirmed = true under [source]."
            )
        )
    if "amount" not in config.source.transactions.columns:
        faults.append(
            DataError(
                "The log has no amounts, so there are no borders, types or strategies to report. Map a column with the "
                "value of each line as amount; chapters 01 and 02 and the models of purchases work without."
            )
        )
    checks: list[Callable[[], object]] = [partial(refuse_notes, config)]
    if config.strategies.playbook:
        from kamlab.strategies import load_playbook

        checks.append(partial(load_playbook, config.resolve(config.strategies.playbook)))
    if config.report.logo:
        checks.append(partial(read_logo, config.resolve(config.report.logo)))
    for check in checks:
        try:
            check()
        except KamlabError as error:
            faults.append(error)
    return faults


def _refuse_early(config: Config, langs: Sequence[str]) -> None:
    """Refuse all early faults at once."""
    faults = early_faults(config, langs)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise ConfigError(" ".join(map(str, faults)))


def _refuse_changed(folder: Path, config: Config, inputs: Mapping[str, str]) -> None:
    """Refuse tables that were made from other files than those whose hashes are recorded."""
    after = input_hashes(config)
    playbook = config.strategies.playbook
    if playbook:
        # The run read its own copy.
        after[playbook] = file_hash(folder / FROZEN.with_name("playbook.toml"))
    changed = [path for path, before in inputs.items() if after[path] != before]
    if changed:
        raise DataError(f"{first_ids(changed)} changed while the run was reading it; run again.")


def _write_manifest(folder: Path, frozen: Frozen, inputs: Mapping[str, str], mark: str, supersedes: str | None) -> None:
    config = frozen.config
    found = [p for part in ("tables", *documents.FOLDERS) for p in sorted((folder / part).rglob("*"))]
    found += sorted(folder.glob(f"{documents.WORKBOOK}*.xlsx"))
    outputs = {p.relative_to(folder).as_posix(): file_hash(p) for p in found if p.is_file()}
    facts = {
        "company": config.company.name,
        "as_of": str(frozen.as_of),
        "languages": list(frozen.languages),
        "accept_stale": frozen.accept_stale,
        "inputs": dict(inputs),
        "settings": config.model_dump(mode="json", exclude={"base"}),
        "seed": config.seed,
        "versions": versions(),
        "fingerprint": mark,
        "outputs": outputs,
        "supersedes": supersedes,
    }
    (folder / MANIFEST).write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")
