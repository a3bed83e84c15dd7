"""An application that lives at another path than the one clients know."""

from __future__ import annotations

from typing import Final


class PathRewrite:
    """Takes `strip` from the front of a path and puts `prefix` before it; `back` is the reverse.

    Both are normal paths without a last slash, or empty. A normal path stays normal: what is cut
    off ends where a segment ends, and what remains begins with a slash.
    """

    __slots__ = ("prefix", "strip")

    def __init__(self, strip: bytes, prefix: bytes) -> None:
        self.strip: Final = strip
        self.prefix: Final = prefix

    def target(self, target: bytes) -> bytes:
        """Give the target that the upstream is asked for; the query goes through as it is.

        A path that does not begin with `strip` loses nothing; `*` is no path.
        """
        if target == b"*":
            return target
        path, mark, query = target.partition(b"?")
        rest = _below(path, self.strip)
        return (self.prefix + (path if rest is None else rest) or b"/") + mark + query

    def back(self, path: bytes) -> bytes:
        r"""Give the path under which the client finds what the upstream calls so.

        What is not below `prefix` has no such name, and stays. So does what would begin with two
        slashes, which name another host (RFC 3986, 4.2); browsers take `\\` for a slash.
        """
        rest = _below(path, self.prefix)
        if rest is None or (not self.strip and rest[1:2] in (b"/", b"\\")):
            return path
        return self.strip + rest or b"/"

    def cookie_back(self, path: bytes) -> bytes:
        """Give the path that a cookie is for, outside.

        The top goes without its slash: `/api/` would not go with a request for `/api`
        (RFC 6265, 5.1.4).
        """
        turned = self.back(path)
        return self.strip if self.strip and turned == self.strip + b"/" else turned


def _below(path: bytes, top: bytes) -> bytes | None:
    """Give what remains of a path below another; None when it lies elsewhere."""
    if not path.startswith(top):
        return None
    rest = path[len(top) :]
    return rest if not rest or rest.startswith(b"/") else None
