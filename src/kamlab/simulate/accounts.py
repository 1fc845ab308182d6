"""The sample company's account master: who the accounts are, and what sales has written down about them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.simulate.names import INDUSTRIES, Namer
from kamlab.simulate.timeline import AS_OF, BUSINESS, DAYS

_COUNTRIES: dict[str, tuple[str, float]] = {
    "China": ("", 0.46),
    "Vietnam": ("Southeast Asia", 0.13),
    "Mexico": ("Latin America", 0.08),
    "Taiwan": ("Taiwan and Hong Kong", 0.07),
    "Spain": ("Europe", 0.05),
    "Colombia": ("Latin America", 0.05),
    "Singapore": ("Southeast Asia", 0.04),
    "Germany": ("Europe", 0.03),
    "Hong Kong": ("Taiwan and Hong Kong", 0.02),
    "Netherlands": ("Europe", 0.02),
    "United States": ("North America", 0.02),
    "Thailand": ("Southeast Asia", 0.02),
    "Peru": ("Latin America", 0.01),
}
_CHINA_REGIONS = {"East China": 0.45, "South China": 0.25, "North China": 0.18, "West China": 0.12}

_OWNERS = {
    "East China": ("李文博", "王晓燕", "张磊", "刘思远"),
    "South China": ("陈丽华", "黄志强"),
    "North China": ("赵敏", "周倩"),
    "West China": ("吴国栋",),
    "Taiwan and Hong Kong": ("林怡君", "陳冠廷"),
    "Southeast Asia": ("Nguyễn Thị Hồng Nhung", "Trần Quốc Bảo", "Lê Minh Đức"),
    "Latin America": ("María José Ibáñez", "Carlos Peña Rivas"),
    "Europe": ("Lucía Muñoz", "Katrin Vogel"),
    "North America": ("Katrin Vogel",),
}
HANDED_OVER = 1 / 6
_INDUSTRY_SHARES = (0.34, 0.2, 0.16, 0.1, 0.08, 0.12)

_STRATEGIC = (
    ("reference customer in its market", "2026-12-31"),
    ("opens the tenders of its own customers", "2026-06-30"),
    ("pilot site for a new grade", "2025-06-30"),
    ("regional market entry", "2027-12-31"),
    ("joint registration of a new grade", "2026-09-30"),
    ("supplies us with a raw material in return", "2026-12-31"),
    ("board decision of March 2025", "2026-03-31"),
)
_STRATEGIC_PROSPECT = ("tender announced for 2026", "2026-12-31")


def _groups(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return each account's group number, −1 for none: one group in 24 accounts, of 2 to 5 members each."""
    sizes = rng.choice([2, 3, 4, 5], max(n // 24, 1), p=[0.35, 0.3, 0.2, 0.15])
    group = np.full(n, -1)
    group[rng.choice(n, sizes.sum(), replace=False)] = np.repeat(np.arange(sizes.size), sizes)
    return group


def profiles(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw who the accounts are.

    Returns
    -------
    pandas.DataFrame
        One row per account: `account`, `name`, `parent`, `parent_name` (empty for most), `channel`, `industry`,
        `region`, `country`, `owner` (empty for 3 %).
    """
    namer = Namer(rng)
    shares = np.array([share for _, share in _COUNTRIES.values()])
    brands: dict[int, tuple[str, str, str]] = {}
    rows = []
    for number, group in enumerate(_groups(n, rng), start=1):
        if group < 0 or group not in brands:
            country = str(rng.choice(list(_COUNTRIES), p=shares / shares.sum()))
            industry = str(rng.choice(INDUSTRIES, p=_INDUSTRY_SHARES))
            brand = namer.brand(country)
            if group >= 0:
                brands[group] = brand, country, industry
        else:
            brand, country, industry = brands[group]
        region = _COUNTRIES[country][0] or str(rng.choice(list(_CHINA_REGIONS), p=list(_CHINA_REGIONS.values())))
        distributor = industry == "trading" or rng.random() < 0.22
        rows.append(
            {
                "account": f"C{number:04d}",
                "name": namer.account(brand, country, region, industry, long=bool(rng.random() < 0.08)),
                "parent": f"G{group + 1:02d}" if group >= 0 else "",
                "parent_name": namer.group(brand, country) if group >= 0 else "",
                "channel": "distributor" if distributor else "end user",
                "industry": industry,
                "region": region,
                "country": country,
                "owner": "" if rng.random() < 0.03 else _owner(region, rng),
            }
        )
    return pd.DataFrame(rows)


def _owner(region: str, rng: np.random.Generator) -> str:
    people = _OWNERS[region]
    load = 1 / np.arange(1, len(people) + 1) ** 0.5  # the first in the list carries the most accounts
    return str(rng.choice(people, p=load / load.sum()))


def handovers(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return since when an owner is responsible and who was before: one row per account of the master.

    One account in six was handed over by a colleague of its region in the last two years; of the others nothing is
    written down.
    """
    rows = pd.DataFrame({"owner_since": "", "previous_owner": ""}, index=table.index)
    for row, owner, region in zip(table.index, table["owner"], table["region"], strict=True):
        others = [person for person in _OWNERS.get(region, ()) if person != owner]
        if owner and others and rng.random() < HANDED_OVER:
            day = DAYS[AS_OF - int(rng.integers(30, 730))]
            rows.loc[row] = [str(np.datetime_as_string(day)), str(rng.choice(others))]
    return rows


def _two_digits(value: np.ndarray) -> np.ndarray:
    unit = 10.0 ** (np.floor(np.log10(value)) - 1)
    return np.round(value / unit) * unit


def _declared_potential(
    potential: np.ndarray, trailing: np.ndarray, prospect: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return what sales declares, in CNY a year, NaN where it declares nothing (62 % of the buyers).

    Noise of 20 % around the true potential, two significant digits; one in twelve declared values was never
    brought up to date and lies below what the account buys already.
    """
    n = potential.size
    declared = potential * rng.lognormal(0, 0.2, n)
    stale = (rng.random(n) < 1 / 12) & (trailing > 0)
    declared = np.where(stale, trailing * rng.uniform(0.35, 0.9, n), np.maximum(declared, 1.05 * trailing))
    return np.where(prospect | (rng.random(n) < 0.38), _two_digits(declared), np.nan)


def _size_classes(potential: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return S, M, L or XL by true potential; one company in eight stands one class off."""
    classes = np.searchsorted([1e6, 5e6, 20e6], potential, side="right")
    off = np.where(rng.random(potential.size) < 1 / 8, rng.choice([-1, 1], potential.size), 0)
    return np.array(["S", "M", "L", "XL"])[np.clip(classes + off, 0, 3)]


def master(
    profiles: pd.DataFrame, truth: pd.DataFrame, trailing: np.ndarray, blank: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the account master: the profiles and what sales has written down.

    Parameters
    ----------
    profiles : pandas.DataFrame
        As drawn by `profiles`.
    truth : pandas.DataFrame
        One row per account: `behaviour`, `potential_revenue`.
    trailing : numpy.ndarray
        Revenue of the last 12 months, shape (accounts,).
    blank : numpy.ndarray
        Accounts of which nothing but the name is known, boolean of shape (accounts,).
    rng : numpy.random.Generator
        Source of randomness.
    """
    potential = truth["potential_revenue"].to_numpy()
    prospect = (truth["behaviour"] == "prospect").to_numpy()
    declared = _declared_potential(potential, trailing, prospect, rng)
    dates = rng.choice(np.flatnonzero(BUSINESS[: AS_OF + 1])[250:], len(profiles))
    date = np.where(np.isnan(declared), "", np.datetime_as_string(DAYS[dates]))
    table = profiles.assign(
        size=_size_classes(potential, rng), declared_potential=declared, declared_potential_date=date
    )
    table.loc[blank, ["channel", "industry", "region", "country", "owner", "size", "declared_potential_date"]] = ""
    table.loc[blank, "declared_potential"] = np.nan
    return table.join(_strategic(truth, ~blank, rng))


def _strategic(truth: pd.DataFrame, known: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return who is flagged strategic, why, and until when, one row per account of `truth`.

    The two largest loss-making accounts are, five of the other large ones (one flag has run out by the as-of
    date), and one large prospect.
    """
    size = truth["potential_revenue"].to_numpy()
    rank = np.argsort(-size, kind="stable")
    kind = truth["behaviour"].to_numpy()[rank]
    losing = rank[kind == "loss_making"][:2]
    large = rng.choice(rank[(kind != "loss_making") & (kind != "prospect")][:60], 5, replace=False)
    flags = pd.DataFrame({"strategic": "no", "strategic_reason": "", "strategic_until": ""}, index=truth.index)
    for row, (reason, until) in zip([*losing, *large], _STRATEGIC, strict=True):
        flags.loc[row] = ["yes", reason, until]
    flags.loc[rank[(kind == "prospect") & known[rank]][0]] = ["yes", *_STRATEGIC_PROSPECT]
    return flags
