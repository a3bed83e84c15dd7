"""From the bytes of an answer to what is compared: content decoding and the kind of content."""

from __future__ import annotations

from enum import Enum
from typing import Final

from shadow_compare.encodings import DECODERS, BrokenError, TooBigError

Headers = tuple[tuple[str, str], ...]

DECODED_MAX: Final = 8 * 1024 * 1024
"""No body grows beyond this many bytes when it is decompressed."""
RATIO_MAX: Final = 200
"""How many times its size a body may become; text reaches 20, a bomb 1000."""
RATIO_FREE: Final = 64 * 1024
"""Below this many bytes the ratio says nothing: an empty page of spaces compresses well."""
LAYERS_MAX: Final = 3

_CSV: Final = frozenset(
    {"text/csv", "application/csv", "text/comma-separated-values", "text/tab-separated-values"}
)
_TEXT: Final = frozenset(
    {"application/javascript", "application/x-javascript", "application/ecmascript",
     "application/yaml", "application/x-ndjson", "application/graphql", "application/sql"}
)  # fmt: skip


class NotComparableError(Exception):
    """Two answers cannot be compared; `reason` is one of the names that reports count."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAcknowledgedError(NotComparableError):
    """A write was sent, and nobody who can be believed says that it left nothing behind."""

    def __init__(self, why: str) -> None:
        super().__init__("not_acknowledged")
        self.why = why


class NotAskedError(NotComparableError):
    """Nothing was sent to a side that has just refused many connections: no evidence of anything.

    It counts as `candidate_unreachable`, as those that it has refused.
    """

    def __init__(self) -> None:
        super().__init__("candidate_unreachable")


class Content(Enum):
    """How a body is compared."""

    JSON = "json"
    HTML = "html"
    XML = "xml"
    CSV = "csv"
    FORM = "form"
    PDF = "pdf"
    TEXT = "text"
    BYTES = "bytes"


class Answer:
    """One side's answer: names of headers in lower case, the body with its content encoding on.

    No dataclass: compiled, that takes four times as long to make (0.36 us against 0.09), twice for
    each comparison.
    """

    __slots__ = ("body", "headers", "status", "truncated")

    def __init__(self, status: int, headers: Headers, body: bytes, truncated: bool = False) -> None:
        self.status: Final = status
        self.headers: Final = headers
        self.body: Final = body
        self.truncated: Final = truncated

    def __reduce__(self) -> tuple[type[Answer], tuple[int, Headers, bytes, bool]]:
        """Let it be pickled, compiled or not: its attributes are set once."""
        return Answer, (self.status, self.headers, self.body, self.truncated)

    def having(self, headers: Headers) -> Answer:
        """Give the same answer with other headers."""
        return Answer(self.status, headers, self.body, self.truncated)

    def header(self, name: str) -> str | None:
        """Give the first value of a header, or None."""
        for each, value in self.headers:
            if each == name:
                return value
        return None

    @property
    def media_type(self) -> str:
        """Type and subtype in lower case, without parameters; empty when the answer has none."""
        return media_type_of(self.header("content-type") or "")

    @property
    def content(self) -> Content:
        """How this body wants to be compared."""
        return content_of_type(self.media_type)


def media_type_of(content_type: str) -> str:
    """Give type and subtype of a Content-Type, in lower case and without parameters."""
    return content_type.partition(";")[0].strip().lower()


def content_of_type(media_type: str) -> Content:
    """Give how bodies of a media type are compared."""
    if media_type == "application/json" or media_type.endswith("+json"):
        return Content.JSON
    if media_type in ("text/html", "application/xhtml+xml"):
        return Content.HTML
    if media_type.endswith(("/xml", "+xml")):
        return Content.XML
    if media_type in _CSV:
        return Content.CSV
    if media_type == "application/x-www-form-urlencoded":
        return Content.FORM
    if media_type in ("application/pdf", "application/x-pdf"):
        return Content.PDF
    if media_type.startswith("text/") or media_type in _TEXT:
        return Content.TEXT
    return Content.BYTES


def decoded_body(answer: Answer) -> bytes:
    """Give the body without its content encoding.

    Raises NotComparableError: too_big (also for a body that was cut off when it was captured),
    unknown_encoding, undecodable.
    """
    if answer.truncated:
        raise NotComparableError("too_big")
    encodings = [
        part.strip().lower()
        for name, value in answer.headers
        if name == "content-encoding"
        for part in value.split(",")
    ]
    if len(encodings) > LAYERS_MAX:
        raise NotComparableError("undecodable")
    body = answer.body
    for encoding in reversed(encodings):
        body = _decoded(body, encoding)
    return body


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding in ("identity", "") or not body:
        return body
    decoder = DECODERS.get(encoding)
    if decoder is None:
        raise NotComparableError("unknown_encoding")
    try:
        return decoder(body, min(DECODED_MAX, max(RATIO_FREE, RATIO_MAX * len(body))))
    except TooBigError as too_big:  # one name for both would have the type of the first, compiled
        raise NotComparableError("too_big") from too_big
    except BrokenError as broken:
        raise NotComparableError("undecodable") from broken
