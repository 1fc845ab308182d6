"""Delimited text: encoding, delimiter and line ends are found and reported; rows that do not fit are kept apart."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from kamlab.errors import ConfigError, DataError
from kamlab.sources.raw import RaggedRow, RawTable, Reading, refuse_repeated_names

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = (",", ";", "\t", "|")
DELIMITER_NAMES = {"tab": "\t", "\\t": "\t"}
WHITESPACE = "whitespace"
ENCODINGS = ("gb18030", "cp1252", "cp1258", "mac_roman")
"""What text that is not Unicode is taken for; gb18030 reads GBK and GB 2312 as well."""

COMMON_LETTERS = frozenset("äöüßéèêëàâáåãçíìîïñóòôõøúùûœæ")
"""Letters of Western languages; in text that is not Unicode š, ž and ý are rarer than what they stand for elsewhere."""

MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
BATCH = 100_000
SAMPLED_LINES = 200
MOST_TITLES = 20
"""So many rows may stand above the header."""
SAMPLED_BYTES = 65_536
_ANY_END = re.compile(r"\r\n|\r|\n")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Attributes
    ----------
    encoding : str
    delimiter : str
        One character, or "whitespace".
    line_end : str
        "LF", "CRLF" or "CR".
    found : frozenset of str
        Which of encoding and delimiter were found out and not given.
    example : str
        The first word that is not plain ASCII, as it reads in that encoding.
    """

    encoding: str
    delimiter: str
    line_end: str
    found: frozenset[str]
    example: str = ""


def read_text(
    path: Path, *, delimiter: str | None, header: Sequence[str] | None, encoding: str | None, content: str
) -> RawTable:
    """Read a text file; see `sources.read_table`.

    Titles above the header, which fill one cell each, are left out, as is the header where it stands there again. A
    line with a quotation mark that is not closed is kept apart, and the lines after it are read without it.
    """
    import pyarrow as pa

    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: 0 bytes. Export the {content} again.")
    text, dialect = decode(path, encoding, delimiter)
    if not text.strip():
        raise DataError(f"{path.name} holds nothing but blank lines. Export the {content} again.")
    found: list[tuple[str, str]] = []
    line, names = (0, list(header)) if header is not None else _header(text, dialect.delimiter)
    found += [("header_line", str(line))] if line > 1 else []
    refuse_repeated_names(names, path.name)
    unclosed: list[tuple[int, str]] = []
    every = split(text, dialect.delimiter, width=len(names), unclosed=unclosed)
    rows = ((at, fields) for at, fields in every if at > line)
    ragged: list[RaggedRow] = []
    n_again = 0
    batches, lines = [_batch(names, [])], [pa.array([], pa.int64())]
    # Lists of texts take many times the room of Arrow's columns, so that few of them are kept at a time.
    while part := list(islice(rows, BATCH)):
        again = {line for line, fields in part if fields[0].strip() == names[0] and [*map(str.strip, fields)] == names}
        if again:
            n_again += len(again)
            part = [(line, fields) for line, fields in part if line not in again]
        kept = [fields for _, fields in part if len(fields) == len(names)]
        batches.append(_batch(names, kept))
        lines.append(pa.array([line for line, fields in part if len(fields) == len(names)], pa.int64()))
        ragged += [RaggedRow(path.name, line, tuple(f), len(names)) for line, f in part if len(f) != len(names)]
    ragged += [RaggedRow(path.name, at, (said,), len(names), unclosed=True) for at, said in unclosed if at > line]
    if len(batches) == 1 and not ragged:
        raise DataError(f"{path.name} has a header and no line under it. Export the {content} again.")
    found += [("header_again", str(n_again))] if n_again else []
    reading = _reading(path.name, dialect, found)
    table = pa.Table.from_batches(batches)
    return RawTable(table, path.name, pa.concat_arrays(lines), tuple(ragged), readings=(reading,))


def _header(text: str, delimiter: str) -> tuple[int, list[str]]:
    """Return the line of the header and its names: the first row that fills two cells, or the first of all."""
    first = (1, [""])
    for line, fields in islice(split(text, delimiter), MOST_TITLES):
        names = [field.strip() for field in fields]
        first = (line, names) if first == (1, [""]) else first
        if len(set(filter(None, names))) > 1:
            return line, names
    return first


def _batch(names: Sequence[str], rows: list[list[str]]) -> pa.RecordBatch:
    """Return rows as text columns; a column without a name is left out."""
    import pyarrow as pa

    columns = {name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(names) if name}
    return pa.RecordBatch.from_pydict(columns)


def _reading(source: str, dialect: Dialect, more: Sequence[tuple[str, str]]) -> Reading:
    shown = {"\t": "tab"}.get(dialect.delimiter, f'"{dialect.delimiter}"')
    what = (("encoding", dialect.encoding), ("delimiter", shown), ("line_end", dialect.line_end), *more)
    return Reading(source, what, dialect.found, dialect.example)


