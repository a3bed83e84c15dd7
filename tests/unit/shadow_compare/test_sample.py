from __future__ import annotations

import gzip
import json
import shlex
from dataclasses import asdict
from datetime import date

from shadow_compare.compare import compare_json
from shadow_compare.normalize import Answer
from shadow_compare.redact import Redactor
from shadow_compare.rules import CompareRules
from shadow_compare.sample import (
    BODY_MAX,
    VALUE_MAX,
    KeptAnswer,
    Sample,
    curl_of,
    take_sample,
)
from tests.support_shadow import JSON, a_capture

REDACTOR = Redactor(b"key")


def sample(old: bytes, new: bytes, **changes: object) -> Sample:
    """Take a sample of comparing two JSON answers."""
    comparison = compare_json(old, new, CompareRules(), date(2026, 1, 1))
    capture = a_capture(body=old, at=5.0, **changes)
    return take_sample(capture, Answer(200, JSON, new), 0.25, comparison, REDACTOR)


def test_sample_holds_request_answers_and_differences() -> None:
    """Everything that is needed to look at one mismatch is there, values as JSON text."""
    found = sample(b'{"a":"9.90"}', b'{"a":9.90,"b":null}')
    assert (found.at, found.request_id, found.version, found.primary_side) == (
        5.0,
        "req-1",
        7,
        "legacy",
    )
    assert found.primary == KeptAnswer(200, JSON, '{"a":"9.90"}', truncated=False, latency=0.01)
    assert found.candidate.latency == 0.25
    assert [asdict(each) for each in found.differences] == [
        {"path": "$.a", "kind": "type_changed", "legacy": '"9.90"', "modern": "9.90"},
        {"path": "$.b", "kind": "extra", "legacy": None, "modern": "null"},
    ]
    json.dumps(found.to_plain())


def test_nothing_kept_holds_a_secret() -> None:
    """Headers, query, bodies and differing values are all redacted."""
    headers = (("host", "h"), ("authorization", "Bearer hunter2hunter2"))
    found = sample(
        b'{"token":"hunter2"}',
        b'{"token":"hunter2b"}',
        request_headers=headers,
        target="/a?password=hunter2",
    )
    assert "hunter2" not in json.dumps(found.to_plain())


def test_long_bodies_and_values_are_cut() -> None:
    """What is kept is bounded, and says that it was cut."""
    found = sample(json.dumps({"a": "x" * 50_000}).encode(), b'{"a":"y"}')
    assert len(found.primary.body) == BODY_MAX
    assert found.primary.truncated
    assert not found.candidate.truncated
    assert len(found.differences[0].legacy or "") == VALUE_MAX + 1


def test_compressed_bodies_are_kept_readable() -> None:
    """The text is kept, not what was on the wire; what cannot be read is named."""
    packed = (*JSON, ("content-encoding", "gzip"))
    found = sample(b"{}", b"[]", headers=packed)
    assert found.primary.body == "[2 bytes, undecodable]"
    capture = a_capture(body=gzip.compress(b"{}"), headers=packed)
    comparison = compare_json(b"{}", b"[]", CompareRules(), date(2026, 1, 1))
    kept = take_sample(capture, Answer(200, JSON, b"[]"), 0.1, comparison, REDACTOR)
    assert kept.primary.body == "{}"


def test_curl_repeats_the_request() -> None:
    """The command can be pasted: quoted, without the connection's own headers."""
    headers = (("host", "shop.example"), ("accept", "it's"), ("content-length", "3"))
    capture = a_capture(target="/a?b=c d&e", request_headers=headers)
    assert shlex.split(curl_of(capture, REDACTOR)) == [
        "curl", "--path-as-is", "-X", "GET", "http://shop.example/a?b=c d&e", "-H", "accept: it's",
    ]  # fmt: skip
    assert "--head" in curl_of(a_capture(method="HEAD"), REDACTOR)
    form = (("content-type", "application/x-www-form-urlencoded"),)
    posted = a_capture(method="POST", request_headers=form, request_body=b"a=1&password=hunter2")
    assert "hunter2" not in curl_of(posted, REDACTOR)
    assert "a=1" in curl_of(posted, REDACTOR)
