r"""Documents as PDF: titles, sentences and tables, in pages with numbers (pure).

ISO 32000-1 with what every reader brings along: the standard fonts Helvetica and Helvetica-Bold, so
nothing is embedded, and text that can be searched and copied. What these fonts have no letter for
is written as its number, `\u4e2d`: nothing is left out.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

WIDTH: Final = 595.0
HEIGHT: Final = 842.0
MARGIN: Final = 48.0
"""A4 in points, 72 to an inch."""
SIZE: Final = 9.0
LEADING: Final = 1.35
_GAP: Final = 8.0

_HELVETICA: Final = """
    278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278
    556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556
    1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778
    667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556
    333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556
    556 556 333 500 278 556 500 722 500 500 500 334 260 334 584
"""
_WIDTHS: Final = dict(zip(map(chr, range(32, 127)), map(int, _HELVETICA.split()), strict=True))
"""Thousandths of the size that a letter of Helvetica is wide (Adobe's metrics)."""
_OTHER: Final = 722
_BOLD: Final = 1.07
"""How much wider bold letters are, at most about."""


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Give the width of a text in points."""
    thousandths = sum(_WIDTHS.get(letter, _OTHER) for letter in text)
    return thousandths * size / 1000 * (_BOLD if bold else 1.0)


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines; a word that is too long for one is broken where it must be."""
    lines: list[str] = []
    line = ""
    for word in re.findall(r"\S+\s*", text) or [""]:
        if line and width_of(line + word.rstrip(), size, bold=bold) > width:
            lines.append(line.rstrip())
            line = ""
        while width_of(word.rstrip(), size, bold=bold) > width and len(word) > 1:
            fits = next(
                n
                for n in range(len(word) - 1, 0, -1)
                if n == 1 or width_of(word[:n], size, bold=bold) <= width
            )
            lines.append(word[:fits])
            word = word[fits:]
        line += word
    return [*lines, line.rstrip()]


def printable(text: str) -> str:
    """Give a text in letters that the fonts have; others by their number."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return shown.encode("cp1252", "backslashreplace").decode("cp1252")


@dataclass(slots=True)
class Pdf:
    """A document that is written from top to bottom; `title` stands on each page."""

    title: str
    at: float
    _pages: list[list[str]] = field(default_factory=list)
    _y: float = 0.0

    def heading(self, text: str, size: float = 12.5) -> None:
        """Write a title, never as the last line of a page."""
        self._room(size * LEADING + 5 * SIZE)
        self._y -= size * 0.8
        for line in wrapped(printable(text), WIDTH - 2 * MARGIN, size, bold=True):
            self._line(MARGIN, line, size, bold=True)
        self._y -= 3

    def paragraph(self, text: str) -> None:
        """Write sentences."""
        for line in wrapped(printable(text), WIDTH - 2 * MARGIN, SIZE):
            self._line(MARGIN, line, SIZE)
        self._y -= 3

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write a table, its head again on each page; `>` before a title: numbers, to the right."""
        body = [[printable(cell) for cell in row] for row in rows]
        heads = [printable(name.removeprefix(">")) for name in columns]
        right = [name.startswith(">") for name in columns] or [False] * len(body[0] if body else ())
        widths = _column_widths(heads, body)
        if heads:
            self._row(heads, widths, right, bold=True)
        for row in body:
            if self._row_height(row, widths) > self._y - MARGIN and self._pages:
                self._break()
                if heads:
                    self._row(heads, widths, right, bold=True)
            self._row(row, widths, right)
        self._y -= 4

    def write(self) -> bytes:
        """Give the file."""
        count = len(self._pages)
        for number, page in enumerate(self._pages, start=1):
            told = f"{number} / {count}"
            page.append(_text(WIDTH - MARGIN - width_of(told, 8), MARGIN / 2, told, 8))
            page.append(_text(MARGIN, MARGIN / 2, printable(self.title)[:90], 8))
        return _file(self._pages, self.title, self.at)

    def _row_height(self, cells: Sequence[str], widths: Sequence[float]) -> float:
        pairs = zip(cells, widths, strict=True)
        return max(len(wrapped(cell, width, SIZE)) for cell, width in pairs) * SIZE * LEADING + 3

    def _row(
        self,
        cells: Sequence[str],
        widths: Sequence[float],
        right: Sequence[bool],
        *,
        bold: bool = False,
    ) -> None:
        lines = [
            wrapped(cell, width, SIZE, bold=bold) for cell, width in zip(cells, widths, strict=True)
        ]
        for at in range(max(map(len, lines))):
            self._room(SIZE * LEADING)
            self._y -= SIZE * LEADING
            x = MARGIN
            for cell, width, is_number in zip(lines, widths, right, strict=True):
                if at < len(cell):
                    free = width - width_of(cell[at], SIZE, bold=bold) if is_number else 0.0
                    self._pages[-1].append(_text(x + free, self._y, cell[at], SIZE, bold=bold))
                x += width + _GAP
        self._y -= 3
        grey = "0.2" if bold else "0.8"
        rule = f"{grey} G 0.5 w {MARGIN:.1f} {self._y:.1f} m {WIDTH - MARGIN:.1f} {self._y:.1f} l S"
        self._pages[-1].append(rule)

    def _line(self, x: float, text: str, size: float, *, bold: bool = False) -> None:
        self._room(size * LEADING)
        self._y -= size * LEADING
        self._pages[-1].append(_text(x, self._y, text, size, bold=bold))

    def _room(self, height: float) -> None:
        if not self._pages or self._y - height < MARGIN:
            self._break()

    def _break(self) -> None:
        self._pages.append([])
        self._y = HEIGHT - MARGIN


def _column_widths(heads: Sequence[str], body: Sequence[Sequence[str]]) -> list[float]:
    """Give each column what its longest cell needs; if that is too much, the long ones less."""
    rows = [*([heads] if heads else []), *body]
    wanted = [
        max(width_of(row[at], SIZE, bold=True) for row in rows) + 1
        for at in range(len(rows[0]) if rows else 0)
    ]
    whole = WIDTH - 2 * MARGIN - _GAP * (len(wanted) - 1)
    fair = whole / max(len(wanted), 1)
    short = sum(width for width in wanted if width <= fair)
    long = [width for width in wanted if width > fair]
    if sum(wanted) > whole:
        share = (whole - short) / sum(long)
        wanted = [width if width <= fair else max(fair * 0.5, width * share) for width in wanted]
    over = sum(wanted) / whole if sum(wanted) > whole else 1.0
    return [width / over for width in wanted]


def _text(x: float, y: float, text: str, size: float, *, bold: bool = False) -> str:
    font = "F2" if bold else "F1"
    escaped = re.sub(r"([\\()])", r"\\\1", text)
    return f"BT /{font} {size:g} Tf {x:.1f} {y:.1f} Td ({escaped}) Tj ET"


def _file(pages: Sequence[Sequence[str]], title: str, at: float) -> bytes:
    """Put the objects together: catalog, pages, fonts, facts, then each page and what is on it."""
    kids = " ".join(f"{6 + 2 * n} 0 R" for n in range(len(pages)))
    made = f"{datetime.fromtimestamp(at, UTC):%Y%m%d%H%M%S}Z"
    name = (b"\xfe\xff" + title.encode("utf-16-be", "replace")).hex()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Lang(en)>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode(),
        *(
            f"<</Type/Font/Subtype/Type1/BaseFont/{font}/Encoding/WinAnsiEncoding>>".encode()
            for font in ("Helvetica", "Helvetica-Bold")
        ),
        f"<</Title<{name}>/Producer(Cutover)/CreationDate(D:{made})>>".encode(),
    ]
    for at_page, page in enumerate(pages):
        content = zlib.compress("\n".join(page).encode("cp1252"))
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH:g} {HEIGHT:g}]"
            f"/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>/Contents {7 + 2 * at_page} 0 R>>".encode()
        )
        length = f"<</Length {len(content)}/Filter/FlateDecode>>stream\n".encode()
        objects.append(length + content + b"\nendstream")
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places: list[int] = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R/Info 5 0 R>>\n".encode()
    return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())
