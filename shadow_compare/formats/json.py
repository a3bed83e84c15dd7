"""JSON bodies."""

from __future__ import annotations

from shadow_compare.formats.errors import UnreadableError
from shadow_compare.json_value import InvalidJsonError, Json, TooDeepError, parse_json, parse_unlike
from shadow_compare.normalize import Answer, NotComparableError


def read_json(body: bytes, _answer: Answer) -> Json:
    """Read a JSON text, which is in UTF-8 whatever its answer says (RFC 8259 section 8.1)."""
    try:
        return parse_json(body)
    except InvalidJsonError as error:
        raise UnreadableError(f"not JSON ({error})") from error
    except TooDeepError:
        raise NotComparableError("too_deep") from None


def read_unlike_json(old: bytes, new: bytes) -> tuple[Json, Json] | None:
    """Read two JSON texts; None when they surely say the same."""
    try:
        return parse_unlike(old, new)
    except InvalidJsonError as error:
        raise UnreadableError(f"not JSON ({error})") from error
    except TooDeepError:
        raise NotComparableError("too_deep") from None
