from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.formats.charset import codec_of, text_of
from tests.support_formats import answer

EURO = "€ Zoë"


@pytest.mark.parametrize(
    ("body", "media_type", "text"),
    [
        (EURO.encode(), "text/html", EURO),
        (EURO.encode("cp1252"), "text/html", EURO),
        (EURO.encode("cp1252"), "text/html; charset=ISO-8859-1", EURO),
        (EURO.encode("cp1252"), 'text/html; charset="us-ascii"', EURO),
        (EURO.encode("iso8859-15"), "text/html;charset=latin9", EURO),
        (b"\xef\xbb\xbf" + EURO.encode(), "text/html; charset=latin1", EURO),
        (EURO.encode("utf-16"), "text/html", EURO),
        (EURO.encode("utf-16-be"), "text/html; charset=utf-16be", EURO),
        (EURO.encode("cp1252"), "text/html; charset=utf-8", "\ufffd Zo\ufffd"),
        (EURO.encode(), "text/html; charset=klingon", EURO),
        (EURO.encode(), "text/html; charset=unicode_escape", EURO),
        (EURO.encode(), "", EURO),
    ],
)
def test_characters_are_those_that_a_browser_sees(body: bytes, media_type: str, text: str) -> None:
    """Mark, header, then UTF-8 where it is valid, then Windows 1252."""
    assert text_of(body, answer(body, media_type)) == text


@pytest.mark.parametrize(
    "declaration",
    [
        '<meta charset="iso-8859-5">',
        '<meta http-equiv=content-type content="text/html; charset=iso-8859-5">',
        '<?xml version="1.0" encoding="iso-8859-5"?>',
    ],
)
def test_markup_may_declare_its_charset(declaration: str) -> None:
    """What stands in the first bytes counts when the header says nothing."""
    body = (declaration + "Привет").encode("iso8859-5")
    assert text_of(body, answer(body, "text/html"), markup=True).endswith("Привет")
    assert not text_of(body, answer(body, "text/html")).endswith("Привет")


def test_only_charsets_of_the_web_are_known() -> None:
    """Python's other codecs are no charsets, and some are slow."""
    assert codec_of("Shift_JIS") == "cp932"
    assert [codec_of(each) for each in ("rot13", "idna", "utf-7", "hex", "\0", "x" * 999)] == [
        None, None, None, None, None, None,
    ]  # fmt: skip


@given(st.binary(max_size=80), st.sampled_from(["", "utf-8", "utf-16", "big5", "iso-2022-jp"]))
def test_no_bytes_are_without_text(body: bytes, charset: str) -> None:
    """Every body has characters, replaced where they are not of the charset."""
    text_of(body, answer(body, f"text/html; charset={charset}"), markup=True).encode()
