from __future__ import annotations

import pytest

from shadow_compare.formats.excerpt import EXCERPT, around_first_change, beginning, digest


@pytest.mark.parametrize("at", [0, 1, 29, 30, 31, 500, 999])
def test_both_excerpts_show_the_first_change(at: int) -> None:
    """Wherever two bodies part, it is seen on both sides, with what stands in front."""
    old = bytes(1000).replace(b"\0", b"=")
    before, after = around_first_change(old[:at] + b"a" + old, old[:at] + b"b" + old)
    assert "a" in before
    assert "b" in after
    assert len(before) == len(after) == EXCERPT


def test_a_body_that_goes_on_is_shown_from_before_the_end_of_the_other() -> None:
    """One is the beginning of the other: the change is where it ends."""
    assert around_first_change(b"same", b"same and more") == ("same", "same and more")


def test_excerpt_of_rubbish_is_text() -> None:
    """Bytes that are no UTF-8 are replaced."""
    assert beginning(b"\xffabc") == "�abc"


def test_digests_tell_bodies_apart() -> None:
    """Length and hash name a body."""
    assert digest(b"a") != digest(b"b")
    assert digest(b"ab").startswith("2 bytes, sha256 ")
