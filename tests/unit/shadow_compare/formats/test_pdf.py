from __future__ import annotations

import zlib
from time import process_time

import pytest

from tests.support_formats import compared, told

PDF = "application/pdf"


def document(
    *pages: str,
    title: str = "Invoice",
    made: str = "20260301",
    extra: bytes = b"",
    trailer: str = "",
) -> bytes:
    """Write a PDF with one text on each page, whose lines are parted by `|`."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type1/BaseFont/Courier>>",
    ]
    objects.append(f"<</Title({title})/CreationDate(D:{made})/Producer(p{made})>>".encode())
    kids = []
    for page in pages:
        lines = "".join(f"({line}) Tj 0 -20 Td " for line in page.split("|"))
        packed = zlib.compress(f"BT /F1 12 Tf 50 700 Td {lines} ET".encode() + extra)
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
            b"/Contents %d 0 R>>" % (len(objects) + 2)
        )
        objects.append(
            b"<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(packed), packed)
        )
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>".encode()
    body, starts = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        starts.append(len(body))
        body += b"%d 0 obj%b endobj\n" % (number, each)
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    size = len(objects) + 1
    return (
        body
        + (
            f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R"
            f"/Info 4 0 R/ID[<{made}><{made}>]{trailer}>>\nstartxref\n{len(body)}\n%%EOF"
        ).encode()
    )


OLD = document("Invoice 7|Total 19.00", "Page two")


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (document("Invoice 7|Total 19.00", "Page two", made="20270101"), []),
        (document("Invoice 7|Total 19.01", "Page two"), ["value_changed pdf.pages[0].text"]),
        (document("Invoice 7|Total 19.00"),
         ["missing pdf.pages[1].size", "missing pdf.pages[1].text"]),
        (document("Invoice 7|Total 19.00", "Page two", title="Bill"), ["value_changed pdf.title"]),
        (b"%PDF-1.4 rubbish", ["type_changed pdf"]),
        (b"<p>Not found", ["type_changed pdf"]),
        (document("a", trailer="/Encrypt<</Filter/Standard>>"), ["type_changed pdf"]),
    ],
)  # fmt: skip
def test_documents_are_compared_by_their_text(new: bytes, expected: list[str]) -> None:
    """Dates, ids and the program that wrote it say nothing; what cannot be read is a fault."""
    assert told(OLD, new, PDF) == expected


def test_fault_says_which_and_names_the_bytes() -> None:
    """What cannot be read is shown by its digest, on both sides, too."""
    locked = document("a", trailer="/Encrypt<</Filter/Standard>>")
    (found,) = compared(OLD, locked, PDF).differences
    assert "encrypted" in found.new
    assert "sha256" in found.new
    (both,) = compared(b"%PDF-1.4 a", b"%PDF-1.4 b", PDF).differences
    assert both.kind == "value_changed"
    assert "sha256" in both.old


def test_documents_without_text_are_compared_by_digest() -> None:
    """A scan may not be called equal because nothing could be read in it."""
    assert told(document(""), document("", made="20270101"), PDF) == ["value_changed pdf"]


def test_bombs_end_in_too_big() -> None:
    """A stream that unpacks to gigabytes, endless drawing and endless pages are given up."""
    started = process_time()
    for bomb in (
        document("a", extra=b" " * 6_000_000),
        document("a", extra=b" 0 0 m" * 150_000),
        document(*["a"] * 300),
    ):
        found = compared(OLD, bomb, PDF)
        assert found.reason == "too_big" or found.differences[0].kind == "type_changed"
    assert process_time() - started < 10.0
