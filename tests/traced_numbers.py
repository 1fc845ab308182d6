"""Finds every number that a run's documents print and holds it against what its trace gives, by queries of its own."""

import itertools
import math
import re
import string
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from xml.etree import ElementTree

import duckdb
from test_i18n import load_script

from kamlab import runs, schemes
from kamlab.backtest import BASELINES
from kamlab.dimensions import UNKNOWN
from kamlab.i18n import Translator
from kamlab.planning import OTHER
from kamlab.reports.export import read_document
from kamlab.reports.sections import evidence, method, potential, review, segments
from kamlab.reports.sections.names import MODEL_NAMES, forecaster_name, group_name
from kamlab.reports.sections.owners import DIMENSIONS
from kamlab.strategies import guide, texts
from kamlab.strategies.wording import SOURCES

NUMBER = r"(?:(?:under|over) )?(?:[A-Z]{3} )?[+−]?\d(?:[\d,]*\d)?(?:\.\d+)?(?: (?:k|M|bn)\b|%)?"
VALUES = rf"(?:{NUMBER}(?:(?: to | → ){NUMBER})?(?!\.?\d)|–|never)"
MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept|Oct|Nov|Dec)"
DAY = re.compile(
    rf"\b(?:\d{{1,2}} )?{MONTHS} \d{{4}}\b|\b\d{{4}}-\d\d(?:-\d\d)?\b"
    r"|\b(?!P[58]0)[A-Z]{1,3}\d+\b|\b[a-z]\w*\d\w*\b"
)
"""Days, ids of accounts, deals and the like, and names of columns."""
NOT_FIGURES = ("How the files of the log were read.", "{document}: where its numbers come from.")
"""Tables of which no cell is a figure: examples of how files are written, and the queries of the numbers."""
DIGIT = re.compile(r"\d")

NEUTRAL = Translator("en")
MODELS = {
    forecaster_name(name, NEUTRAL): name
    for name in ("blend", "combination", "supervised", *MODEL_NAMES, *BASELINES)
    if not name.endswith("covariates")
}
AXES = {"Expected contribution": "contribution", "Potential": "potential", "Revenue, last 12 months": "contribution"}
GROUPS = ("none", "small", "middle", "large", "new", "known", "growing", "steady", "declining")
OF_GROUPS = {group_name(name, NEUTRAL): name for name in GROUPS}
LINES = {
    "strategy": {words.name: key for key, words in texts.STRATEGIES.items()},
    "type_000": {words.name: key for key, words in texts.TYPES.items()},
    "measure": {"12 months": "clv_1y", "3 years": "clv_3y", "5 years": "clv_5y"}
    | {name: key for key, name in evidence.NAMES.items()},
    '"group"': {name: key for key, name in review.GROUPS.items()} | OF_GROUPS | {"not known yet": OTHER},
    "forecaster": MODELS,
    "model": MODELS,
    "axis": AXES,
    "cut": {"Low to Mid": "mid", "Mid to High": "high"},
    "potential_source": {name: key for key, name in SOURCES.items()},
    "given": {name: key for key, name in potential.GIVEN.items()},
    "method": {name: key for key, name in segments.METHODS.items()},
    '"column"': {title: key for key, title in evidence.TITLES.items()},
    "scheme": {title: key for key, title in schemes.TITLES.items()},
    "class": {p: key for s in schemes.CLASSES.values() for key, p in zip(s.labels, s.printed or s.labels, strict=True)},
    "label": {words.name: key for found in guide.SCHEMES.values() for key, words in found.items()},
    "value": {"unknown": UNKNOWN},
}
"""Column that a line stands for → its first cell → what the run's table holds, where the two differ."""
HEADINGS = {name: key for key, name in DIMENSIONS.items()}
"""Heading of a table's first column → dimension."""


def plain(text):
    return text.replace("\u00a0", " ")


def literals(text):
    """Digits of a message that stand outside its placeholders."""
    return DIGIT.search("".join(part for part, *_ in string.Formatter().parse(text)))


@cache
def catalogue():
    """Every message of source and notebooks, singular → its forms."""
    found = [message.id for message in load_script("messages").catalogue() if message.id]
    return {forms[0]: forms for forms in ((one,) if isinstance(one, str) else one for one in found)}


@cache
def pattern(message, traced):
    """Regular expression of a message as it is printed; what stands for a traced placeholder is a number or two."""
    parts, names = [], []
    stripped = re.sub(r"^(#+|-) ", "", message.replace("**", ""))
    pieces = list(string.Formatter().parse(stripped))
    for place, (literal, name, *_) in enumerate(pieces):
        parts.append(re.escape(plain(literal)))
        if name is None:
            continue
        last = place == len(pieces) - 1
        inner = VALUES if name in traced and f"*{name}" not in traced else (".+" if last else ".+?")
        parts.append(f"(?P={name})" if name in names else f"(?P<{name}>{inner})")
        names.append(name)
    return re.compile("".join(parts))


