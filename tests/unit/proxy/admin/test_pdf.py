import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from proxy.admin.pdf import Pdf, printable, width_of, wrapped


def read(pdf: Pdf) -> PdfReader:
    """Read what was written, strictly."""
    return PdfReader(io.BytesIO(pdf.write()), strict=True)


def test_what_is_written_is_text_that_can_be_read() -> None:
    """Title, sentences and cells, also with characters that mean something to PDF."""
    pdf = Pdf("Cutover report: plans", 1_790_000_000.0)
    pdf.heading("What was compared")
    pdf.paragraph("1,200 of 1,205 (99.59%) \\ Grüße é €")
    pdf.table(("Where", ">Seen"), [("$.data[*].price", "412"), ("(odd) \\path", "1")])
    found = read(pdf)
    text = found.pages[0].extract_text()
    for words in ("What was compared", "1,200 of 1,205 (99.59%) \\ Grüße é €", "$.data[*].price"):
        assert words in text
    assert "(odd) \\path" in text
    assert found.metadata is not None
    assert found.metadata.title == "Cutover report: plans"


def test_pages_are_numbered_and_tables_say_their_columns_on_each() -> None:
    """A long table goes on, under the same titles."""
    pdf = Pdf("Long", 0.0)
    pdf.heading("Everything")
    pdf.table(("What", ">Number"), [(f"row {n}", str(n)) for n in range(200)])
    pages = [page.extract_text() for page in read(pdf).pages]
    assert len(pages) > 2
    for number, text in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in text
        assert "What" in text
    assert [n for n in range(200) if f"row {n}" not in "\n".join(pages)] == []


def test_letters_that_no_standard_font_has_are_written_by_number() -> None:
    """Nothing is left out, and nothing can steer the page."""
    assert printable("中\n\x00a") == "\\u4e2d\\x0a\\x00a"
    pdf = Pdf("中", 0.0)
    pdf.paragraph("中 ) Tj ET BT (")
    assert "\\u4e2d ) Tj ET BT (" in read(pdf).pages[0].extract_text()


@pytest.mark.parametrize("text", ["", "word", "two words", "x" * 500, "a " * 300])
def test_lines_fit_and_nothing_is_lost(text: str) -> None:
    """Broken between words, and within one only where it is too long for a line."""
    lines = wrapped(text, 100.0, 9.0)
    assert all(width_of(line, 9.0) <= 100.0 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=6))
def test_any_table_is_a_file_that_can_be_read(rows: list[tuple[str, str]]) -> None:
    """Whatever traffic has put into the cells."""
    pdf = Pdf("x", 0.0)
    pdf.table(("a", ">b"), rows)
    assert read(pdf).pages[0].extract_text() is not None
