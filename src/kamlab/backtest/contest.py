"""The contest: every forecaster on periods that have passed, the choice, and its untouched record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kamlab.backtest import selection
from kamlab.backtest.choice import Choice
from kamlab.backtest.fits import first_fitted, in_force, likeliest, spend_model, too_few
from kamlab.backtest.forecasters import UNTESTED_WEIGHT, Forecaster, Parametric, blank_model, models_at
from kamlab.backtest.names import BG_BB, BLEND, COMBINATION, COVARIATE_MODELS, SUPERVISED, TRANSACTION_MODELS
from kamlab.backtest.notes import (
    NOTE_ALIVE,
    NOTE_CONFIGURED,
    NOTE_DEFAULT,
    NOTE_FEW,
    NOTE_LEFT_OUT,
    NOTE_NO_ORIGIN,
    NOTE_NO_SPEND,
    NOTE_ONE_ORIGIN,
    NOTE_REPLACED,
    NOTE_SAMPLED,
    NOTE_SHORT,
    NOTE_SILENT,
    NOTE_UNTAUGHT,
)
from kamlab.backtest.record import SOON_DAYS, Record, replay
from kamlab.backtest.situation import Situation, came_in, from_ledger
from kamlab.backtest.trial import Pair, Trial, hold, leaving
from kamlab.clv import MBGNBD, GammaGamma
from kamlab.errors import ConfigError, DataError, ModelError, did_you_mean
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.progress import track
from kamlab.revenue import members_of
from kamlab.terms import AUTO, FORECASTERS

if TYPE_CHECKING:
    from kamlab.ledger import Ledger

MAX_ORIGINS = 3
LEAST_HISTORY = 0.5
"""A forecast made from less than half a horizon of history tests nothing that resembles today's."""
SLACK_DAYS = 14
"""Companies rest at the turn of a year: a history that misses its first fortnight counts as whole."""
MAX_ACCOUNTS = 20_000
"""Beyond these the contest looks at a random sample of accounts."""


def choose(
    ledger: Ledger,
    period: StudyPeriod,
    *,
    accounts: pd.DataFrame | None = None,
    covariates: pd.DataFrame | None = None,
    origins: int = MAX_ORIGINS,
    forecaster: str = AUTO,
    seed: int = 0,
    summary: pd.DataFrame | None = None,
    only: frozenset[str] | None = None,
) -> Choice:
    """Let all forecasters forecast from earlier dates, choose one there, and fit it at the as-of date.

    Origin k ends k horizons before the as-of date; nothing after the as-of date is read. The newest origin is the
    record, where the log before it spans at least half a horizon; earlier ones need a whole one, and the choice is made
    on them. With a single origin the choice is made there. Without any, half of the forecast is the most likely
    model's, and half the purchases of the last 12 months as far as the account is alive. Fewer than 30 accounts, or 10
    repeat buyers, carry no model: there the model is MBG/NBD with a prior (`MBGNBD.fit_few`), and `Choice.few` says so.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
    accounts : pandas.DataFrame, optional
        Columns member, account, as for `summary.summarize`.
    covariates : pandas.DataFrame, optional
        Column account and one column for each covariate, as known today: text, or numbers. With them models that take
        them join in, and summaries that are forecast from must have these columns (`situation.described`).
    origins : int
        Number of origins at most.
    forecaster : str
        "auto", or the one of `terms.FORECASTERS` that is to be in force.
    seed : int
        Of the resamples and draws.
    summary : pandas.DataFrame, optional
        What `summary.summarize` gives for the period and the accounts, where it is at hand; else it is made.
    only : frozenset of str, optional
        Accounts that the models at the as-of date are fitted to, and that the summary is of; all of them if not given.

    Raises
    ------
    ConfigError
        If there is no such forecaster.
    ModelError
        If the data up to the as-of date cannot carry a model.
    """
    check_name(forecaster)
    now = from_ledger(ledger, period, accounts, only, covariates, summary=summary)
    if origins:
        _check_covariates(now)
    spend = spend_model(now, ledger.has_money)
    sample = _sample(now.summary["account"], seed)
    notes = [NOTE_NO_SPEND] if spend is None and ledger.has_money else []
    notes += [NOTE_SAMPLED] if sample is not None else []
    seen = ledger if sample is None or not origins else ledger.of(members_of(accounts, sample))
    trials, pairs = _trials(seen, period, accounts, sample, covariates, origins=origins, with_money=spend is not None)
    target = "purchases" if spend is None else "revenue"
    if not trials:
        return _untested(now, spend, target, [*notes, NOTE_NO_ORIGIN], forecaster)
    short = _history(ledger, period.origin(1)) < period.horizon_days - SLACK_DAYS
    notes += [NOTE_SHORT] if short else []
    notes += [NOTE_ONE_ORIGIN] if len(trials) == 1 else []
    notes += [NOTE_LEFT_OUT] if any({*models_at(now), BG_BB} - set(trial.forecasters) for trial in trials) else []
    verdict, trials = _verdict(trials, target, forecaster, seed)
    notes += [NOTE_CONFIGURED] if forecaster != AUTO else []
    days, with_money = period.horizon_days, spend is not None
    record = replay(trials, verdict.chosen, verdict.model, target, horizon_days=days, with_money=with_money, seed=seed)
    behind = first_fitted(verdict.models, now, spend)
    wanted = behind.name if verdict.chosen == verdict.model else verdict.chosen
    source = in_force(wanted, behind, verdict.weight, now, pairs)
    chosen = source.name
    if behind.name != verdict.model or chosen != wanted:
        notes.append(NOTE_REPLACED)
    tested = "short" if short else "earlier" if len(trials) > 1 else "only"
    return replace(
        _choice(chosen, source, behind, now, record, target, notes),
        weight=verdict.weight if chosen == BLEND else 1.0,
        candidates=selection.candidates(verdict.scores, trials[:-1] or trials, chosen),
        sampled=0 if sample is None else len(sample),
        chosen_by=tested if forecaster == AUTO else "configuration",
        # Of 12 months the summary itself tells.
        windows=None if period.horizon_days == DAYS_PER_YEAR else now.windows,
    )


