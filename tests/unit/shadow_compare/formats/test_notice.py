from __future__ import annotations

from time import process_time

import pytest

from shadow_compare.formats.notice import cut_notices
from shadow_compare.rules import CompareRules
from tests.support_formats import compared, told

MARKED = (
    "<br />\n<b>Warning</b>:  Undefined variable $a in <b>/srv/a.php</b> on line <b>3</b><br />\n"
)
PLAIN = "\nWarning: Undefined variable $a in /srv/a.php on line 3\n".replace(": U", ":  U")
SAYS = "Warning: Undefined variable $a in /srv/a.php on line 3"
JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "rest", "notices"),
    [
        (MARKED + "{}", "{}", [SAYS]),
        (PLAIN + "{}", "{}", [SAYS]),
        (PLAIN + PLAIN + "{}", "{}", [SAYS, SAYS]),
        ("<p>a" + MARKED + "b", "<p>ab", [SAYS]),
        ("PHP " + PLAIN.strip() + "\n[1]", "[1]", ["PHP " + SAYS]),
        ("{}" + PLAIN, "{}" + PLAIN, []),
        ("<b>Warning</b>: mind the gap on line <b>3</b>",
         "<b>Warning</b>: mind the gap on line <b>3</b>", []),
        ("", "", []),
    ],
)  # fmt: skip
def test_notices_are_cut_out(body: str, rest: str, notices: list[str]) -> None:
    """With markup anywhere, without it only in front."""
    assert cut_notices(body.encode()) == (rest.encode(), notices)


def test_notice_is_a_difference_of_its_own() -> None:
    """The content behind it is compared all the same, and the notice can be ruled out."""
    assert told(MARKED + '{"a":1}', '{"a":1}', JSON) == ["missing notice"]
    assert told(MARKED + '{"a":1}', '{"a":2}', JSON) == ["missing notice", "value_changed $.a"]
    assert told("<p>a", "<p>" + MARKED + "a") == ["extra notice"]
    assert told(MARKED + "<p>a", MARKED.replace("$a", "$b") + "<p>a") == ["value_changed notice"]
    rules = CompareRules.build(ignore=[{"path": "notice"}])
    assert compared(MARKED + '{"a":1}', '{"a":1}', JSON, rules).verdict == "ignored"


@pytest.mark.parametrize("piece", ["<b>Warning</b>:  ", "\nWarning:  a in b", " ", MARKED, PLAIN])
def test_time_grows_with_the_size_alone(piece: str) -> None:
    """A megabyte of beginnings without end takes less than two seconds."""
    body = (piece * (1_000_000 // len(piece))).encode() + b" on line <b>"
    started = process_time()
    cut_notices(body)
    assert process_time() - started < 2.0
