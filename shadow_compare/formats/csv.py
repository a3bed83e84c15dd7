"""CSV by columns and rows.

The delimiter is the one of four that divides the first records most evenly. The first record is a
header when all its cells are different names; a row is then a map from columns to cells, so that a
rule can name a column (`csv.rows[*].price`), and rows can be matched by a key, as arrays are.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from shadow_compare.budget import check_pieces
from shadow_compare.formats.charset import text_of
from shadow_compare.formats.errors import UnreadableError
from shadow_compare.json_value import Json
from shadow_compare.normalize import Answer
from shadow_compare.paths import Path

ROOT: Final[Path] = ("csv",)
DELIMITERS: Final = ",;\t|"
SNIFFED: Final = 16 * 1024
"""Characters that the delimiter is found by."""
SNIFFED_RECORDS: Final = 20


def read_csv(body: bytes, answer: Answer) -> Json:
    """Read rows of cells; raises UnreadableError for a cell of more than 128 KiB."""
    check_pieces(body, b"\n", b"\r", *(mark.encode() for mark in DELIMITERS))
    text = text_of(body, answer)
    delimiter = _delimiter(text[:SNIFFED])
    try:
        records = [record for record in _records(text, delimiter) if record]
    except csv.Error as error:
        raise UnreadableError(f"not CSV ({error})") from error
    header = records[0] if records and _is_header(records[0]) else None
    rows = records if header is None else [_row(header, record) for record in records[1:]]
    return {"delimiter": delimiter, "columns": header or [], "rows": rows}


def _records(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _delimiter(start: str) -> str:
    """Give the delimiter with the most columns that all of the first records share."""
    best, most = DELIMITERS[0], 1
    for delimiter in DELIMITERS:
        try:
            records = [each for each in _records(start, delimiter) if each][:SNIFFED_RECORDS]
        except csv.Error:
            continue
        columns = min(map(len, records[:-1] or records), default=0)  # the last may be cut off
        if columns > most:
            best, most = delimiter, columns
    return best


def _is_header(record: list[str]) -> bool:
    names = [cell.strip() for cell in record]
    return len(set(names)) == len(names) and all(name and not _is_number(name) for name in names)


def _is_number(cell: str) -> bool:
    return cell.lstrip("+-")[:1].isdigit()


def _row(header: list[str], record: list[str]) -> dict[str, str]:
    """Name the cells of a record; cells beyond the header by their number."""
    names = [name.strip() for name in header]
    names += [f"column {number}" for number in range(len(header) + 1, len(record) + 1)]
    return dict(zip(names, record, strict=False))
