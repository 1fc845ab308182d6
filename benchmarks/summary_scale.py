"""Time the summary against hand-written SQL and lifetimes, interleaved in one run.

    python -m kamlab.simulate --lines 10_000_000 log.parquet
    python benchmarks/summary_scale.py [log.parquet] [--rounds 3] [--memory-limit 3GB] [--four] [--lifetimes [WAY …]]
    python benchmarks/summary_scale.py log.parquet --keep my.ledger.parquet     (makes the ledger, for later runs)

"sql" is the usual query, "sql ordered" the plan that kamlab follows in an ordered file, "lifetimes" the same from lines
in memory, "lifetimes file" with reading them as floats, "lifetimes plainly" with reading them as pandas does by itself;
all three, or those that --lifetimes names (memory, file, plainly): they need some 20 GB a hundred million lines.
Each measurement runs in a process of its own, so that its peak of memory is its own; the ledger is made once, before.
CPU seconds of all threads stand beside the seconds of the clock, because a busy machine stretches only the latter.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

COLUMNS = {
    name: name
    for name in ("account", "date", "amount", "cost", "order_id", "line_id", "product", "product_line", "quantity")
}
AS_OF = "2025-12-31"
WAYS = {"memory": "lifetimes four", "file": "lifetimes file four", "plainly": "lifetimes plainly four"}
FOUR = ["frequency", "recency", "T", "monetary_value"]

LINES = f"""FROM read_parquet('{{path}}')
WHERE account IS NOT NULL AND kind IN ('sale', 'return', 'rebate') AND date <= DATE '{AS_OF}'"""
DAYS = f"""SELECT account, date, sum(amount) AS net,
  bool_or(kind <> 'return' AND amount > 0) AND sum(amount) > 0 AS bought
{LINES} GROUP BY ALL"""

# The ledger holds no return above 0, so that a day that nets above 0 is a day of purchase: the shortest query there is.
FOUR_SQL = f"""
SELECT account, count(*) - 1 AS frequency, (max(date) - min(date)) / 7.0 AS recency,
  (DATE '{AS_OF}' - min(date)) / 7.0 AS T,
  coalesce(((sum(net) - arg_min(net, date)) / nullif(count(*) - 1, 0))::DOUBLE, 0) AS monetary_value
FROM (SELECT account, date, sum(amount) AS net {LINES} GROUP BY ALL HAVING sum(amount) > 0)
GROUP BY account ORDER BY account"""

# The plan of kamlab in SQL: in an ordered file a day's sum is what a running total has grown by since the day before.
ORDERED_SQL = f"""
WITH lines AS (
  SELECT account, date, sum(amount::DECIMAL(18,4)) OVER (ROWS UNBOUNDED PRECEDING) AS total,
    lead(account) OVER () AS next, lead(date) OVER () AS next_date {LINES}),
ends AS (SELECT account, date, total FROM lines WHERE next IS NULL OR next <> account OR next_date <> date),
days AS (SELECT account, date, total - coalesce(lag(total) OVER (), 0) AS net FROM ends)
SELECT account, count(*) - 1 AS frequency, (max(date) - min(date)) / 7.0 AS recency,
  (DATE '{AS_OF}' - min(date)) / 7.0 AS T,
  coalesce(((sum(net) - arg_min(net, date)) / nullif(count(*) - 1, 0))::DOUBLE, 0) AS monetary_value
FROM days WHERE net > 0 GROUP BY account ORDER BY account"""

LAST, BEFORE, THREE = (
    "date >= DATE '2025-01-01'",
    "date BETWEEN DATE '2024-01-02' AND DATE '2024-12-31'",
    "date >= DATE '2023-01-01'",
)
ALL_SQL = f"""
WITH days AS MATERIALIZED ({DAYS}),
purchases AS (
  SELECT *, DATE '{AS_OF}' - date AS ago, CASE WHEN bought THEN ln(net::DOUBLE) END AS y,
    CASE WHEN bought THEN date - lag(date) OVER w END AS gap, row_number() OVER w AS later
  FROM days WINDOW w AS (PARTITION BY account, bought ORDER BY date)),
