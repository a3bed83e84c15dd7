"""What PHP prints into an answer when something is amiss: taken out, and compared by itself.

Without that, one undefined variable on one side would make a broken JSON text of a sound one, and
hide whatever else differs.
"""

from __future__ import annotations

import html
import re
from typing import Final

from shadow_compare.formats.pieces import Manner, Pieces, compare_pieces
from shadow_compare.paths import NOTICE, Path
from shadow_compare.structure import Walk

_KIND = (
    rb"(?:Notice|Warning|Deprecated|Strict Standards|Catchable fatal error"
    rb"|Recoverable fatal error|Fatal error|Parse error)"
)
_MARKED: Final = re.compile(
    rb"(?:<br />\r?\n)?<b>" + _KIND + rb"</b>:  (?>(?:[^<]|<(?!b>)){0,4000})"
    rb"<b>[^<]{1,1000}</b> on line <b>\d{1,7}</b>(?:<br />\r?\n?)?"
)
"""As with `html_errors` on, anywhere: nobody else writes this."""
_PLAIN: Final = re.compile(
    rb"\s*+(?:PHP )?" + _KIND + rb":  .{0,2000}? in [^\r\n]{1,1000}? on line \d{1,7}\r?\n",
    re.DOTALL,
)
"""As with `html_errors` off, only in front of everything else."""
_TAGS: Final = re.compile(r"<[^>]{0,200}>")


def may_have_notices(body: bytes) -> bool:
    """Whether a body is worth looking at: each notice says on which line it arose."""
    return b" on line " in body


def cut_notices(body: bytes) -> tuple[bytes, list[str]]:
    """Give a body without the notices in it, and these as text."""
    notices: list[str] = []
    position = 0
    while (found := _PLAIN.match(body, position)) is not None:
        notices.append(_text(found[0]))
        position = found.end()
    body = body[position:]
    if b" on line <b>" not in body:
        return body, notices
    notices += map(_text, _MARKED.findall(body))
    return _MARKED.sub(b"", body), notices


def compare_notices(walk: Walk, old: list[str], new: list[str]) -> None:
    """Take down what one side complains of and the other does not."""
    compare_pieces(walk, _pieces(old), _pieces(new), Manner(lambda path: path, _compare))


def _pieces(notices: list[str]) -> Pieces:
    return Pieces([("notice", text) for text in notices], [NOTICE] * len(notices))


def _compare(walk: Walk, _slot: str, old: str, new: str, path: Path) -> None:
    walk.compare(old, new, path)


def _text(notice: bytes) -> str:
    text = html.unescape(_TAGS.sub("", notice.decode("utf-8", "replace")))
    return " ".join(text.split())