def speaks(message, text):
    """Whether a text is this message, whatever stands for its placeholders."""
    return any(pattern(form, ()).fullmatch(text) for form in forms(message))


def longest_word(message):
    """The longest piece of a message's own words: a text without it holds no such message."""
    found = [plain(literal).replace("**", "").lstrip("#") for literal, *_ in string.Formatter().parse(message)]
    return max((words.lstrip("- ") for words in found), key=len)


def forms(message):
    return catalogue().get(message, (message,))


def same(token, value, t):
    """Whether a printed number is this value, as the token's own form writes it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return token in ("–", "never")
    if token in ("–", "never"):
        return False
    if isinstance(value, str):
        return token == value
    if isinstance(value, int) and token == str(value):
        return True
    value = float(value)
    if token.startswith("under "):
        return value < 0.05
    if token.startswith("over "):
        return value > 0.95
    written = re.sub("^[A-Z]{3} ", "", token).removeprefix("+")
    decimals = len(written.rstrip("% kMbn").partition(".")[2])
    for near in (value, value * (1 + 1e-9), value * (1 - 1e-9)):
        if token.endswith("%"):
            ways = {t.percent(near, decimals)}
        elif token[-1] in "kMn":
            ways = {t.money(near), re.sub(r"\.0+(?!\d)", "", t.money(near))}
        else:
            ways = {t.number(near, decimals), t.money(near)} | ({"0"} if abs(near) < 1 else set())
        if written in map(plain, ways):
            return True
    return False


@dataclass
class Finding:
    """What is wrong with a printed number."""

    document: str
    text: str
    said: str

    def __str__(self):
        return f"{self.document}: {self.said} — in “{self.text[:200]}”"


@dataclass(eq=False)
class Numbers:
    """The numbers of a finished run's documents, and the queries that give them again."""

    folder: Path
    traces: tuple
    document: str = ""
    counted: int = 0
    findings: list = field(default_factory=list)
    used: set = field(default_factory=set)

    @cached_property
    def run(self):
        return runs.open(self.folder)

    @cached_property
    def in_currency(self):
        return f" ({self.run.config.company.currency})"

    @cached_property
    def t(self):
        return Translator("en")

    @cached_property
    def db(self):
        con = duckdb.connect()
        con.execute("set threads = 1")
        for path in sorted((self.folder / "tables").glob("*.parquet")):
            file = f"read_parquet('{path}')"
            if path.stem.endswith("draws"):
                keys = "account, years" if path.stem == "lifetime_draws" else "account"
                file = f"(unpivot {file} on columns(* exclude ({keys})) into name draw value value)"
            con.execute(f"create table {path.stem} as select * from {file}")
        for path in sorted((self.folder / "tables").glob("*.json")):
            if path.read_text("utf-8").strip() != "{}":
                name = path.stem + "_facts" * (path.stem in self.known)
                con.execute(f"create table {name} as select * from read_json('{path}', maximum_depth=-1)")
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as settings:
            settings.write(self.run.config.model_dump_json())
            settings.flush()
            con.execute(f"create table configuration as select * from read_json('{settings.name}', maximum_depth=-1)")
        return con

    @cached_property
    def known(self):
        return {path.stem for path in (self.folder / "tables").glob("*.parquet")}

    @cached_property
    def names(self):
        return dict(self.db.execute("select name, account from account_table").fetchall())

    @cached_property
    def variables(self):
        end = self.run.period.calibration_end
        share = (1 - self.run.config.value.level) / 2
        return {
            "as_of": end,
            "year": end - timedelta(days=365),
            "before": end - timedelta(days=730),
            "low": share,
            "high": 1 - share,
        }

    @cache  # noqa: B019
    def columns(self, table):
        return {row[0] for row in self.db.execute(f"describe {table}").fetchall()}

    def source(self, table):
        if "(" in table or " join " in table:
            return table
        first, *others = table.split(", ")
        seen, joined = self.columns(first), first
        for other in others:
            twice = sorted(seen & self.columns(other) - {"account"})
            rows = f"(select * exclude ({', '.join(twice)}) from {other})" if twice else other
            joined += f" join {rows} using (account)"
            seen = seen | self.columns(other)
        return joined

    def query(self, trace, name, context, mine=""):
        mine = mine or "true"
        where = trace.where or "true"
        whole = f"select {trace.numbers[name]} from {self.source(trace.table)} where {where}"
        if trace.line and "$mine" not in whole:
            whole += " and $mine"
        if trace.by:
            whole += f" group by {trace.by}"
        values = {**{k: literal(v) for k, v in {**context, **self.variables}.items()}, "mine": mine}
        for _ in range(2):  # the condition of a line may itself name the account
            whole = string.Template(whole).safe_substitute(values)
        return whole

    @cache  # noqa: B019
    def rows(self, sql):
        try:
            return self.db.execute(sql).fetchall()
        except duckdb.Error as error:
            return [(f"{type(error).__name__}: {error} in {sql}",)]

    @cached_property
    def sentences(self):
        """Message → its traces and the placeholders that they give."""
        found = {}
        for trace in self.traces:
            found.setdefault(trace.said, []).append(trace)
        return found

    @cached_property
    def patterns(self):
        """Patterns of the traced messages, the longest first, and of those whose own words hold digits."""
        traced = [
            (pattern(form, tuple(sorted({n for tr in found for n in tr.numbers}))), message, longest_word(form))
            for message, found in self.sentences.items()
            for form in forms(message)
            if "{" in form or literals(form)
        ]
        words = [
            (pattern(form, ()), message, longest_word(form))
            for message, all_forms in catalogue().items()
            if message not in self.sentences
            for form in all_forms
            if literals(form)
        ]
        return [found for several in (traced, words) for found in sorted(several, key=lambda one: -len(one[0].pattern))]

    def wrong(self, text, said):
        self.findings.append(Finding(self.document, text, said))

    def check(self, text, name, tokens, traces, context, cells=()):
        """Hold the tokens against what one of the traces gives."""
        self.counted += len(tokens)
        asked = []
        own = [trace for trace in traces if "$account" in trace.where + trace.table]
        for trace in (own or traces) if "account" in context else [trace for trace in traces if trace not in own]:
            if trace.row and "row" in context and not speaks(trace.filled(trace.row), context["row"]):
                continue
            sql = self.query(trace, name, context, self.of_line(trace, cells))
            rows = self.rows(sql)
            # A setting beside a sum is the same in every row.
            rows = rows if name.startswith("*") else list({str(row): row for row in rows}.values())
            values = tuple(v for row in rows for cell in row for v in (cell if isinstance(cell, list) else [cell]))
            values = values or (None,)
            values = (None,) if set(values) == {None} else values
            if len(values) == len(tokens) and all(same(a, b, self.t) for a, b in zip(tokens, values, strict=True)):
                self.used.add((trace.text, name))
                return
            asked.append(f"{values} by {sql}")
        self.wrong(text, f"{name} prints {tokens}, not {asked or 'traced here'}")

    def cover(self, text, context, drawn=None):
        """Check every number of a text; what no sentence accounts for is an error, or must be among what is drawn."""
        text = plain(text)
        if not DIGIT.search(text) or text in map(plain, method.SOURCES):
            return
        masked = DAY.sub(lambda m: DIGIT.sub("_", m.group()), text)
        free = [bool(DIGIT.match(c)) for c in masked]
        for regex, message, words in self.patterns:
            for match in regex.finditer(masked) if words in masked else ():
                outside = set(itertools.chain(*(range(*match.span(n)) for n in match.groupdict())))
                own = [i for i in range(*match.span()) if i not in outside]
                traces = self.sentences.get(message, [])
                printed = {n: plain(v) for n, v in match.groupdict().items()}
                for placeholder, group in printed.items():
                    listed = any(f"*{placeholder}" in trace.numbers for trace in traces)
                    name = "*" * listed + placeholder
                    mine = [trace for trace in traces if name in trace.numbers]
                    if not mine or not any(free[i] for i in range(*match.span(placeholder))):
                        continue
                    tokens = re.findall(NUMBER if listed else f"{NUMBER}|–|never", group)
                    self.check(text, name, tokens, mine, printed | context)
                    own += range(*match.span(placeholder))
                for i in own:
                    free[i] = False
        left = "".join(c if free[i] or not DIGIT.match(c) else "_" for i, c in enumerate(masked))
        for match in re.finditer(NUMBER, left):
            if drawn is not None and any(same(match.group(), value, self.t) for value in drawn):
                self.counted += 1
            else:
                self.wrong(text, f"no trace for {match.group()}")

    def matching(self, printed):
        """Traces of the table or picture that carries this caption."""
        found = []
        for message, traces in self.sentences.items():
            if any(pattern(form, ()).match(plain(printed)) for form in forms(message)):
                found += traces
        return found

    def table(self, block, context):
        caption, traces = plain(block["caption"]), self.matching(block["caption"])
        if any(speaks(message, caption) for message in NOT_FIGURES):
            return
        self.cover(caption, context)
        self.cover(block["note"], context)
        labels = [plain(column["label"]).removesuffix(self.in_currency) for column in block["columns"]]
        headings = {trace.filled(name) for trace in traces for name in trace.numbers}
        for label in labels:
            if label not in headings:
                self.cover(label, context)
        total = len(block["rows"]) - block["total_rows"]
        for place, row in enumerate(block["rows"]):
            row = [plain(cell) for cell in row]
            here = context | {"row": row[0], "place": place + 1, "heading": HEADINGS.get(labels[0], labels[0])}
            if row[0] in self.names:
                here["account"] = self.names[row[0]]
            for label, cell in zip(labels, row, strict=True):
                mine = [
                    (trace, name)
                    for trace in traces
                    for name in trace.numbers
                    if speaks(trace.filled(name), label) and (not trace.row or speaks(trace.filled(trace.row), row[0]))
                ]
                if not mine:
                    # What a line is named after is checked by its other cells: there is no such line else.
                    if cell not in self.names and not (label == labels[0] and any(trace.line for trace in traces)):
                        self.cover(cell, here)
                elif (DIGIT.search(cell) or cell == "–") and cell not in catalogue():
                    cells = [] if place >= total or (row[0].startswith("All ") and row[0] != "All others") else row
                    tokens = ["–"] if cell == "–" else re.findall(NUMBER, DAY.sub("", cell))
                    found = [trace for trace, name in mine if name == mine[0][1]]
                    self.check(f"{caption} | {row[0]} | {label}", mine[0][1], tokens, found, here, cells)

    def of_line(self, trace, row):
        parts = []
        for column, cell in zip(filter(None, trace.line.split(", ")), row, strict=False):
            key = LINES.get(column, {}).get(cell.removesuffix(self.in_currency), cell)
            parts.append(f"{column} = {literal(key)}")
        return " and ".join(parts)

    def figure(self, block, context):
        traces = [trace for trace in self.matching(block["caption"]) if "drawn" in trace.numbers]
        values = []
        for trace in traces:
            if "$account" in trace.where and "account" not in context:
                continue
            values += [v for row in self.rows(self.query(trace, "drawn", context)) for v in row]
        self.cover(block["caption"], context)
        self.cover(block["alt"], context, values)
        for words, is_axis in drawn_texts(block["svg"]):
            if is_axis and re.fullmatch(rf"{NUMBER}", plain(words)):
                continue
            self.cover(words, context, values)

    def kpis(self, block, context):
        for item in block["items"]:
            self.cover(item["label"], context)
            self.cover(item["note"], context)
            traces = [trace for trace in self.matching(item["label"]) if "value" in trace.numbers]
            tokens = re.findall(f"{NUMBER}|–", plain(item["value"]))
            if tokens:
                self.check(f"{item['label']}: {item['value']}", "value", tokens, traces, context)

    def block(self, block, context):
        kind = block["kind"]
        if kind in ("table", "figure", "kpis"):
            getattr(self, kind)(block, context)
        for words in texts_of(block):
            if plain(words) not in self.names:
                self.cover(words, context)

    def read(self, notebook):
        """Check a document."""
        self.document = notebook
        found = read_document(self.folder / "notebooks" / notebook)
        for label, value in found["cover"]["facts"]:
            traces = [trace for trace in self.matching(label) if "value" in trace.numbers]
            if not DAY.fullmatch(plain(value)):
                self.check(f"{label} {value}", "value", re.findall(NUMBER, value), traces, {})
        context = {}
        for block in found["body"]:
            if block["kind"] == "page_break" and "part" in block:
                context = {"account": block["part"]} if block["part"] else {}
            self.block(block, context)
        return self


def texts_of(block):
    """Sentences of headings, paragraphs, lists and framed remarks, each in one piece."""
    if "runs" in block:
        yield "".join(run.get("text", " ") for run in block["runs"])
    if block["kind"] == "callout":
        yield block["title"]
    for name in ("items", "body", "blocks"):
        for inner in block.get(name, ()) if block["kind"] != "kpis" else ():
            for piece in inner if isinstance(inner, list) else [inner]:
                yield from texts_of(piece)


def drawn_texts(svg):
    """Texts of a picture, lines of one text joined, and whether each is a mark of an axis."""
    root = ElementTree.fromstring(svg)

    def walk(node, is_axis):
        name = node.get("id", "")
        is_axis = is_axis or name.startswith("matplotlib.axis_")
        if node.tag.endswith("}g") and name.startswith("text_"):
            yield " ".join("".join(e.itertext()) for e in node.iter() if e.tag.endswith("}text")), is_axis
            return
        for inner in node:
            yield from walk(inner, is_axis)

    return list(walk(root, False))


def literal(value):
    """A value as SQL writes it."""
    if isinstance(value, date):
        return f"date '{value}'"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
