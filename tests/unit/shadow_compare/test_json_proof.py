from __future__ import annotations

import orjson
import pytest

from shadow_compare.json_proof import are_wholly_same, has_tokens_of


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (b'{"a":1,"b":"x"}', b'{ "b": "x",\n"a": 1 }', True),
        (b"[true,null,[]]", b"[ true, null, [ ] ]", True),
        (
            '{"é":"ß ü","n":[-7,10,123456789]}'.encode(),
            '{"n":[-7,10,123456789],"é":"ß ü"}'.encode(),
            True,
        ),
        ('["é", 7]'.encode(), '["é",7]'.encode(), True),
        (b'{"a":1}', b'{"a":2,"a":1}', False),
        (b'{"a":1,"b":2,"b":2}', b'{"b":2,"b":2,"a":1}', False),
        (b'{"a":1,"a":1}', b'{"a":      1}', False),
        (b'{"a":      1}', b'{"a":1,"a":1}', False),
        ('{"é":1,"é":1}'.encode(), '{"é":1}'.encode(), False),
        (b'{"a":1,"a":1}', b'{"a":1,"a":1} ', False),
        (b'["a"]', b'["\\u0061"]', False),
        (b"[0]", b"[ 0]", False),
        (b"[1.5]", b"[ 1.5]", False),
        (b"[1]", b"[true]", False),
        (b"[18446744073709551616]", b"[ 18446744073709551616]", False),
        (b"[" * 130 + b"]" * 130, b"[" * 130 + b" " + b"]" * 130, False),
    ],
)
def test_only_what_cannot_have_lost_anything_is_the_same(
    old: bytes, new: bytes, same: bool
) -> None:
    """A dropped member shows in length or quotes; an escape and a zero are left to others."""
    assert are_wholly_same(old, new, orjson.loads(old), orjson.loads(new)) is same


@pytest.mark.parametrize(
    ("body", "has"),
    [
        (b'{"a": [1.5, "b c"]}', True),
        (b'["\\/", "\\u00e9"]', True),
        (b"[1.50]", False),
        (b'{"a":1,"a":2}', False),
        (b"[-0]", False),
        (b'["\\u0022"]', False),
    ],
)
def test_tokens_are_those_of_the_text(body: bytes, has: bool) -> None:
    """Blanks and needless escapes apart; what is not sure is read exactly."""
    assert has_tokens_of(body, orjson.loads(body)) is has
