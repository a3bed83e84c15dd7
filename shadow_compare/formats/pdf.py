"""PDF by its text, line by line, with the number and size of its pages and its title.

When it was made, by which program and under which id is no content. Drawings and pictures are not
looked at; a document without any text, such as a scan, is compared by its digest.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from shadow_compare.formats.errors import UnreadableError
from shadow_compare.formats.excerpt import digest
from shadow_compare.formats.pieces import Manner, Pieces, compare_pieces
from shadow_compare.formats.text import around_change
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.paths import Path
from shadow_compare.structure import Walk

if TYPE_CHECKING:
    from pypdf import PageObject

ROOT: Final = "pdf"
PAGES_MAX: Final = 200
OPERATIONS_MAX: Final = 100_000
"""Drawing operations of a whole document: about two seconds, and some 300 pages of an invoice."""
STREAM_MAX: Final = 4 * 1024 * 1024
"""Bytes that one stream of a document may be unpacked to."""

_LIMITS: Final[dict[str, Any]] = {
    "maximum_declared_stream_length": STREAM_MAX * 2,
    "array_based_stream_maximum_output_length": STREAM_MAX,
    "lzw_maximum_output_length": STREAM_MAX,
    "run_length_maximum_output_length": STREAM_MAX,
    "zlib_maximum_output_length": STREAM_MAX,
    "zlib_maximum_recovery_input_length": 256 * 1024,
    "brotli_maximum_output_length": STREAM_MAX,
    "stream_decoding_work_maximum_length": STREAM_MAX * 2,
    "stream_parsing_work_maximum_count": OPERATIONS_MAX * 4,
    "page_tree_maximum_entries": PAGES_MAX * 4,
    "page_tree_maximum_page_entries": PAGES_MAX * 40,
    "xform_maximum_invocations_per_extraction": 200,
    "jbig2dec_binary": None,
}

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it complains about each small defect


def read_pdf(body: bytes, _answer: Answer) -> Pieces:
    """Read a document; raises UnreadableError (broken, encrypted), and NotComparableError."""
    from pypdf import PdfReader  # only workers that meet a PDF load it
    from pypdf.errors import LimitReachedError, PyPdfError

    try:
        with _limited():
            reader = PdfReader(io.BytesIO(body))
            if reader.is_encrypted:
                raise UnreadableError("not PDF that can be read (encrypted)")
            return _pieces(body, reader)
    except LimitReachedError as error:
        raise NotComparableError("too_big") from error
    except (PyPdfError, RecursionError) as error:
        raise _unreadable(body, error) from error
    except (UnreadableError, NotComparableError):
        raise
    except Exception as error:  # a broken document makes it stumble in many ways
        raise _unreadable(body, error) from error


def _unreadable(body: bytes, error: Exception) -> UnreadableError:
    why = "encrypted" if b"/Encrypt" in body else type(error).__name__
    return UnreadableError(f"not PDF that can be read ({why})")


def compare_pdf(walk: Walk, old: Pieces, new: Pieces) -> None:
    """Compare two documents."""
    compare_pieces(walk, old, new, Manner(lambda path: path, _compare))


def _compare(walk: Walk, _slot: str, old: Any, new: Any, path: Path) -> None:
    walk.compare(*around_change(str(old), str(new)), path)


@contextmanager
def _limited() -> Iterator[None]:
    from pypdf._configuration import apply_configuration

    with apply_configuration(**_LIMITS):
        yield


def _pieces(body: bytes, reader: Any) -> Pieces:
    pieces = Pieces()
    count = len(reader.pages)
    if count > PAGES_MAX:
        raise NotComparableError("too_big")
    title = reader.metadata.title if reader.metadata is not None else None
    pieces.add("title", str(title or ""), (ROOT, "title"))
    counter = _Operations()
    has_text = False
    for number, page in enumerate(reader.pages):
        place: Path = (ROOT, "pages", number)
        pieces.add(
            f"size {number}", f"{page.mediabox.width} x {page.mediabox.height}", (*place, "size")
        )
        for line in _lines(page, counter):
            has_text = True
            pieces.add("line", line, (*place, "text"))
    if not has_text:
        pieces.add("digest", digest(body), (ROOT,))
    return pieces


def _lines(page: PageObject, counter: _Operations) -> list[str]:
    text = page.extract_text(visitor_operand_before=counter)
    return [words for line in text.splitlines() if (words := " ".join(line.split()))]


class _Operations:
    """Counts what is drawn, and gives up beyond the limit."""

    def __init__(self) -> None:
        self._left = OPERATIONS_MAX

    def __call__(self, *_: Any) -> None:
        self._left -= 1
        if self._left < 0:
            raise NotComparableError("too_big")
