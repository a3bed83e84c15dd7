"""A document as a file for pytest: what legacy answered is expected of the application under test.

Only what differed is expected, and only where a value is known: one that was redacted or cut cannot
be. Of JSON the value at its path is expected; of a page that it says what legacy's says and
modern's does not, wherever on it. The file needs nothing but pytest and the standard library.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any, Final

from shadow_compare.report.export.document import Document
from shadow_compare.report.export.request import request_of
from shadow_compare.sample import KeptDifference, Sample

_READABLE: Final = re.compile(
    r"status|headers\.(?:location|content-type|content-disposition)|\$(?:\.[\w-]+|\['[^'\]]+'\]|\[\d+\]|\[[^=\]]+=[^\]]*\]|\[length\])*"
)

_ENCODED: Final = "accept-encoding"
"""The standard library decodes nothing, so nothing is asked for that it would have to decode."""
_PAGE: Final = ("html.", "xml.")
"""Roots of the paths of pages."""
_TAG: Final = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<[^<>]*>")
_PLACE: Final = re.compile(r"\{(title|left|cases|nothing)\}")
_LEFT: Final = """ {} samples are not in here: what differs in them was redacted, was
cut, or stands where no test can look for it."""
_NOTHING: Final = """
pytest.skip("no sample holds anything that a test could expect", allow_module_level=True)
"""

_HEAD: Final = '''\
"""{title}

Written by `cutover diffs export --pytest`: each case repeats a request whose two answers differed,
and expects of BASE_URL (the application under test) what legacy answered. Fill in what is
[redacted …].{left}
"""

import html
import json
import os
import re
import urllib.error
import urllib.request

import pytest

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:8082")
ABSENT = object()
TAG = re.compile(r"(?is)<(script|style)\\b.*?</\\1\\s*>|<[^<>]*>")
STEP = re.compile(
    r"\\.([\\w-]+)|\\['([^'\\]]+)'\\]|\\[(\\d+)\\]|\\[([^=\\]]+)=([^\\]]*)\\]|\\[(length)\\]"
)


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None  # a redirect is an answer, too


OPENER = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))


def ask(method, target, headers, body):
    url, data = BASE_URL + target, body.encode() or None
    request = urllib.request.Request(url, data, dict(headers), method=method)
    try:
        answer = OPENER.open(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read()


def found_at(path, status, headers, body):
    if path == "status":
        return status
    if path.startswith("headers."):
        return headers.get(path.removeprefix("headers."), ABSENT)
    value = json.loads(body)
    for name, quoted, index, key, wanted, length in STEP.findall(path[1:]):
        try:
            if length:
                value = len(value)
            elif index:
                value = value[int(index)]
            elif key:
                value = next(each for each in value if str(each.get(key)) == wanted)
            else:
                value = value[name or quoted]
        except (LookupError, TypeError, StopIteration):
            return ABSENT
    return value


def said_by(body):
    """What a page says, and its source, without the blanks, which tell nothing."""
    page = body.decode("utf-8", "replace")
    return ["".join(html.unescape(text).split()) for text in (TAG.sub(" ", page), page)]


CASES = {cases}
{nothing}

@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_answers_as_legacy(case):
    answer = ask(case["method"], case["target"], case["headers"], case["body"])
    for path, expected in case["expected"].items():
        assert found_at(path, *answer) == json.loads(expected), path
    for path in case["absent"]:
        assert found_at(path, *answer) is ABSENT, path
    said = said_by(answer[2])
    for text in case["says"]:
        assert any("".join(text.split()) in each for each in said), text
    for text in case["says_not"]:
        assert not any("".join(text.split()) in each for each in said), text
'''


def as_pytest(document: Document) -> str:
    """Write a document."""
    samples = [
        (f"{detail.summary.id}-{number}", sample)
        for detail in document.details
        for number, sample in enumerate(detail.samples, start=1)
    ]
    cases = [case for name, sample in samples if (case := _case(name, sample))]
    parts = {
        "title": json.dumps(document.title)[1:-1].replace('"', "'"),
        "left": _LEFT.format(len(samples) - len(cases)) if len(cases) < len(samples) else "",
        "nothing": "" if cases else _NOTHING,
        "cases": _literal(cases),
    }
    return _PLACE.sub(lambda found: parts[found[1]], _HEAD)


def _case(name: str, sample: Sample) -> dict[str, Any] | None:
    request = request_of(sample.curl)
    known = [each for each in sample.differences if _is_known(each)]
    says, says_not = _texts(sample)
    if not known and not says and not says_not:
        return None
    return {
        "id": name,
        "method": request.method,
        "target": request.target,
        "headers": [[name, value] for name, value in request.headers if name != _ENCODED],
        "body": request.body,
        "expected": {each.path: each.legacy for each in known if each.legacy is not None},
        "absent": [each.path for each in known if each.legacy is None],
        "says": says,
        "says_not": says_not,
    }


def _texts(sample: Sample) -> tuple[list[str], list[str]]:
    """Give what a page must say, and what it must not.

    Only what tells the two answers apart as far as they are kept: a word that stands elsewhere
    on the other page, too, would prove nothing, or fail where all is well.
    """
    answers = sample.primary, sample.candidate
    legacy, modern = answers if sample.primary_side == "legacy" else answers[::-1]
    pages = _said_by(legacy.body), _said_by(modern.body)
    says: dict[str, None] = {}
    says_not: dict[str, None] = {}
    for each in sample.differences:
        if not each.path.startswith(_PAGE):
            continue
        old, new = _text(each.legacy), _text(each.modern)
        if old and _is_in(old, pages[0]) and not _is_in(old, pages[1]):
            says[old] = None
        elif each.legacy is None and new and _is_in(new, pages[1]) and not _is_in(new, pages[0]):
            says_not[new] = None
    return list(says), list(says_not)


def _text(value: str | None) -> str:
    """Give a whole text that is kept as it was, or an empty one."""
    try:
        found = json.loads(value or "null")
    except ValueError:
        return ""  # it was cut
    return found if isinstance(found, str) and "[redacted " not in found else ""


def _said_by(page: str) -> list[str]:
    """Do what the written file does."""
    return ["".join(html.unescape(text).split()) for text in (_TAG.sub(" ", page), page)]


def _is_in(text: str, said: list[str]) -> bool:
    return any("".join(text.split()) in each for each in said)


def _is_known(difference: KeptDifference) -> bool:
    """Whether the place can be looked up, and legacy's value is kept as it was."""
    if not _READABLE.fullmatch(difference.path):
        return False
    if difference.legacy is None:
        return True
    try:
        json.loads(difference.legacy)
    except ValueError:
        return False
    return "[redacted " not in difference.legacy


def _literal(cases: list[dict[str, Any]]) -> str:
    """Write the cases as Python: strings, lists and dicts are spelled as in JSON, pairs apart."""
    return json.dumps(cases, indent=4, ensure_ascii=False)
