"""A document as a file for pytest: what legacy answered is expected of the application under test.

Only what differed is expected, and only where a value is known: one that was redacted or cut cannot
be. The file needs nothing but pytest and the standard library.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from shadow_compare.report.export.document import Document
from shadow_compare.report.export.request import request_of
from shadow_compare.sample import KeptDifference, Sample

_READABLE: Final = re.compile(
    r"status|headers\.(?:location|content-type|content-disposition)|\$(?:\.[\w-]+|\['[^'\]]+'\]|\[\d+\]|\[[^=\]]+=[^\]]*\]|\[length\])*"
)

_HEAD: Final = '''\
"""{title}

Written by `cutover diffs export --pytest`: each case repeats a request whose two answers differed,
and expects of BASE_URL (the application under test) what legacy answered. Fill in what is
[redacted …].
"""

import json
import os
import re
import urllib.error
import urllib.request

import pytest

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:8082")
ABSENT = object()
STEP = re.compile(
    r"\\.([\\w-]+)|\\['([^'\\]]+)'\\]|\\[(\\d+)\\]|\\[([^=\\]]+)=([^\\]]*)\\]|\\[(length)\\]"
)


def ask(method, target, headers, body):
    url, data = BASE_URL + target, body.encode() or None
    request = urllib.request.Request(url, data, dict(headers), method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=30)
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


CASES = {cases}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_answers_as_legacy(case):
    answer = ask(case["method"], case["target"], case["headers"], case["body"])
    for path, expected in case["expected"].items():
        assert found_at(path, *answer) == json.loads(expected), path
    for path in case["absent"]:
        assert found_at(path, *answer) is ABSENT, path
'''


def as_pytest(document: Document) -> str:
    """Write a document."""
    cases = [
        case
        for detail in document.details
        for number, sample in enumerate(detail.samples, start=1)
        if (case := _case(f"{detail.summary.id}-{number}", sample))
    ]
    title = json.dumps(document.title)[1:-1].replace('"', "'")
    return _HEAD.replace("{title}", title).replace("{cases}", _literal(cases))


def _case(name: str, sample: Sample) -> dict[str, Any] | None:
    request = request_of(sample.curl)
    known = [each for each in sample.differences if _is_known(each)]
    if not known:
        return None
    return {
        "id": name,
        "method": request.method,
        "target": request.target,
        "headers": [list(pair) for pair in request.headers],
        "body": request.body,
        "expected": {each.path: each.legacy for each in known if each.legacy is not None},
        "absent": [each.path for each in known if each.legacy is None],
    }


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
