"""Deals → probability and time of winning them, grades of prospects, weighted pipeline, stalled deals.

The chances come from the company's own deals, by age alone; a logistic model stands in where it has predicted better at
earlier dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from kamlab import terms
from kamlab.errors import DataError, first_ids
from kamlab.hazards import COVARIATES, LAST_WEEK, WEEK, Hazards, calibration, chances, fit, shifted

STAGES = ("won", "lost", "open")

LEAST_CLOSED = 50
"""With fewer won and lost deals the pipeline's own history says nothing; sales' closing dates do."""

CHANCE_DAYS = (30, 91, 182)
"""Days within which a deal's chance to be won is told."""

GRADE_DAYS = {"A": 30, "B": 91, "C": 182}
"""A deal that is won within these days with at least `GRADE_CHANCE` has this grade; every other one D."""
GRADE_CHANCE = 0.5

SOON_DAYS = 91
ORIGINS = 3
STALLED_SHARE = 0.95
"""A deal is stalled once it is older than 95 % of all won deals were when they were won."""

PRIOR_LEVEL_SD, PRIOR_ORIGINS = 0.2, 2
"""Before any date is tried all chances together are taken to be off by 20 %, a belief worth two dates."""

DRAWS = 2000


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The open deals at the as-of date and what is known of their future.

    deals : table "pipeline" of `terms`; prospects : table "prospects"; record : table "pipeline_record"; model : name
    of what the chances come from, "closing_dates" where the history is too short for any; total, lower, upper : value
    of the open deals weighted with their chances, and its 90 % interval (currency), missing without chances.
    """

    deals: pd.DataFrame
    prospects: pd.DataFrame
    record: pd.DataFrame
    model: str
    total: float
    lower: float
    upper: float


def assess(
    deals: pd.DataFrame,
    *,
    as_of: date,
    seed: int = 0,
    grade_days: Mapping[str, int] = GRADE_DAYS,
    grade_chance: float = GRADE_CHANCE,
) -> Pipeline:
    """Say of each open deal how probably and when it is won, and grade the prospects.

    Parameters
    ----------
    deals : pandas.DataFrame
        deal (id), account (may be missing), stage (won, lost or open), opened and closed (dates; missing where not
        yet), value (currency; missing values are taken from won deals of the same product), and optionally product,
        owner, stage_detail (sales' own name of the stage), expected_close (date).
    as_of : date
        Nothing dated later is read: a deal that closed later is open.
    seed : int
        Of the draws that the interval of the total comes from.
    grade_days : mapping of str to int
        Grade → days within which a deal is won with the chance, or is to close where nothing is known of chances; the
        best grade first, days in rising order. Every other deal is D.
    grade_chance : float
        Least probability of that.

    Raises
    ------
    DataError
        With all faults at once: missing columns, unknown stages, deals that stand twice or close before they open.
    """
    known = _read(deals, as_of)
    waiting = known[known["stage"] == "open"].reset_index(drop=True)
    closed = known["stage"] != "open"
    if closed.sum() < LEAST_CLOSED or (known["stage"] == "won").sum() < LEAST_CLOSED / 5:
        table, record, name = _by_closing_dates(waiting, as_of, grade_days), _no_record(), "closing_dates"
    else:
        record, name, shift = _contest(known, as_of)
        table = _by_hazards(waiting, fit(name, known), shift, grade_days, grade_chance)
        won_ages = known.loc[known["stage"] == "won", "age_days"]
        table["stalled"] = waiting["age_days"] > won_ages.quantile(STALLED_SHARE)
    table["value"], table["value_source"] = _values(waiting, known)
    table["weighted_value"] = table["value"] * table["p_win"]
    table = table.sort_values("deal", ignore_index=True)[[column.name for column in terms.TABLES["pipeline"]]]
    return Pipeline(table, _prospects(table), record, name, *_total(table, record, name, seed))


def _total(table: pd.DataFrame, record: pd.DataFrame, name: str, seed: int) -> tuple[float, float, float]:
    """Return the weighted value of all open deals and its 90 % interval.

    Deals are won independently, but the chances of all may be off together, as they were at earlier dates.
    """
    if name == "closing_dates":
        return np.nan, np.nan, np.nan
    own = record[(record["model"] == name) & (record["won"] > 0)]
    errors = np.log(own["won"] / own["predicted"]).to_numpy()
    sd = np.sqrt((PRIOR_ORIGINS * PRIOR_LEVEL_SD**2 + (errors**2).sum()) / (PRIOR_ORIGINS + len(errors)))
    rng = np.random.default_rng(seed)
    level = np.exp(sd * rng.standard_normal(DRAWS) - sd**2 / 2)
    chance, value = table["p_win"].to_numpy(), table["value"].fillna(0.0).to_numpy()
    drawn = np.array([(rng.random(len(table)) < chance * factor) @ value for factor in level])
    lower, upper = np.quantile(drawn, [0.05, 0.95])
    return float(table["weighted_value"].sum()), float(lower), float(upper)


def _read(deals: pd.DataFrame, as_of: date) -> pd.DataFrame:
    missing = [name for name in ("deal", "account", "stage", "opened", "closed", "value") if name not in deals]
    if missing:
        raise DataError(f"The deals lack {', '.join(missing)}. Map these columns.")
    faults = []
    foreign = ~deals["stage"].isin(STAGES)
    if foreign.any():
        faults.append(
            f'{int(foreign.sum())} deals have a stage such as "{deals.loc[foreign, "stage"].iloc[0]}" (first: '
            f"{first_ids(deals['deal'][foreign])}): map stages to {', '.join(STAGES)}."
        )
    twice = deals["deal"].duplicated()
    if twice.any():
        faults.append(f"{int(twice.sum())} deals stand twice (first: {first_ids(deals['deal'][twice])}).")
    undated = deals["stage"].isin(["won", "lost"]) & deals["closed"].isna()
    if undated.any():
        faults.append(
            f"{int(undated.sum())} won or lost deals have no closing date (first: {first_ids(deals['deal'][undated])})."
        )
    backwards = deals["closed"] < deals["opened"]
    if backwards.any():
        faults.append(
            f"{int(backwards.sum())} deals close before they open (first: {first_ids(deals['deal'][backwards])})."
        )
    if faults:
        raise DataError(" ".join(faults))
    return _as_of(deals, as_of)


def _as_of(deals: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return what was known on a day: later deals are not there, later closings have not happened."""
    day = pd.Timestamp(as_of)
    known = deals[(deals["opened"] <= day) | (deals["opened"].isna() & ~(deals["closed"] > day))].copy()
    later = known["closed"] > day
    known.loc[later, "stage"] = "open"
    known.loc[later, ["closed", "value"]] = [pd.NaT, np.nan]
    end = known["closed"].fillna(day)
    # A deal that has no opening day yet is at its beginning.
    known["age_days"] = (end - known["opened"]).dt.days.fillna(0).astype(int)
    return known.reset_index(drop=True)


def _by_hazards(
    waiting: pd.DataFrame, hazards: Hazards, shift: float, grade_days: Mapping[str, int], grade_chance: float
) -> pd.DataFrame:
    won = shifted(chances(hazards, waiting, [*CHANCE_DAYS, LAST_WEEK * WEEK]), shift)
    table = _base(waiting)
    table["p_win_30"], table["p_win_91"], table["p_win_182"], table["p_win"] = won.T
    until = shifted(chances(hazards, waiting, list(grade_days.values())), shift)
    table["prospect_004"] = np.select([chance >= grade_chance for chance in until.T], list(grade_days), "D")
    return table


def _by_closing_dates(waiting: pd.DataFrame, as_of: date, grade_days: Mapping[str, int]) -> pd.DataFrame:
    """Grade by when sales expects to close; nothing is known of the chances."""
    table = _base(waiting).assign(p_win_30=np.nan, p_win_91=np.nan, p_win_182=np.nan, p_win=np.nan, stalled=False)
    ahead = (table["expected_close"] - pd.Timestamp(as_of)).dt.days
    table["prospect_004"] = np.select([ahead <= days for days in grade_days.values()], list(grade_days), "D")
    return table


def _base(waiting: pd.DataFrame) -> pd.DataFrame:
    table = waiting[["deal", "account", "opened", "age_days"]].copy()
    for name in ("product", "owner"):
        table[name] = waiting.get(name)
    table["expected_close"] = waiting.get("expected_close", pd.Series(pd.NaT, index=waiting.index))
    return table


def _values(waiting: pd.DataFrame, known: pd.DataFrame) -> tuple[pd.Series, np.ndarray]:
    """Return each open deal's value, and where it comes from."""
    won = known[(known["stage"] == "won") & (known["value"] > 0)]
    company = won["value"].mean() if len(won) else np.nan
    usual = pd.Series(company, index=waiting.index)
    if "product" in known and len(won):
        usual = waiting["product"].map(won.groupby("product")["value"].mean()).fillna(company)
    own = waiting["value"]
    return own.fillna(usual), np.where(own.notna(), "own", np.where(usual.notna(), "won_deals", "unknown"))


def _prospects(table: pd.DataFrame) -> pd.DataFrame:
    """Sum the open deals of each account; its grade is its best deal's."""
    named = table[table["account"].notna()]
    groups = named.groupby("account", sort=True)
    best = groups["prospect_004"].min()
    sums = groups.agg(
        open_deals=("deal", "size"),
        open_value=("value", "sum"),
        weighted_value=("weighted_value", "sum"),
        stalled_deals=("stalled", "sum"),
    )
    none = groups["p_win"].apply(lambda p: float(1 - np.prod(1 - p)))
    result = sums.assign(p_win_any=none, prospect_004=best).reset_index()
    return result[[column.name for column in terms.TABLES["prospects"]]].astype({"account": "str"})


def _contest(known: pd.DataFrame, as_of: date) -> tuple[pd.DataFrame, str, float]:
    """Let both models and the plain win rate predict from earlier dates; choose on all but the newest.

    From the second date on the models are calibrated by what came of their predictions at the dates before. The
    logistic model is chosen where its mean squared error is lower by more than one standard error of the difference;
    the life table is the simpler one. The calibration that is returned rests on all dates.
    """
    rows: list[tuple[object, ...]] = []
    gains: list[np.ndarray] = []
    tells_apart = any(known[column].nunique() > 1 for column in COVARIATES if column in known)
    raw: dict[str, list[np.ndarray]] = {name: [] for name in ("life_table", "logistic")[: 1 + tells_apart]}
    outcomes: list[np.ndarray] = []
    for k in range(ORIGINS, 0, -1):
        origin = (pd.Timestamp(as_of) - pd.Timedelta(days=k * SOON_DAYS)).date()
        # When a deal without an opening day came up nobody knows.
        then = _as_of(known[known["opened"].notna()].drop(columns="age_days"), origin)
        waiting = then[then["stage"] == "open"].reset_index(drop=True)
        decided = then[then["stage"] != "open"]
        if len(decided) < LEAST_CLOSED or waiting.empty:
            continue
        now = known.set_index("deal").loc[waiting["deal"]]
        closed_by = pd.Timestamp(origin) + pd.Timedelta(days=SOON_DAYS)
        came = ((now["stage"] == "won") & (now["closed"] <= closed_by)).to_numpy()
        said = {"win_rate": np.full(len(waiting), (decided["stage"] == "won").mean())}
        for name, earlier in raw.items():
            chance = chances(fit(name, then), waiting, [SOON_DAYS])[:, 0]
            said[name] = shifted(chance, calibration(earlier, outcomes))
            earlier.append(chance)
        outcomes.append(came)
        rows += [
            (name, pd.Timestamp(origin), len(came), came.mean(), chance.mean(), ((chance - came) ** 2).mean())
            for name, chance in said.items()
        ]
        if k > 1 and tells_apart:
            gains.append((said["life_table"] - came) ** 2 - (said["logistic"] - came) ** 2)
    columns = [column.name for column in terms.TABLES["pipeline_record"]]
    record = pd.DataFrame(rows, columns=columns[:-1])
    record["role"] = np.where(record["origin"] == record["origin"].max(), "record", "choice")
    gain = np.concatenate(gains) if gains else np.zeros(1)
    name = "logistic" if gain.mean() > gain.std() / np.sqrt(len(gain)) else "life_table"
    return record, name, calibration(raw[name], outcomes)


def _no_record() -> pd.DataFrame:
    return pd.DataFrame(columns=[column.name for column in terms.TABLES["pipeline_record"]])