def decode(path: Path, encoding: str | None, delimiter: str | None) -> tuple[str, Dialect]:
    """Return a file's text and how it is written.

    Raises
    ------
    ConfigError
        If the delimiter is none.
    DataError
        If the text cannot be read in the encoding, or in none.
    """
    delimiter = checked_delimiter(delimiter)
    data = path.read_bytes()
    chosen = encoding or find_encoding(data, path.name)
    if b"\0" in data and "16" not in chosen and "32" not in chosen:
        raise DataError(
            f"{path.name} holds bytes that are no text (0x00, first in line {_line(data, data.index(0))}): it is no "
            "text file, was cut off in writing, or is UTF-16 without a mark. Export it again as UTF-8, or set its "
            "encoding."
        )
    try:
        text = data.decode(chosen).removeprefix("\ufeff")
        if chosen.lower().replace("-", "").removeprefix("windows") in ("cp1258", "1258"):
            # It writes tones behind their letters; everything else, and whoever types a name, writes one letter.
            text = unicodedata.normalize("NFC", text)
    except LookupError:
        raise DataError(f'"{encoding}" is no known encoding. Try "utf-8", "gbk", "cp1252" or "mac_roman".') from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name} is not {chosen} text: byte 0x{data[error.start]:02x} in line {_line(data, error.start)}. "
            "Leave encoding out to have it found, or set the right one."
        ) from None
    ends = Counter(_LINE_END.findall(data[:SAMPLED_BYTES]) or [b"\n"])
    line_end = {b"\n": "LF", b"\r\n": "CRLF", b"\r": "CR"}[ends.most_common(1)[0][0]]
    found = frozenset(name for name, given in (("encoding", encoding), ("delimiter", delimiter)) if not given)
    return text, Dialect(chosen, delimiter or find_delimiter(text), line_end, found, _telling_word(text))


def _telling_word(text: str) -> str:
    """Return the first word that is not plain ASCII."""
    first = re.search(r"[^\x00-\x7f]", text)
    if first is None:
        return ""
    head = re.search(r"\w*$", text[max(0, first.start() - 20) : first.start()])
    tail = re.match(r"\W?\w*", text[first.start() : first.start() + 20])
    return ((head[0] if head else "") + (tail[0] if tail else "")).strip()


def find_encoding(data: bytes, source: str) -> str:
    """Find a text's encoding: Unicode if it is that, else the most natural of `ENCODINGS`.

    Raises
    ------
    DataError
        If no encoding reads it, or it is Unicode with a few broken bytes.
    """
    for mark, name in MARKS.items():
        if data.startswith(mark):
            return name
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        broken = error.start
    else:
        return "utf-8"
    high = sum(byte > 0x7F for byte in data)
    if sum(map(len, _MULTIBYTE.findall(data))) > 0.9 * high:
        # Another encoding would turn every accent of the file into two strange letters.
        raise DataError(
            f"{source} is UTF-8 text but for byte 0x{data[broken]:02x} in line {_line(data, broken)}. Mend that line, "
            'or set encoding = "cp1252", "gbk" or another one for this file.'
        )
    guess = _most_natural(data)
    if guess is None:
        raise DataError(
            f"{source} is text in no encoding that is known here: byte 0x{data[broken]:02x} in line "
            f"{_line(data, broken)} is not UTF-8, nor does the file read as {', '.join(ENCODINGS)}. Set its encoding."
        )
    return guess


