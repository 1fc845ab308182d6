"""Any source into rows of text that still know their file and line; nothing is judged here but the shape."""

from kamlab.sources.formats import canonical
from kamlab.sources.paths import resolve_path
from kamlab.sources.raw import RaggedRow, RawTable, Reading, as_text, from_frame
from kamlab.sources.reader import content_hash, file_hash, parquet_columns, parquet_files, read_table
from kamlab.sources.sql import is_url, refuse_written_password

__all__ = [
    "RaggedRow",
    "RawTable",
    "Reading",
    "as_text",
    "canonical",
    "content_hash",
    "file_hash",
    "from_frame",
    "is_url",
    "parquet_columns",
    "parquet_files",
    "read_table",
    "refuse_written_password",
    "resolve_path",
]
