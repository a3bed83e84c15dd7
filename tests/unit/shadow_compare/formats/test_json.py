from __future__ import annotations

import pytest

from shadow_compare.formats import FORMATS, UnreadableError
from shadow_compare.normalize import Answer, Content, NotComparableError

ANSWER = Answer(200, (("content-type", "application/json"),), b"")


def test_json_is_read_as_its_value() -> None:
    """The tree of a JSON body is its value."""
    assert FORMATS[Content.JSON].read(b'{"a":[1]}', ANSWER) == {"a": [1]}


def test_broken_json_says_what_is_wrong() -> None:
    """The fault names the format and the defect."""
    with pytest.raises(UnreadableError, match=r"not JSON .*stands twice"):
        FORMATS[Content.JSON].read(b'{"a":1,"a":2}', ANSWER)


def test_nesting_beyond_the_limit_is_not_comparable() -> None:
    """That a body is too deep is no defect of it."""
    with pytest.raises(NotComparableError, match="too_deep"):
        FORMATS[Content.JSON].read(b"[" * 5_000 + b"]" * 5_000, ANSWER)
