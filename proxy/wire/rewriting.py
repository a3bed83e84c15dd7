"""Rewriting for one route and side: what is asked otherwise, and what is answered otherwise.

The operator's words are checked when the rules are read and hold nothing that a client sent, so
that nothing written here can end a line or a head. What the application says of its own address is
turned back in `references`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from proxy.wire.fields import folded
from proxy.wire.path_rewrite import PathRewrite
from proxy.wire.references import References

_KEPT: Final = 2048
_LONGEST: Final = 2048
"""Blocks of fields that are remembered as rewritten, and the bytes of the longest: a few MB."""


class Edits:
    """Fields that are taken out of a block of lines, and lines that come after it.

    `fold` says that names with `_` and `.` are taken out with those with `-`, which PHP cannot
    tell apart.
    """

    __slots__ = ("_fold", "_lines", "_removed")

    def __init__(
        self, removed: Iterable[str], added: Iterable[tuple[str, str]], *, fold: bool = False
    ) -> None:
        self._fold = fold
        self._removed = frozenset(map(self._name, (name.encode() for name in removed)))
        self._lines = b"".join(
            b"%b: %b\r\n" % (name.encode(), value.encode()) for name, value in added
        )

    def removes(self, line: bytes) -> bool:
        """Whether this line, as we would write it, is taken out."""
        return self._name(line.partition(b":")[0]) in self._removed

    def apply(self, block: bytes) -> bytes:
        """Edit a block of lines, each with its CRLF."""
        key = (self, block)
        edited = _EDITED.get(key)
        if edited is None:
            edited = self.without(block) + self._lines
            _remember(key, edited)
        return edited

    def without(self, block: bytes) -> bytes:
        """Take fields out, and add none."""
        if not self._removed:
            return block
        kept = [line for line in block.split(b"\r\n") if not self.removes(line)]
        return b"\r\n".join(kept)

    def _name(self, name: bytes) -> bytes:
        return folded(name) if self._fold else name.lower()


_EDITED: Final[dict[tuple[object, bytes], bytes]] = {}


def _remember(key: tuple[object, bytes], edited: bytes) -> None:
    """Keep the result for a block; as in `fields.Remembered`, whoever fills it loses his own."""
    if len(key[1]) <= _LONGEST:
        if len(_EDITED) >= _KEPT:
            _EDITED.clear()
        _EDITED[key] = edited


class Rewriting:
    """All that is rewritten on one route towards one side; None stands for what is not.

    `host` is the Host that the upstream sees, empty for the client's own.
    """

    __slots__ = ("_answer", "_path", "_references", "_request", "host")

    def __init__(
        self,
        path: PathRewrite | None = None,
        host: bytes = b"",
        request: Edits | None = None,
        answer: Edits | None = None,
        references: References | None = None,
    ) -> None:
        self.host: Final = host
        self._path = path
        self._request = request
        self._answer = answer
        self._references = references

    def target(self, target: bytes) -> bytes:
        """Give the target that the upstream is asked for."""
        return target if self._path is None else self._path.target(target)

    def request(self, block: bytes) -> bytes:
        """Give the request's lines as the upstream gets them."""
        return block if self._request is None else self._request.apply(block)

    def answer(self, block: bytes, scheme: bytes, host: bytes) -> bytes:
        """Give the answer's lines as a client gets them that came by this scheme and host."""
        if self._references is not None:
            block = self._references.back(block, scheme, host)
        return block if self._answer is None else self._answer.apply(block)

    def interim(self, block: bytes) -> bytes:
        """Give the lines of an interim answer: what the final one hides is hidden here, too."""
        return block if self._answer is None else self._answer.without(block)
