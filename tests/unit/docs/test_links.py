from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support_docs import ROOT

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`[^`]*`")


def _ours() -> list[Path]:
    """Give every Markdown file of the repository; what is ignored is not ours."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if listed:
        return [ROOT / name for name in listed if (ROOT / name).exists()]
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("legacy_php/*.md")]


def _prose(text: str) -> str:
    return _INLINE.sub("", _FENCED.sub("", text))


def _anchors(path: Path) -> set[str]:
    """Give the anchors that GitHub makes of a file's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", _ours(), ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path: Path) -> None:
    """Every link to a file of the repository finds it, and every anchor its heading."""
    for found in _LINK.findall(_prose(path.read_text(encoding="utf-8"))):
        link = found[0] or found[1]
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in _anchors(target), link
