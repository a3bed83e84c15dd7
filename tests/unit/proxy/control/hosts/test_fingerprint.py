from __future__ import annotations

import pytest

from proxy.control.hosts.fingerprint import differing, fingerprint

KEYS = {"mint.key": b"m" * 32, "shadow.key": b"word", "redaction.key": b"r" * 32}


@pytest.mark.parametrize(
    ("changed", "differ"),
    [
        ({}, ()),
        ({"redaction.key": b"x" * 32}, ("redaction.key",)),
        ({"shadow.key": b"other", "redaction.key": b"x"}, ("shadow.key", "redaction.key")),
        ({"mint.key": b"x" * 32}, ("mint.key",)),
        ({"mint.key": b"x" * 32, "shadow.key": b"other"}, ("mint.key",)),
    ],
)
def test_which_keys_differ(changed: dict[str, bytes], differ: tuple[str, ...]) -> None:
    """By name; while the first is another, the rest cannot be compared."""
    ours, theirs = fingerprint(KEYS), fingerprint({**KEYS, **changed})
    assert differing(ours, theirs) == differ
    assert differing(theirs, ours) == differ


@pytest.mark.parametrize("other", ["", "0123456789abcdef", "mint=1,shadow=2"])
def test_another_kind_of_fingerprint_says_nothing(other: str) -> None:
    """A host of an earlier program is not accused."""
    assert differing(fingerprint(KEYS), other) == ()
    assert differing(other, fingerprint(KEYS)) == ()


def test_words_cannot_be_tried() -> None:
    """The digest of a key that a person chose depends on one that nobody chose."""
    one, other = (fingerprint({**KEYS, "mint.key": mint}) for mint in (b"1" * 32, b"2" * 32))
    told = [dict(each.split("=") for each in text.split(",")) for text in (one, other)]
    assert told[0]["shadow.key"] != told[1]["shadow.key"]
