"""The command line: parses, calls, prints; nothing else."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from kamlab import resources
from kamlab.display import Display
from kamlab.errors import ConfigError, KamlabError, UsageError, first_ids
from kamlab.period import parse_day

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Customer value, fitted segments and key-account strategies from a transaction log.",
)

ConfigOption = Annotated[
    Path | None, typer.Option(help="Configuration file; without it kamlab.toml here, else the sample company's.")
]


def _day(text: str) -> str:
    """Refuse an as-of date that is no date."""
    if text:
        try:
            parse_day(text)
        except ConfigError as error:
            raise UsageError(str(error)) from None
    return text


AsOfOption = Annotated[
    str,
    typer.Option(help="Last day whose data may be used, such as 2025-12-31.", metavar="YYYY-MM-DD", callback=_day),
]


@app.command()
def report(
    config: ConfigOption = None,
    as_of: AsOfOption = "",
    lang: Annotated[str, typer.Option(help="Languages of the report: en, vi, zh, es; several as en,vi.")] = "",
    out: Annotated[Path, typer.Option(help="Folder of all runs.")] = Path("reports"),
    accept_stale: Annotated[
        bool, typer.Option("--accept-stale", help="Report on a stale log; page 1 says so.")
    ] = False,
) -> None:
    """Run all chapters and write the management report as PDF."""
    from kamlab.i18n import languages as known
    from kamlab.runs import find_config, run

    languages = [part.strip() for part in lang.split(",") if part.strip()]
    config = config or find_config()
    if lang and not (languages and set(languages) <= set(known())):
        wrong = first_ids(part for part in languages if part not in known()) or lang
        raise UsageError(f"--lang: no report can be written in {wrong}. Languages are: {', '.join(known())}.")
    with _stoppable(), Display() as progress:
        result = run(config, as_of=as_of, languages=languages, out=out, accept_stale=accept_stale, progress=progress)
    if result.reused:
        typer.echo("Same data, settings and code as a finished run; its documents are unchanged.")
    for message in result.messages:
        typer.echo(message, err=True)
    for path in result.reports:
        typer.echo(str(path))


@app.command()
def check(
    data: Annotated[
        Path | None, typer.Argument(help="Configuration file (.toml), its folder, or the transaction log.")
    ] = None,
    as_of: AsOfOption = "",
    unusable: Annotated[
        Path | None, typer.Option(help="CSV to write every line to that cannot be used.", metavar="FILE.csv")
    ] = None,
    playbook: Annotated[
        Path | None, typer.Option(help="Playbook whose rules are tried on every state of an account.")
    ] = None,
) -> None:
    """Say what the data holds and what is wrong with it, without running a model; or prove a playbook's rules."""
    results = []
    with _stoppable(), Display() as progress:
        from kamlab.checks import check_data, check_playbook

        if playbook is not None:
            results.append(check_playbook(playbook, as_of=as_of))
        if data is not None:
            results.append(check_data(data, as_of=as_of, unusable=unusable, progress=progress))
    if not results:
        raise UsageError("There is nothing to check. Name a configuration, a transaction log, or --playbook with one.")
    for result in results:
        typer.echo(result.text)
    if any(result.faults for result in results):
        raise typer.Exit(1)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a finished run, such as reports/acme-2025-09-30.")],
    second: Annotated[Path, typer.Argument(help="Folder of another finished run of the same company.")],
) -> None:
    """Say what changed between two runs: value, classes, types and strategies, who moved and by which rule."""
    from kamlab.comparison import compare_runs

    typer.echo(compare_runs(first, second))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder that holds your data; kamlab.toml is written into it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Confirm the guessed columns without being asked.")] = False,
) -> None:
    """Guess what the files of a folder hold and write a configuration, to be confirmed by you."""
    with _stoppable():
        from kamlab.start import confirm, write_configuration

        path, said = write_configuration(folder)
    typer.echo(said)
    asked = sys.stdin.isatty() and "TO SETTLE" not in path.read_text("utf-8")
    if yes or (asked and typer.confirm("Are these the right columns?", default=False)):
        confirm(path)
        typer.echo("Confirmed.")


@app.command()
def lab(
    folder: Annotated[Path | None, typer.Argument(help="Where to copy the notebooks to and open them.")] = None,
) -> None:
    """Open the notebooks in JupyterLab; beside a kamlab.toml of your own, a copy of them that finds it."""
    notebooks = resources.notebooks()
    elsewhere = not notebooks.is_relative_to(Path.cwd())
    if folder is not None or resources.is_packaged(notebooks) or (elsewhere and Path("kamlab.toml").is_file()):
        folder = folder or Path("kamlab-notebooks")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for notebook in sorted(notebooks.glob("*.ipynb")):
                if not (folder / notebook.name).exists():
                    shutil.copy(notebook, folder)
        except OSError as error:
            raise ConfigError(
                f"The notebooks cannot be copied to {folder}: {error.strerror}. Name another folder: kamlab lab FOLDER"
            ) from None
        notebooks = folder
    raise typer.Exit(subprocess.run([sys.executable, "-m", "jupyterlab", "--notebook-dir", str(notebooks)]).returncode)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let Ctrl-C and a scheduler's SIGTERM end a run by an exception: kernels end and unfinished files go."""
    code = 0

    def stop(number: int, _: object) -> None:
        nonlocal code
        code = 128 + number
        for each in handlers:
            # A second Ctrl-C must not interrupt the clearing up.
            signal.signal(each, signal.SIG_IGN)
        # What is stopped half-way may complain of it, as a kernel that was just starting does.
        logging.disable()
        typer.echo("kamlab: stopped; nothing was changed.", err=True)
        sys.exit(code)

    # A program that was started with a signal ignored, as by nohup, goes on ignoring it.
    earlier_ones = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: earlier for number, earlier in earlier_ones.items() if earlier is not signal.SIG_IGN}
    try:
        for number in handlers:
            signal.signal(number, stop)
        yield
    except Exception:
        # A database that is stopped in a query says so by an error of its own.
        if code:
            sys.exit(code)
        raise
    finally:
        for number, earlier in handlers.items():
            signal.signal(number, earlier)


def main() -> None:
    """Run the command line; a user's mistake ends in one paragraph and exit code 1, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # Under LANG=C a customer's name in Chinese must not end the program.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app()
    except KamlabError as error:
        typer.echo(f"kamlab: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # before a command has begun, or after it has ended
        sys.exit(128 + signal.SIGINT)
