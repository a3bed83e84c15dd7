from __future__ import annotations

from shadow_compare.text import shortened, storable


def test_any_text_can_be_stored() -> None:
    """No database is given what it refuses."""
    assert storable("a\0b\ud800") == "a\N{SYMBOL FOR NULL}b\\ud800"


def test_what_was_cut_shows_it() -> None:
    """A text that fits stays as it is."""
    assert (shortened("abc", 3), shortened("abcd", 3)) == ("abc", "abc…")
