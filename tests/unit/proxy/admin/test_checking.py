from dataclasses import replace

import pytest

from proxy.admin.checking import check, digest
from proxy.control.status import VersionRecord
from tests.support_console import DOCUMENT

CURRENT = VersionRecord(18, 17, 0.0, "ada", "first", DOCUMENT, (), False, {})


def test_what_a_document_would_do_is_told_in_words_and_lines() -> None:
    """Against the version in force; the digest is that of the text."""
    text = DOCUMENT.replace("weight: 10%", "weight: 50%")
    found = check(text, CURRENT)
    assert found.valid
    assert found.changes == ("plans: weight 10% -> 50%",)
    assert "+    weight: 50%  # since Monday" in found.lines
    assert found.digest == digest(text) != digest(DOCUMENT)


def test_the_same_document_would_do_nothing() -> None:
    """Not even when a comment changes: then only lines are told."""
    assert (check(DOCUMENT, CURRENT).changes, check(DOCUMENT, CURRENT).lines) == ((), ())
    commented = check(f"{DOCUMENT}# more\n", CURRENT)
    assert (commented.changes, bool(commented.lines)) == ((), True)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (DOCUMENT.replace("weight: 10%", "wieght: 10%"), 9, 5),
        (DOCUMENT.replace("weight: 10%", "weight: 110%"), 9, 5),
        ("version: [", 1, 11),
        ("", 1, 1),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, line: int, column: int) -> None:
    """Line and column of each problem; nothing is said of changes."""
    found = check(text, CURRENT)
    first = found.to_plain()["problems"][0]
    assert (first["line"], first["column"]) == (line, column)
    assert not found.valid
    assert found.changes == found.lines == ()


def test_a_version_that_cannot_be_read_any_more_is_no_obstacle() -> None:
    """The document is checked, and that the other one is not read is said."""
    found = check(DOCUMENT, replace(CURRENT, text="version: 0"))
    assert found.valid
    assert "not read by this program" in found.changes[0]