class _Verdict(NamedTuple):
    """The forecaster chosen, the models behind it, best first, the blend's weight, and all scores."""

    chosen: str
    models: tuple[str, ...]
    weight: float
    scores: pd.DataFrame

    @property
    def model(self) -> str:
        """The model behind the distribution."""
        return self.models[0]


def _verdict(trials: list[Trial], target: str, forecaster: str, seed: int) -> tuple[_Verdict, list[Trial]]:
    """Choose on all dates but the newest, or on that where it is alone; return the trials with their mixtures."""
    deciding = trials[:-1] or trials
    model = forecaster if forecaster in leaving() else selection.best_model(deciding, target, seed=seed)
    if any(model not in trial.models for trial in trials):
        raise ModelError(_not_everywhere(model))
    weight = selection.best_weight(deciding, model, target)
    trials = [trial.mixed(model, weight) for trial in trials]
    table = selection.scores(trials[:-1] or trials, target, seed=seed)
    chosen = selection.simplest(table, FORECASTERS) if forecaster == AUTO else forecaster
    if any(chosen not in trial.forecasters for trial in trials):
        raise ModelError(_not_everywhere(chosen))
    ranked = [chosen, model, *table.sort_values("score", kind="stable")["forecaster"]]
    models = tuple(name for name in dict.fromkeys(ranked) if name in leaving())
    return _Verdict(chosen, models, weight, table), trials


def _not_everywhere(name: str) -> str:
    return (
        f'The forecaster "{name}" cannot be tested at every earlier date of this log. Choose another one, or leave it '
        f'to the contest with forecaster = "{AUTO}".'
    )


def check_name(forecaster: str) -> None:
    """Refuse a forecaster that there is not.

    Raises
    ------
    ConfigError
    """
    known = (AUTO, *FORECASTERS)
    if forecaster not in known:
        raise ConfigError(
            f'There is no forecaster "{forecaster}".{did_you_mean(forecaster, known)} Known are: {", ".join(known)}.'
        )


