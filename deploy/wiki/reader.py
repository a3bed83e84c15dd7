"""Somebody who reads a wiki: follows links, and comes back to pages that he knows."""

from __future__ import annotations

import html
import random
import re
from collections import Counter

import httpx

_LINK = re.compile(r'href="(/[^"#]*)')
_KNOWN_MAX = 150
_LOCKS = "do=edit"
"""Who asks for an editor takes a lock, and the page says until when: a GET that writes."""
_FIRST = (
    "/doku.php", "/doku.php?id=wiki:syntax", "/doku.php?id=wiki:dokuwiki", "/doku.php?do=index",
    "/doku.php?do=login", "/doku.php?do=register",
    "/doku.php?id=wiki:dokuwiki&do=revisions", "/doku.php?do=search&q=wiki", "/doku.php?id=nowhere",
    "/doku.php?id=wiki:syntax&do=export_raw", "/feed.php", "/lib/exe/css.php?t=dokuwiki",
    "/lib/exe/js.php?t=dokuwiki", "/lib/exe/fetch.php?media=wiki:dokuwiki-128.png",
)  # fmt: skip


class Reader:
    """Reads through the proxy; the same seed, the same pages."""

    def __init__(self, base_url: str, seed: int) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=20.0)
        self._random = random.Random(seed)  # noqa: S311 - to read the same pages again
        self._known = list(_FIRST)
        self._unread = list(_FIRST)

    def read(self, pages: int) -> Counter[int]:
        """Read so many pages; gives how often which status was answered."""
        statuses: Counter[int] = Counter()
        for _ in range(pages):
            path = self._unread.pop(0) if self._unread else self._random.choice(self._known)
            self._client.cookies.clear()
            answer = self._client.get(path)
            statuses[answer.status_code] += 1
            if answer.headers.get("content-type", "").startswith("text/html"):
                self._take_links(answer.text)
        return statuses

    def _take_links(self, page: str) -> None:
        for link in map(html.unescape, _LINK.findall(page)):
            is_new = _LOCKS not in link and link not in self._known
            if is_new and len(self._known) < _KNOWN_MAX:
                self._known.append(link)
                self._unread.append(link)
