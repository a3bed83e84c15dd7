"""What an answer says of its own address, turned into what the client can use.

`Location`, `Content-Location` and `Refresh` may name the upstream by its own address and by its own
paths, and cookies its domain and its paths. Whatever names something else passes as it is, octet by
octet, and so does whatever could be read in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from proxy.wire.memory import Remembered
from proxy.wire.path_rewrite import PathRewrite

# scheme "://" authority, or "//" authority, and the rest               RFC 3986, 4.1 and 4.2
# Without userinfo: an address with a name and a password in it is nobody's own.
_ABSOLUTE: Final = re.compile(
    rb"(?:(https?):)?//([A-Za-z0-9\-._~!$&'()*+;=\[\]:]+)([/?#].*)?", re.IGNORECASE
)
# Refresh = delay ";" "url=" reference          HTML, 4.2.5.3, "shared declarative refresh steps"
_REFRESH: Final = re.compile(
    rb"([0-9.]+ *[;,] *url *= *)(?:'([^']*)'|\"([^\"]*)\"|([^'\"].*))", re.IGNORECASE
)
# Octets that user agents leave out of a reference before they read it  WHATWG URL, 4.4
_AMBIGUOUS: Final = re.compile(rb"[\t\\]")

_MEANT: Final = re.compile(
    rb"^(?:location|content-location|refresh|set-cookie):", re.IGNORECASE | re.MULTILINE
)
# An application answers alike within a second, and most answers say nothing of the kind.
_IS_MEANT: Final[Remembered[bool]] = Remembered(
    lambda block: _MEANT.search(block) is not None, keep=2048, longest=2048
)
_PORTS: Final = {b"http": b":80", b"https": b":443"}


class References:
    """The upstream's own addresses, paths and domains, and what they are outside.

    `own` are its addresses as URLs, `scheme` the one by which it is asked. `path` is None where
    paths are not rewritten, `locations` says whether references are turned at all. `domains` maps
    a cookie's domain to another, or to nothing to leave it out.
    """

    __slots__ = ("_domains", "_locations", "_own", "_path", "_scheme")

    def __init__(
        self,
        own: Iterable[bytes] = (),
        scheme: bytes = b"http",
        path: PathRewrite | None = None,
        domains: Mapping[bytes, bytes] | None = None,
        *,
        locations: bool = True,
    ) -> None:
        self._own = frozenset(address for url in own for address in _addresses(url))
        self._scheme = scheme
        self._path = path
        self._domains: Mapping[bytes, bytes] = domains or {}
        self._locations = locations

    def back(self, block: bytes, scheme: bytes, host: bytes) -> bytes:
        """Turn the lines of an answer, each with its CRLF, for a client's scheme and host."""
        if not _IS_MEANT[block]:
            return block
        return b"\r\n".join(self._line(line, scheme, host) for line in block.split(b"\r\n"))

    def _line(self, line: bytes, scheme: bytes, host: bytes) -> bytes:
        name, _, value = line.partition(b": ")
        key = name.lower()
        if key == b"set-cookie":
            return b"%b: %b" % (name, self.cookie(value))
        if not self._locations:
            return line
        if key in (b"location", b"content-location"):
            return b"%b: %b" % (name, self.location(value, scheme, host))
        if key == b"refresh":
            return b"%b: %b" % (name, self._refresh(value, scheme, host))
        return line

    def location(self, value: bytes, scheme: bytes, host: bytes) -> bytes:
        """Turn one reference.

        The upstream's own address becomes the client's; towards the client's own, which an
        application knows from Host, only the path is turned. Another scheme than the one the
        upstream is asked by is meant: a redirect to https would else lead back to itself.
        """
        if _AMBIGUOUS.search(value):
            return value
        if value[:1] == b"/" and value[1:2] != b"/":
            return self._turned(value)
        found = _ABSOLUTE.fullmatch(value)
        if found is None:
            return value
        said, authority, rest = found[1], found[2], found[3] or b""
        if _address(said or self._scheme, authority) in self._own:
            if said is None or said.lower() == self._scheme:
                said, authority = said and scheme, host
            else:
                authority = host.rpartition(b":")[0] if _has_port(host) else host
        elif _address(said or scheme, authority) != _address(said or scheme, host):
            return value
        mark = b"" if said is None else said + b":"
        return b"%b//%b%b" % (mark, authority, self._turned(rest))

    def _turned(self, rest: bytes) -> bytes:
        """Turn the path of what follows an authority: path, query and fragment."""
        if self._path is None:
            return rest
        end = min((at for at in (rest.find(b"?"), rest.find(b"#")) if at >= 0), default=len(rest))
        return self._path.back(rest[:end] or b"/") + rest[end:]

    def _refresh(self, value: bytes, scheme: bytes, host: bytes) -> bytes:
        found = _REFRESH.fullmatch(value)
        if found is None:
            return value
        group = next(number for number in (2, 3, 4) if found[number] is not None)
        turned = self.location(found[group], scheme, host)
        return value[: found.start(group)] + turned + value[found.end(group) :]

    def cookie(self, value: bytes) -> bytes:
        """Turn domain and path of a Set-Cookie field's value (RFC 6265, 4.1).

        User agents end the first part at the first semicolon, quotes or not, so that is where
        attributes begin. A `__Host-` cookie counts with `Path=/` only, and keeps it.
        """
        first, *attributes = value.split(b";")
        whole_host = first.strip(b" \t").lower().startswith(b"__host-")
        kept = [first]
        for attribute in attributes:
            name, mark, said = attribute.partition(b"=")
            key, said = name.strip(b" \t").lower(), said.strip(b" \t")
            if mark and key == b"domain":
                domain = self._domains.get(said.lower().removeprefix(b"."))
                if domain == b"":
                    continue
                if domain is not None:
                    attribute = b"%b=%b" % (name, domain)
            elif mark and key == b"path" and self._path is not None and not whole_host:
                attribute = b"%b=%b" % (name, self._cookie_path(said))
            kept.append(attribute)
        return b";".join(kept)

    def _cookie_path(self, path: bytes) -> bytes:
        if self._path is None or path[:1] != b"/" or _AMBIGUOUS.search(path):
            return path
        return self._path.cookie_back(path)


def _addresses(url: bytes) -> list[bytes]:
    """Give all ways in which an address is named: with the port it says, or each scheme's own."""
    scheme, _, authority = url.partition(b"://")
    if _has_port(authority):
        return [_address(scheme, authority)]
    return [_address(scheme, authority) for scheme in _PORTS]


def _address(scheme: bytes, authority: bytes) -> bytes:
    port = b"" if _has_port(authority) else _PORTS[scheme.lower()]
    return authority.lower() + port


def _has_port(authority: bytes) -> bool:
    host, colon, port = authority.rpartition(b":")
    return bool(colon) and port.isdigit() and (b":" not in host or host.endswith(b"]"))