def _most_natural(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    possible = [name for name in ENCODINGS if _decodes(data, name)]
    # Plain ASCII lines say nothing and would drown the few that do.
    telling = b"\n".join(line for line in _LINE_END.split(data) if not line.isascii())[:SAMPLED_BYTES]
    best = from_bytes(telling, cp_isolation=possible).best() if possible else None
    guess = best.encoding if best else None
    if guess not in possible:
        guess = "gb18030" if "gb18030" in possible and _is_paired(telling) else None
    rivals = [name for name in ("cp1252", "mac_roman") if name in possible]
    if guess in (None, *rivals) and rivals:
        guess = max(rivals, key=lambda name: _naturalness(telling.decode(name, errors="replace")))
    return guess


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_paired(data: bytes) -> bool:
    """Whether nearly all high bytes stand in pairs of GB 2312."""
    pairs = re.findall(rb"[\xa1-\xf7][\xa1-\xfe]", data)
    return 2 * len(pairs) > 0.95 * sum(byte > 0x7F for byte in data)


def _naturalness(text: str) -> float:
    """Count letters that look in place, less signs that stand inside words: an É or a – between small letters."""
    score = 0.0
    for match in re.finditer(r"(?<=(.))([^\x00-\x7f])(?=(.))", text, re.S):
        before, char, after = match.groups()
        if before.islower() and char.isupper():
            score -= 1
        elif char.isalpha():
            score += 1 if char.lower() in COMMON_LETTERS else 0.25
        elif before.isalpha() and after.isalpha():
            score -= 1
    return score


def _line(data: bytes, position: int) -> int:
    return len(_LINE_END.findall(data[:position])) + 1


def checked_delimiter(delimiter: str | None) -> str | None:
    """Return the delimiter as `split` takes it."""
    if delimiter is None or delimiter == WHITESPACE:
        return delimiter
    known = DELIMITER_NAMES.get(delimiter, delimiter)
    if len(known) != 1 or known in '"\r\n':
        raise ConfigError(
            f'delimiter is "{delimiter}"; it must be one character such as ";", or "tab", or "whitespace". Leave it '
            "out to have it found from the first lines."
        )
    return known


def find_delimiter(text: str) -> str:
    """Return the delimiter that splits most of the first lines into as many fields as the header, at least two.

    Titles above the header have no delimiter.
    """

    def fit(delimiter: str) -> tuple[float, int]:
        counts = [len(fields) for _, fields in islice(split(text[:SAMPLED_BYTES], delimiter), SAMPLED_LINES)]
        widths = [n for n in counts if n > 1]
        if not widths:
            return 0.0, 0
        return counts.count(widths[0]) / len(counts), widths[0]

    return max(DELIMITERS, key=fit)


def split(
    text: str, delimiter: str, *, width: int | None = None, unclosed: list[tuple[int, str]] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row starts, and its fields; blank lines are no rows.

    A row may run over several lines within quotation marks. Where it would swallow lines that are rows of their own, or
    the whole rest of the file, the mark that opens it is a slip: its line goes to `unclosed`, with its number, and rows
    are read on from the line after it.

    Parameters
    ----------
    text, delimiter : str
    width : int, optional
        Number of fields of a row, by which such lines are known; without it only the file's end tells.
    unclosed : list of (int, str), optional
        Is added to.
    """
    if delimiter == WHITESPACE:
        for number, line in enumerate(text.splitlines(keepends=True), start=1):
            if line.strip():
                yield number, line.split()
        return
    # Without translation of line ends a lone \r ends a line too, and stays what it is inside quotation marks.
    lines = io.StringIO(text, newline="")
    reader, before = csv.reader(lines, delimiter=delimiter), 0
    start, at = 1, 0
    while True:
        try:
            fields = next(reader, None)
        except csv.Error:  # a field longer than any text: whatever follows the mark
            fields, is_row = [], False
        else:
            if fields is None:
                return
            end = before + reader.line_num
            is_row = (start == end and lines.tell() < len(text)) or _is_row(
                text[at : lines.tell()], fields, delimiter, width
            )
        if is_row:
            # No generator: Ctrl-C in the moment in which one is thrown away would be lost.
            if any(map(str.strip, fields)):
                yield start, fields
            start = before + reader.line_num + 1
        else:
            lines.seek(at)
            line = lines.readline()
            if unclosed is not None:
                unclosed.append((start, line.rstrip("\r\n")))
            reader, before = csv.reader(lines, delimiter=delimiter), start
            start += 1
        at = lines.tell()


def _is_row(record: str, fields: list[str], delimiter: str, width: int | None) -> bool:
    """Whether lines that were read as one row are one: all its quotation marks are closed, and no line is a row."""
    lines = _ANY_END.split(record.rstrip("\r\n"))
    if not _closed(delimiter, strictly=len(lines) > 1).fullmatch(record):
        return False
    if len(lines) == 1 or width is None:
        return True
    plain = [line.count(delimiter) + 1 for line in lines]
    quoted = [len(next(csv.reader([line], delimiter=delimiter), ())) for line in lines]
    first, *inner, last = (width > 1 and width in pair for pair in zip(plain, quoted, strict=True))
    # A text that begins in the last column has a first line that looks like a row, and one that ends in the first
    # column such a last line. Any other line that does is a row of its own.
    slip = any(inner) or (first and quoted[0] < width) or (last and quoted[0] > 1) or (first and last)
    return len(fields) == width and not slip


@cache
def _closed(delimiter: str, *, strictly: bool) -> re.Pattern[str]:
    """Return what matches a row whose quotation marks are closed.

    Strictly, nothing stands between a closing mark and the delimiter behind it, nor a delimiter before the mark: where
    it does, a text rather begins there.
    """
    between = re.escape(delimiter)
    other = rf"[^{between}\r\n]*+"
    close = rf'(?<!{between})"' if strictly else f'"{other}'
    field = rf'(?:"(?:[^"]|"")*+{close}|(?!"){other})'
    return re.compile(rf"{field}(?:{between}{field})*+(?:\r\n|\r|\n)?")
