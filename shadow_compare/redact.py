"""Secrets out, placeholders in, before anything is stored.

A placeholder is a keyed hash: the same secret gives the same one, so that grouping and search still
work, and without the key nobody can try out candidates.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote_plus

from shadow_compare.cookies import ATTRIBUTES, attribute_name, read_pair, read_set_cookie
from shadow_compare.json_value import InvalidJsonError, Json, TooDeepError, parse_json, write_json
from shadow_compare.normalize import Content, Headers
from shadow_compare.paths import BODY, Label, Path, Pattern, Segment, covers

TEXT_MAX: Final = 64 * 1024
"""Of a body that is no JSON this many bytes are redacted and kept: patterns take their time."""

_SECRET_HEADERS: Final = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "cutover-side",
        "cutover-shadow",
    }
)
_SECRET_NAME: Final = re.compile(
    r"passw|passphrase|passcode|(?:^|[_-])pass$|^pwd|secret|token|api_?key|access_?key|private_?key"
    r"|authorization|credential|cookie|sess(?:ion)?_?id|phpsessid|csrf|xsrf|jwt|otp$|^pin$"
    r"|card_?(?:no|num)|^pan$|cvv|cvc|iban|signature$|^sig$",
    re.IGNORECASE,
)
"""Names of members, form fields, query parameters and headers that hold what opens something."""
_TOKEN: Final = re.compile(r"[\w.-]{20,}|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}")
"""A run that may be a JSON Web Token, or an Authorization value quoted in a text.