by_account AS (
  SELECT account, min(date) FILTER (bought) AS first, max(date) FILTER (bought) AS last,
    count(*) FILTER (bought) AS n, arg_min(net, date) FILTER (bought)::DOUBLE AS first_value,
    sum(net) FILTER (bought)::DOUBLE AS purchase_value, max(net) FILTER (bought)::DOUBLE AS largest,
    sum(net)::DOUBLE AS revenue, sum(net) FILTER ({LAST})::DOUBLE AS trailing,
    sum(net) FILTER ({BEFORE})::DOUBLE AS previous, count(*) FILTER (bought AND {LAST}) AS trailing_days,
    count(*) FILTER (bought AND {BEFORE}) AS previous_days,
    sum(net) FILTER (bought AND {LAST})::DOUBLE AS trailing_value,
    max(net) FILTER (bought AND {LAST})::DOUBLE AS trailing_largest,
    sum(ago) FILTER (bought) AS st, sum(ago * ago) FILTER (bought) AS stt, sum(y::DECIMAL(18,8))::DOUBLE AS sy,
    sum((ago * y)::DECIMAL(18,8))::DOUBLE AS sty, sum((y * y)::DECIMAL(18,8))::DOUBLE AS syy,
    max(gap) FILTER ({THREE}) AS longest, median(gap) AS median_gap, count(gap) AS n_gaps, sum(gap) AS sum_gap,
    sum(gap * gap) AS squares, sum(ln(gap)::DECIMAL(18,8))::DOUBLE AS logs, max(later) FILTER (gap > 365) AS after
  FROM purchases GROUP BY account HAVING count(*) FILTER (bought) > 0),
by_line AS (
  SELECT account, count(DISTINCT product_line) FILTER ({LAST}) AS product_lines,
    sum(amount) FILTER (amount > 0)::DOUBLE AS sold, sum(amount) FILTER (amount < 0)::DOUBLE AS returned,
    count(*) FILTER (costed AND amount > 0) AS costed_lines, sum(amount) FILTER (costed)::DOUBLE AS costed_revenue,
    sum(amount - cost) FILTER (costed)::DOUBLE AS margin,
    sum(amount - cost) FILTER (cost IS NOT NULL AND {LAST})::DOUBLE AS trailing_margin,
    sum(amount) FILTER (costed AND amount > 0)::DOUBLE AS priced_revenue,
    sum(amount - cost) FILTER (costed AND amount > 0)::DOUBLE AS priced_margin,
    sum(((amount - cost)::DOUBLE * ((amount - cost)::DOUBLE / amount::DOUBLE))::DECIMAL(38,6))
      FILTER (costed AND amount > 0)::DOUBLE AS square
  FROM (SELECT *, cost IS NOT NULL AND {THREE} AS costed {LINES}) GROUP BY account),
