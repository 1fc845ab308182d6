"""The sample company: a distributor of vitamin B3 and related chemicals, with the truth about every account."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamlab.errors import ConfigError
from kamlab.simulate import accounts, behaviour, dirt, lines, process, products, truth

SAMPLE_SEED = 7
"""Seed of the company in data/sample."""

PROSPECT_SHARE = 1 / 15
LIMITS = (120, 700)
"""Numbers of accounts that shares of behaviours and the stock of names are made for."""


@dataclass(frozen=True)
class Company:
    """A simulated company's tables.

    Attributes
    ----------
    accounts : pandas.DataFrame
        The account master, columns of data/sample/accounts.csv.
    order_lines : pandas.DataFrame
        The clean order lines up to the as-of date, columns of data/sample/order_lines.csv.
    truth : pandas.DataFrame
        One row per account: its hidden parameters, what they let one expect of the year after the as-of date,
        and what it really buys in it. Columns as in data/sample/README.md.
    dirty_lines : pandas.DataFrame
        Lines that do not belong in the file, one a row: `line` (its number in the file; the header is 1),
        `line_id`, `fault`, `text` (the raw line).
    seed : int
        Seed it was made with.
    """

    accounts: pd.DataFrame
    order_lines: pd.DataFrame
    truth: pd.DataFrame
    dirty_lines: pd.DataFrame
    seed: int


def company(n_accounts: int = 600, *, seed: int = SAMPLE_SEED) -> Company:
    """Simulate a distributor's four years 2022 to 2025, and the year 2026 for the truth alone.

    Parameters
    ----------
    n_accounts : int
        Number of accounts, prospects included; from 120 to 700.
    seed : int
        Same seed and number of accounts, same company.

    Raises
    ------
    ConfigError
        If the number of accounts is outside the limits.
    """
    if not LIMITS[0] <= n_accounts <= LIMITS[1]:
        raise ConfigError(
            f"n_accounts is {n_accounts}; the sample company has from {LIMITS[0]} to {LIMITS[1]} accounts."
        )
    # One stream a step: a change in one leaves the others' draws as they were.
    rng = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(8)]
    profiles = accounts.profiles(n_accounts, rng[0])
    places = rng[1].permutation(n_accounts)
    never, buying = np.split(places, [round(n_accounts * PROSPECT_SHARE)])
    who = profiles.loc[buying]

    buyers = process.leave_after_as_of(behaviour.draw(buying.size, rng[1]), rng[1])
    goods = products.assortments(who["industry"].to_numpy(), rng[2])
    factor = products.price_factors(goods, (who["channel"] == "distributor").to_numpy(), buyers, rng[2])
    orders = process.orders(buyers, rng[3])
    sold = lines.draw(orders, goods, factor, rng[4])

    margin_rate = products.margin_rates(goods, factor)
    bought = truth.buyers_truth(buyers, orders, sold, margin_rate, rng[5]).set_index(buying)
    unsold, blank = truth.prospects_truth(never.size, rng[5])
    known = pd.concat([bought, unsold.set_index(never)]).sort_index()
    trailing = np.zeros(n_accounts)
    trailing[buying] = truth.revenue(sold, buying.size, -1, 0)
    no_data = np.isin(np.arange(n_accounts), never[blank])
    known.insert(0, "account", profiles["account"])
    ledger = lines.table(sold, profiles["account"].to_numpy()[buying])
    master = accounts.master(profiles, known, trailing, no_data, rng[6])
    return Company(
        accounts=master.join(accounts.handovers(master, np.random.default_rng([seed, 8]))),
        order_lines=ledger,
        truth=known,
        dirty_lines=dirt.dirty_lines(ledger, rng[7]),
        seed=seed,
    )