Runs are taken whole and looked at afterwards: a pattern for the token itself would start anew at
each of its characters, and a hostile text could make that last for ever.
"""
_CARD: Final = re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w.-])")
_LOOSE: Final = re.compile(
    r"""(["']?)([\w.-]{2,64})\1(\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s&"'<>;,]+)"""
)
"""`name=value` and `"name": "value"` in a text that is neither a form nor readable JSON."""

_FORM: Final = "application/x-www-form-urlencoded"
_NO_BODY: Final = frozenset({"headers", "status"})
"""Roots of paths that are not in the body."""
_SET_COOKIE: Final[Path] = ("headers", "set-cookie")
_TAG: Final = re.compile(r"<(?:input|meta|button|option)\b[^<>]{0,4000}>", re.IGNORECASE)
_TAG_NAME: Final = re.compile(
    r"""\b(?:name|id|property)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE
)
_TAG_VALUE: Final = re.compile(
    r"""(\b(?:value|content)\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE
)
_PLACEHOLDER: Final = re.compile(r"\[redacted [0-9a-f]{12}\]")
_PLACEHOLDER_ESCAPED: Final = re.compile(r"(?:\[|%5B)redacted(?: |%20|\+)[0-9a-f]{12}(?:\]|%5D)")
_DIGEST: Final = re.compile(r"\[\d+ bytes [0-9a-f]{12}\]")
_PART_NAME: Final = re.compile(r'\bname="([^"\r\n]{1,100})"')


def is_redacted(text: str) -> bool:
    """Whether something was taken out of a text, so that it is not what it was."""
    return _PLACEHOLDER_ESCAPED.search(text) is not None or _DIGEST.fullmatch(text) is not None


class Redactor:
    """Replaces secrets by placeholders under one key of at most 64 bytes.

    `declared` are places that the rules call secret, beside what names and patterns tell. Where a
    body cannot be read, so that a declared place cannot be found in it, nothing of it is kept.
    """

    def __init__(self, key: bytes, declared: tuple[Pattern, ...] = ()) -> None:
        self._key = key
        self._declared = declared

    def declaring(self, declared: tuple[Pattern, ...]) -> Redactor:
        """Give one that hides these places too, under the same key."""
        return Redactor(self._key, declared) if declared else self

    def placeholder(self, secret: str) -> str:
        """Give what stands for a secret."""
        data = secret.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(data, digest_size=6, key=self._key).hexdigest()
        return f"[redacted {digest}]"

    def headers(self, headers: Headers) -> Headers:
        """Redact headers; of a cookie the name stays, of Set-Cookie also the attributes."""
        return tuple((name, self._header(name.lower(), value)) for name, value in headers)

    def target(self, target: str) -> str:
        """Redact the query of a request target, and cards and tokens anywhere in it."""
        path, mark, query = target.partition("?")
        return self.text(path) + mark + self._form(query)

    def body(self, body: bytes, content: Content, media_type: str = "") -> str:
        """Redact a body without content encoding, and give it as text."""
        if content is Content.JSON:
            return self._json(body)
        if self._is_declared_within(media_type):
            return self._digest(body)
        text = body[:TEXT_MAX].decode("utf-8", "replace")
        if media_type == _FORM:
            return self._form(text)
        if media_type == "multipart/form-data":
            return self._multipart(text)
        if content in (Content.BYTES, Content.PDF):
            return self._digest(body)
        return self._loose(text)

    def value(self, value: Json, path: Path) -> Json:
        """Redact a value that stands at this path of an answer."""
        if path[:2] == _SET_COOKIE:
            value = self._of_cookies(value, path)
            return hide_at(value, path, self._declared, self._hidden)
        if any(map(_names_secret, path[1:])):
            return self._hidden(value)
        return self._clean(hide_at(value, path, self._declared, self._hidden))

    def text(self, text: str) -> str:
        """Redact tokens and card numbers wherever they stand in a text."""
        text = _TOKEN.sub(self._token, text)
        return _CARD.sub(self._card, text)

    def _digest(self, body: bytes) -> str:
        digest = hashlib.blake2b(body, digest_size=6, key=self._key).hexdigest()
        return f"[{len(body)} bytes {digest}]" if body else ""

    def _is_declared_within(self, media_type: str) -> bool:
        """Whether a place in a body of this type is declared, which here nobody can find."""
        readable = {"$", *_NO_BODY, "form"} if media_type == _FORM else {"$", *_NO_BODY}
        return any(pattern[0] not in readable for pattern in self._declared)

    def _header(self, name: str, value: str) -> str:
        if any(pattern[:2] == ("headers", name) for pattern in self._declared):
            return self.placeholder(value)
        if name == "cookie":
            return "; ".join(self._cookie(*read_pair(pair)) for pair in value.split(";"))
        if name == "set-cookie":
            cookie = read_set_cookie(value)
            attributes = map(self._attribute, cookie.attributes)
            return "; ".join([self._cookie(cookie.name, cookie.value), *attributes])
        if name == "location":
            return self.target(value)
        if name in _SECRET_HEADERS or _SECRET_NAME.search(name.replace("-", "_")):
            return self.placeholder(value)
        return self.text(value)

    def _cookie(self, name: str, value: str) -> str:
        return f"{name}={self.placeholder(value)}"

    def _attribute(self, attribute: str) -> str:
        """Redact an attribute of a cookie: one that no browser heeds may be part of its value."""
        return self.text(attribute) if attribute_name(attribute) else self.placeholder(attribute)

    def _of_cookies(self, value: Json, path: Path) -> Json:
        """Redact what is compared of cookies: names, and attributes without any cookie's value."""
        if isinstance(value, dict):
            return {name: self._of_cookies(item, (*path, name)) for name, item in value.items()}
        if isinstance(value, list):
            return [self._of_cookies(item, path) for item in value]
        if not isinstance(value, str):
            return value
        return self.text(value) if path[-1] in ATTRIBUTES else self._hidden(value)

    def _token(self, found: re.Match[str]) -> str:
        run = found[0]
        is_token = run.startswith(("Bearer", "Basic")) or ("eyJ" in run and run.count(".") >= 2)
        return self.placeholder(run) if is_token else run

    def _card(self, found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found[0])
        return self.placeholder(digits) if _is_card(digits) else found[0]

    def _form(self, text: str) -> str:
        return "&".join(map(self._pair, text.split("&")))

    def _pair(self, pair: str) -> str:
        name, mark, value = pair.partition("=")
        return name + mark + self._field(name, value)

    def _field(self, name: str, value: str) -> str:
        plain = unquote_plus(value)
        if _SECRET_NAME.search(_field_name(name)) or self._is_declared_field(name):
            return self.placeholder(plain)
        cleaned = self.text(plain)
        return value if cleaned == plain else cleaned

    def _is_declared_field(self, name: str) -> bool:
        names = {("$", name), ("form", name)}
        return bool(self._declared) and any(pattern[:2] in names for pattern in self._declared)

    def _json(self, body: bytes) -> str:
        try:
            value = parse_json(body)
        except (InvalidJsonError, TooDeepError):
            if any(pattern[0] not in _NO_BODY for pattern in self._declared):
                return self._digest(body)
            return self._loose(body[:TEXT_MAX].decode("utf-8", "replace"))
        cleaned = self._clean(hide_at(value, BODY, self._declared, self._hidden))
        return body.decode() if cleaned is value else write_json(cleaned)

    def _clean(self, value: Json) -> Json:
        """Redact inside a value; gives the very same object when there was nothing to redact."""
        if isinstance(value, str):
            cleaned = self.text(value)
            return value if cleaned == value else cleaned
        if isinstance(value, int) and not isinstance(value, bool):
            digits = str(value)
            return self.placeholder(digits) if _is_card(digits) else value
        if isinstance(value, dict):
            members = {name: self._member(name, item) for name, item in value.items()}
            return value if _unchanged(value.values(), members.values()) else members
        if isinstance(value, list):
            elements = [self._clean(item) for item in value]
            return value if _unchanged(value, elements) else elements
        return value

    def _member(self, name: str, item: Json) -> Json:
        return self._hidden(item) if _SECRET_NAME.search(name) else self._clean(item)

    def _hidden(self, value: Json) -> Json:
        """Hide a value whatever it is; null and booleans tell nothing and stay."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and _PLACEHOLDER.fullmatch(value):
            return value  # hidden already, under this key: the same secret is to look the same
        return self.placeholder(value if isinstance(value, str) else write_json(value))

    def _loose(self, text: str) -> str:
        return self.text(_LOOSE.sub(self._assignment, _TAG.sub(self._tag, text)))

    def _tag(self, found: re.Match[str]) -> str:
        """Hide what a field of a page holds, where the name of the field stands apart from it."""
        names = (name.strip("\"'") for name in _TAG_NAME.findall(found[0]))
        if not any(_SECRET_NAME.search(_field_name(name)) for name in names):
            return found[0]
        return _TAG_VALUE.sub(lambda value: value[1] + f'"{self._unquoted(value[2])}"', found[0])

    def _unquoted(self, value: str) -> str:
        return self.placeholder(value.strip("\"'"))

    def _assignment(self, found: re.Match[str]) -> str:
        if not _SECRET_NAME.search(found[2]):
            return found[0]
        return f"{found[1]}{found[2]}{found[1]}{found[3]}{self.placeholder(found[4])}"

    def _multipart(self, text: str) -> str:
        """Redact each part by the name that its head gives it (RFC 7578 section 4.2)."""
        return "\r\n--".join(map(self._part, text.split("\r\n--")))

    def _part(self, part: str) -> str:
        head, blank, value = part.partition("\r\n\r\n")
        name = _PART_NAME.search(head)
        if not blank or name is None:
            return self._loose(part)
        return head + blank + self._field(name[1], value)


def hide_at(
    value: Json, path: Path, patterns: tuple[Pattern, ...], hide: Callable[[Json], Json]
) -> Json:
    """Hide what stands at places inside a value; the same object comes back if there are none."""
    if not patterns:
        return value
    if any(covers(pattern, path) for pattern in patterns):
        return hide(value)
    if isinstance(value, dict):
        members = {n: hide_at(item, (*path, n), patterns, hide) for n, item in value.items()}
        return value if _unchanged(value.values(), members.values()) else members
    if isinstance(value, list):
        elements = [hide_at(item, (*path, i), patterns, hide) for i, item in enumerate(value)]
        return value if _unchanged(value, elements) else elements
    return value


def _names_secret(step: Segment) -> bool:
    """Whether a step of a path is the name of a secret, or of a field of a page that holds one."""
    name = step.name if isinstance(step, Label) else step
    return isinstance(name, str) and _SECRET_NAME.search(name) is not None


def _field_name(name: str) -> str:
    """Give the innermost name of a form field: `user[password]` is a password."""
    return unquote_plus(name).rstrip("]").replace("[", ".").rpartition(".")[2]


def _unchanged(before: Iterable[Json], after: Iterable[Json]) -> bool:
    return all(old is new for old, new in zip(before, after, strict=True))


def _is_card(digits: str) -> bool:
    """Whether 13 to 19 digits pass the check of ISO/IEC 7812-1 and start as cards do."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456":
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