months AS (
  SELECT account, (DATE '{AS_OF}' - date) * 12 // 365 AS month, sum(net) AS net FROM days WHERE {THREE} GROUP BY ALL),
peaks AS (
  SELECT account, max(total)::DOUBLE AS peak, (max(total) FILTER (w >= 12))::DOUBLE AS prior_peak
  FROM (SELECT account, w, sum(net) AS total
        FROM (SELECT account, net, unnest(range(greatest(0, month - 11), least(24, month) + 1)) AS w FROM months)
        GROUP BY ALL) GROUP BY account)
SELECT * FROM by_account JOIN by_line USING (account) LEFT JOIN peaks USING (account) ORDER BY account"""


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(what: str, path: Path, memory_limit: str) -> None:
    """Run one measurement and print it as JSON."""
    import pandas as pd

    if what.startswith("kamlab"):
        import kamlab as kl
        from kamlab.engines import Engine

        ledger = kl.ledger.Ledger.from_parquet(path, pd.DataFrame(), engine=Engine(memory_limit=memory_limit))
        columns = FOUR if what.endswith("four") else None
        _ = ledger.table.count().to_pyarrow()
        start, cpu = time.perf_counter(), used()
        table = kl.summarize(ledger, kl.StudyPeriod(AS_OF), columns=columns)
    elif what.startswith("sql"):
        import duckdb

        with tempfile.TemporaryDirectory(dir=path.parent) as spill:
            options = {"memory_limit": memory_limit, "temp_directory": spill}
            options["preserve_insertion_order"] = what == "sql ordered four"
            connection = duckdb.connect(config=options)
            connection.execute(f"SELECT count(*) FROM '{path}'").fetchall()
            start, cpu = time.perf_counter(), used()
            query = {"sql four": FOUR_SQL, "sql ordered four": ORDERED_SQL, "sql all": ALL_SQL}[what]
            table = connection.execute(query.format(path=path)).to_arrow_table().to_pandas()
    elif what == "scan":
        import duckdb

        start, cpu = time.perf_counter(), used()
        needed = "count(account), max(date), sum(amount), count(kind)"
        table = duckdb.connect().execute(f"SELECT {needed} {LINES.format(path=path)}").to_arrow_table().to_pandas()
    else:
        import warnings

        import pyarrow.parquet as pq

        warnings.simplefilter("ignore")
        from lifetimes.utils import summary_data_from_transaction_data

        from_file = time.perf_counter(), used()
        lines = pq.read_table(path, columns=["account", "date", "amount"])
        if not what.startswith("lifetimes plainly"):
            # As objects, which pandas makes of decimals, ten million amounts take longer than all that follows.
            lines = lines.set_column(2, "amount", lines["amount"].cast("float64"))
        lines = lines.to_pandas(date_as_object=False).dropna().astype({"amount": float, "date": "datetime64[s]"})
        start, cpu = from_file if what != "lifetimes four" else (time.perf_counter(), used())
        table = summary_data_from_transaction_data(
            lines, "account", "date", "amount", observation_period_end=AS_OF, freq="D"
        )
    seconds, cpu = time.perf_counter() - start, used() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "rows": len(table)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "log",
        type=Path,
        nargs="?",
        help="what kamlab.simulate --lines wrote, or a ledger; without it a log is made",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-limit", default="3GB")
    parser.add_argument("--four", action="store_true", help="the four columns alone")
    parser.add_argument("--lifetimes", nargs="*", choices=list(WAYS), help="lifetimes too; all ways if none is named")
    parser.add_argument("--keep", type=Path, help="write the ledger there and measure nothing")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.log, options.memory_limit)
        return
    if options.keep:
        as_ledger(options.log, options.keep, options.memory_limit)
        return
    kinds = [
        "scan",
        *(f"{who} {what}" for what in ("four", "all")[: 1 + (not options.four)] for who in ("sql", "kamlab")),
    ]
    kinds.insert(1, "sql ordered four")
    others = [] if options.lifetimes is None else [WAYS[way] for way in options.lifetimes or WAYS]
    kinds += others
    with tempfile.TemporaryDirectory(dir=options.log.parent if options.log else None) as folder:
        log = options.log or Path(folder, "log.parquet")
        if options.log is None:
            make = [sys.executable, "-m", "kamlab.simulate", "--lines", "1_000_000", str(log)]
            subprocess.run(make, check=True, capture_output=True)
        ledger = log
        if "ledger" not in log.name:
            ledger = Path(folder, "ledger.parquet")
            as_ledger(log, ledger, options.memory_limit)
        found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
        command = [sys.executable, __file__, str(ledger), "--memory-limit", options.memory_limit, "--measure"]
        for _ in range(options.rounds):
            for kind in kinds:
                done = subprocess.run([*command, kind], capture_output=True, text=True, check=True)
                found[kind].append(json.loads(done.stdout))
                print(f"{kind}: {found[kind][-1]['seconds']:.1f} s", file=sys.stderr, flush=True)
    print(f"{'':24}{'s':>8}{'CPU s':>8}{'GB':>7}{'accounts':>11}")
    middle = {k: {key: median(run[key] for run in runs) for key in runs[0]} for k, runs in found.items()}
    for kind, row in middle.items():
        print(f"{kind:24}{row['seconds']:8.2f}{row['cpu']:8.2f}{row['peak']:7.2f}{row['rows']:11,.0f}")
    of_interest = [("kamlab four", "sql four"), ("kamlab four", "sql ordered four"), ("kamlab all", "sql all")]
    of_interest += [(other, "kamlab four") for other in others]
    for a, b in of_interest:
        if a in middle:
            ratios = {
                key: median(x[key] / y[key] for x, y in zip(found[a], found[b], strict=True)) for key in middle[a]
            }
            print(f"{a} / {b}: {ratios['seconds']:.2f} by the clock, {ratios['cpu']:.2f} in CPU seconds")


def as_ledger(log: Path, path: Path, memory_limit: str) -> None:
    import kamlab as kl
    from kamlab.engines import Engine

    start, cpu = time.perf_counter(), used()
    engine = Engine(memory_limit=memory_limit)
    ledger = kl.read_ledger(log, columns=COLUMNS, engine=engine, scratch=path.absolute().parent)
    ledger.path.replace(path)
    seconds, cpu = time.perf_counter() - start, used() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{log.name} into the ledger: {seconds:.1f} s, {cpu:.1f} CPU s, {peak:.2f} GB")


if __name__ == "__main__":
    main()