def _trials(
    ledger: Ledger,
    period: StudyPeriod,
    accounts: pd.DataFrame | None,
    sample: frozenset[str] | None,
    covariates: pd.DataFrame | None,
    *,
    origins: int,
    with_money: bool,
) -> tuple[list[Trial], list[Pair]]:
    """Return the trials, oldest first, and every pair that can teach, oldest first: one date more may teach."""
    seen: list[tuple[StudyPeriod, Situation]] = []
    for k in range(1, origins + 2 if origins else 1):
        origin = period.origin(k)
        if _history(ledger, origin) < period.horizon_days * LEAST_HISTORY:
            break
        try:
            seen.append((origin, from_ledger(ledger, origin, accounts, sample, covariates)))
        except DataError:
            break
    pairs = [(at, came_in(ledger, origin, accounts, at.summary["account"], sample)) for origin, at in seen]
    trials: list[Trial] = []
    for k, (origin, at) in enumerate(track(seen[:origins], "earlier dates tried"), start=1):
        if k > 1 and _history(ledger, origin) < period.horizon_days - SLACK_DAYS:
            break
        soon_days = min(SOON_DAYS, period.horizon_days)
        soon = came_in(
            ledger,
            StudyPeriod(origin.calibration_end, soon_days, period.unit),
            accounts,
            at.summary["account"],
            sample,
        )
        try:
            date = pd.Timestamp(origin.calibration_end)
            trials.append(
                hold(date, at, pairs[k - 1][1], soon.purchases > 0, pairs[: k - 1 : -1], with_money=with_money)
            )
        except ModelError:
            break
    return trials[::-1], pairs[::-1]


def _check_covariates(now: Situation) -> None:
    """Refuse covariates that no model can take, such as one that is the same for all accounts, with its reason."""
    if now.covariates and not too_few(now.summary):
        blank_model(next(iter(COVARIATE_MODELS)), now).fit(now.summary)


def _history(ledger: Ledger, period: StudyPeriod) -> int:
    """Return the days of the log up to the as-of date."""
    return (period.calibration_end - ledger.first_date).days + 1


def _sample(accounts: pd.Series, seed: int) -> frozenset[str] | None:
    if len(accounts) <= MAX_ACCOUNTS:
        return None
    rng = np.random.default_rng(seed)
    return frozenset(accounts.iloc[rng.choice(len(accounts), MAX_ACCOUNTS, replace=False)])


def _untested(now: Situation, spend: GammaGamma | None, target: str, notes: list[str], forecaster: str) -> Choice:
    """Return what is in force where no earlier date can be forecast from."""
    few = too_few(now.summary)
    if few:
        behind = Parametric("mbg_nbd", MBGNBD(unit=now.unit).fit_few(now.summary), spend)
        forecaster = behind.name if forecaster in TRANSACTION_MODELS else forecaster
        notes.append(NOTE_FEW)
    else:
        behind = first_fitted([forecaster], now, spend) if forecaster in leaving() else likeliest(now, spend)
    chosen = BLEND if forecaster == AUTO else forecaster
    notes.append(NOTE_DEFAULT if forecaster == AUTO else NOTE_CONFIGURED)
    if chosen == SUPERVISED:
        chosen = COMBINATION
    notes += [NOTE_UNTAUGHT] if chosen == COMBINATION else []
    source = in_force(chosen, behind, UNTESTED_WEIGHT, now, ())
    notes += [NOTE_REPLACED] if source.name != chosen else []
    chosen = source.name
    days, with_money = now.horizon_days, spend is not None
    record = replay([], chosen, behind.name, target, horizon_days=days, with_money=with_money, seed=0)
    return replace(
        _choice(chosen, source, behind, now, record, target, notes),
        weight=UNTESTED_WEIGHT if chosen == BLEND else 1.0,
        few=few,
        chosen_by="nothing" if forecaster == AUTO else "configuration",
    )


def _choice(
    chosen: str,
    source: Forecaster,
    behind: Parametric,
    now: Situation,
    record: Record,
    target: str,
    notes: Sequence[str],
) -> Choice:
    learnt = record.learnt
    silent = bool((source.expected(now).purchases <= 0).any())
    certain = behind.name == "bg_cnbd"  # BG/NBD says so itself.
    notes = [*notes, *[NOTE_SILENT] * silent, *[NOTE_ALIVE] * certain]
    return Choice(
        chosen,
        behind.transactions,
        behind.spend,
        record.backtest,
        target,
        learnt.level_sd(),
        tuple(notes),
        source=source,
        factors=learnt.factors(),
        silent=learnt.silent(),
        ranks=learnt.recalibrations(),
        soon=learnt.correction(),
        calibration=record.calibration,
        groups=record.groups,
    )
