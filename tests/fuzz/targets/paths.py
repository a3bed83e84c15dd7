"""Request targets: one spelling for each resource, found by another, slower way as well."""

from __future__ import annotations

import re
from typing import Final

from proxy.wire.errors import RequestError
from proxy.wire.target import normal_path, read_request_line

_ALLOWED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/"
)
_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_DANGEROUS: Final = frozenset(b"\x00/\\")
_DOT: Final = [(ord("."), False)]
_DOTS: Final = re.compile(rb"\.{1,2}(?:;|$)")


def one(data: bytes) -> None:
    """Normalise a path, compare it with the reference, and read it in a request line."""
    given = _normal(data)
    assert given == reference(data), "the reference comes to another path"
    if given is not None:
        _check(given)
        assert normal_path(given) == given, "the normal path is not normal"
    _check_line(data, given)


def _normal(path: bytes) -> bytes | None:
    try:
        return normal_path(path)
    except RequestError:
        return None


def _check(path: bytes) -> None:
    """Say what a normal path never has."""
    assert path.startswith(b"/")
    assert b"//" not in path
    for segment in path.split(b"/"):
        assert not _DOTS.match(segment), segment
    for found in re.finditer(rb"%(..)", path):
        code = int(found[1], 16)
        assert found[1] == b"%02X" % code
        assert code not in _UNRESERVED | _DANGEROUS


def _check_line(data: bytes, path: bytes | None) -> None:
    """Say that a line asks for the normal path, with its query as it was."""
    try:
        line = read_request_line(b"GET " + data + b" HTTP/1.1")
    except RequestError:
        return
    if line.authority is None:
        raw, mark, query = data.partition(b"?")
        path = path if not mark else _normal(raw)
        assert path is not None, "a path that is refused alone is taken in a line"
        assert line.target == path + mark + query
    assert line.path.encode() == line.target.partition(b"?")[0]


def reference(path: bytes) -> bytes | None:
    """Normalise octet by octet; None where the path is refused."""
    octets = _octets(path)
    if octets is None or not path.startswith(b"/"):
        return None
    segments: list[list[_Octet]] = [[]]
    for octet in octets[1:]:
        if octet == (ord("/"), False):
            segments.append([])
        else:
            segments[-1].append(octet)
    kept: list[bytes] = []
    for segment in segments:
        if _is_dots(segment):
            if segment not in (_DOT, [*_DOT, *_DOT]) or len(segment) - 1 > len(kept):
                return None  # in disguise, with parameters, or above the root
            del kept[len(kept) - len(segment) + 1 :]
        elif segment:
            kept.append(b"".join(_written(octet) for octet in segment))
    open_end = not segments[-1] or _is_dots(segments[-1])
    return b"/" + b"/".join(kept) + (b"/" if kept and open_end else b"")


_Octet = tuple[int, bool]
"""One octet of a path, and whether it was written in its encoding."""


def _is_dots(segment: list[_Octet]) -> bool:
    """Whether a segment is `.` or `..`, with or without parameters, however it was written."""
    semicolon = (ord(";"), False)
    name = segment[: segment.index(semicolon)] if semicolon in segment else segment
    return bytes(code for code, _ in name) in (b".", b"..")


def _written(octet: _Octet) -> bytes:
    code, encoded = octet
    return b"%%%02X" % code if encoded and code not in _UNRESERVED else bytes((code,))


def _octets(path: bytes) -> list[_Octet] | None:
    """Decode into (octet, whether it was encoded); None where that is refused."""
    octets: list[_Octet] = []
    at = 0
    while at < len(path):
        if path[at] != ord("%"):
            if path[at] not in _ALLOWED:
                return None
            octets.append((path[at], False))
            at += 1
            continue
        if re.fullmatch(rb"[0-9A-Fa-f]{2}", path[at + 1 : at + 3]) is None:
            return None
        octets.append((int(path[at + 1 : at + 3], 16), True))
        at += 3
    encoded = [code if was else -1 for code, was in octets]
    if any(code in _DANGEROUS for code in encoded) or _is_overlong(encoded):
        return None
    return octets


def _is_overlong(codes: list[int]) -> bool:
    """Whether two octets begin a sequence of UTF-8 that is longer than needed (RFC 3629, 4)."""
    return any(
        first in (0xC0, 0xC1)
        or (first == 0xE0 and 0x80 <= second < 0xA0)
        or (first in (0xF0, 0xF8, 0xFC) and 0x80 <= second < 0x90)
        for first, second in zip(codes, [*codes[1:], -1], strict=False)
    )
