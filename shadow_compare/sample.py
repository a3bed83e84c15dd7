"""One difference as it is kept to be looked at: the request and both answers, without secrets."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import Any, Final

from shadow_compare.capture import Capture
from shadow_compare.difference import ABSENT, Difference
from shadow_compare.json_value import Json, write_json
from shadow_compare.normalize import Answer, Headers, NotComparableError, decoded_body
from shadow_compare.paths import path_text
from shadow_compare.redact import Redactor
from shadow_compare.text import shortened, storable
from shadow_compare.verdict import Comparison

BODY_MAX: Final = 16 * 1024
"""Characters kept of a body."""
VALUE_MAX: Final = 500
"""Characters kept of a value that differs."""

_NOT_IN_CURL: Final = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "te", "upgrade", "keep-alive"}
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as stored; `latency` in seconds, `truncated` when the body is not the whole one."""

    status: int
    headers: Headers
    body: str
    truncated: bool
    latency: float

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> KeptAnswer:
        """From what `asdict` gave, after JSON."""
        headers = tuple((name, value) for name, value in plain["headers"])
        return cls(**{**plain, "headers": headers})


@dataclass(frozen=True, slots=True)
class KeptDifference:
    """A difference as stored; a value is JSON text, or None where there is nothing."""

    path: str
    kind: str
    legacy: str | None
    modern: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange that differed."""

    at: float
    request_id: str
    version: int
    primary_side: str
    curl: str
    primary: KeptAnswer
    candidate: KeptAnswer
    differences: tuple[KeptDifference, ...]

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)


def take_sample(
    capture: Capture, candidate: Answer, latency: float, comparison: Comparison, redactor: Redactor
) -> Sample:
    """Build what is kept of a mismatch; `latency` is the candidate's, in seconds."""
    primary = Answer(capture.status, capture.headers, capture.body, capture.truncated)
    return Sample(
        at=capture.at,
        request_id=capture.id,
        version=capture.version,
        primary_side=capture.primary,
        curl=storable(curl_of(capture, redactor)),
        primary=_kept_answer(primary, capture.latency, redactor),
        candidate=_kept_answer(candidate, latency, redactor),
        differences=tuple(kept_difference(each, redactor) for each in comparison.differences),
    )


def kept_difference(difference: Difference, redactor: Redactor) -> KeptDifference:
    """Redact and shorten a difference."""
    return KeptDifference(
        shortened(storable(redactor.text(path_text(difference.path))), VALUE_MAX),
        difference.kind,
        _value_text(difference.old, difference, redactor),
        _value_text(difference.new, difference, redactor),
    )


def curl_of(capture: Capture, redactor: Redactor) -> str:
    """Write the request as a command; what was redacted has to be filled in by hand."""
    host = next((value for name, value in capture.request_headers if name == "host"), "localhost")
    words = ["curl", "--path-as-is"]
    words += ["--head"] if capture.method == "HEAD" else ["-X", capture.method]
    words.append(f"http://{host}{redactor.target(capture.target)}")
    for name, value in redactor.headers(capture.request_headers):
        if name not in _NOT_IN_CURL:
            words += ["-H", f"{name}: {value}"]
    if capture.request_body:
        request = Answer(0, capture.request_headers, capture.request_body)
        words += ["--data-raw", _body_text(request, redactor)[0]]
    return shlex.join(words)


def _kept_answer(answer: Answer, latency: float, redactor: Redactor) -> KeptAnswer:
    text, whole = _body_text(answer, redactor)
    return KeptAnswer(answer.status, redactor.headers(answer.headers), text, not whole, latency)


def _body_text(answer: Answer, redactor: Redactor) -> tuple[str, bool]:
    try:
        body = decoded_body(answer)
    except NotComparableError as error:
        return f"[{len(answer.body)} bytes, {error.reason}]", False
    text = redactor.body(body, answer.content, answer.media_type)
    return storable(text[:BODY_MAX]), len(text) <= BODY_MAX


def _value_text(value: Json, difference: Difference, redactor: Redactor) -> str | None:
    if value is ABSENT:
        return None
    return storable(shortened(write_json(redactor.value(value, difference.path)), VALUE_MAX))
