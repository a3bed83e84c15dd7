"""How bodies are read before they are compared: one module for each kind of content.

A reader turns a body into a tree of JSON values, which the walk then compares like any other. What
has no reader is compared as a text, or by its digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from shadow_compare.formats.errors import UnreadableError
from shadow_compare.formats.json import read_json
from shadow_compare.json_value import Json
from shadow_compare.normalize import Answer, Content

Reader = Callable[[bytes, Answer], Json]
"""Reads the decoded body of an answer; raises UnreadableError, or NotComparableError."""

READERS: Final[Mapping[Content, Reader]] = {Content.JSON: read_json}

__all__ = ["READERS", "Reader", "UnreadableError", "content_of"]


def content_of(old: Answer, new: Answer) -> Content:
    """Give how two bodies are compared with one another: JSON when one side says so."""
    contents = {old.content, new.content}
    for content in (Content.JSON, Content.BYTES):
        if content in contents:
            return content
    return Content.TEXT
