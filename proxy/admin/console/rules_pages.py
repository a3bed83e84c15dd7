"""The pages about the rules: the document, its versions, what lies between two, and the editor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.checking import Checked, check
from proxy.admin.console.difference_pages import NOT_SENT, Sent
from proxy.admin.console.document_diff import DocumentDiff, document_diff
from proxy.admin.console.looking import number
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer
from proxy.admin.console.yaml_words import lines_of
from proxy.admin.interfaces import Controller
from proxy.admin.merging import merged
from proxy.admin.version_diff import version_diff
from proxy.control.status import VersionRecord
from proxy.errors import NotFoundError

PAGE: Final = 50
TOLD: Final = 5
"""Versions of others that are named when they came before an edit."""

_UNREADABLE = "The rules cannot be read right now; what is in force stays so."


@dataclass(frozen=True, slots=True)
class Theirs:
    """What others put in force while somebody edited: who and why, and what it changed.

    `both` is the edit with their changes put in, None where they changed the same lines.
    """

    base: int
    versions: Sequence[VersionRecord]
    changes: tuple[str, ...]
    diff: DocumentDiff
    both: str | None


class RulesPages:
    """Pages over the versions."""

    def __init__(self, controller: Controller, renderer: Renderer) -> None:
        self._controller = controller
        self._renderer = renderer
        self._checking = asyncio.Semaphore(2)

    async def rules(self, request: Request) -> Response:
        """The document in force and the versions before it."""
        status = await self._controller.survey()
        before = number(request.query_params.get("before"))
        versions = await read(self._controller.versions(limit=PAGE + 1, before=before))
        current = await self.version(status.version)
        return self._renderer.page(
            request,
            "rules.html",
            status,
            current=current,
            lines=() if current is None else lines_of(current.text),
            versions=None if versions is None else versions[:PAGE],
            before=before,
            has_more=len(versions or ()) > PAGE,
        )

    async def rules_version(self, request: Request) -> Response:
        """One version, with what it changed."""
        return await self.version_page(request)

    async def version_page(self, request: Request, sent: Sent = NOT_SENT) -> Response:
        """Render a version; after a form that failed with what was typed."""
        wanted, status = request.path_params["number"], await self._controller.survey()
        version = await self.version(wanted)
        if version is None:
            return await self._missing(request, f"There is no version {wanted} of the rules.")
        parent = await self.version(version.parent)
        current = await self.version(status.version)
        return self._renderer.page(
            request,
            "rules_version.html",
            status,
            code=sent.code,
            here=f"/rules/{wanted}" if sent.problem else None,
            problem=sent.problem,
            typed=sent.typed,
            version=version,
            parent=parent,
            lines=lines_of(version.text),
            changes=() if parent is None else await _between(parent, version),
            diff=None if parent is None else await _diff(parent.text, version.text),
            back=() if current is None else await _between(current, version),
        )

    async def compare(self, request: Request) -> Response:
        """What lies between any two versions."""
        query = request.query_params
        before, after = number(query.get("before")), number(query.get("after"))
        if before is None or after is None:
            return await self._missing(request, "Choose two versions to compare.")
        one, other = await self.version(before), await self.version(after)
        if one is None or other is None:
            missing = before if one is None else after
            return await self._missing(request, f"There is no version {missing} of the rules.")
        return self._renderer.page(
            request,
            "rules_compare.html",
            await self._controller.survey(),
            before=one,
            after=other,
            changes=await _between(one, other),
            diff=await _diff(one.text, other.text),
        )

    async def edit(self, request: Request) -> Response:
        """The document in a field, with what is wrong with it and what it would change."""
        return await self.edit_page(request)

    async def edit_page(self, request: Request, sent: Sent = NOT_SENT) -> Response:
        """Render the editor; with a text that was sent, whatever became of it."""
        status = await self._controller.survey()
        current = await self.version(status.version)
        if current is None:
            return await self._missing(request, _UNREADABLE, code=503)
        text = text_of(sent.typed, current)
        began = sent.typed.get("base" if sent.failed == "take" else "expected_version")
        base = number(began) or current.number
        theirs = None if base == current.number else await self._theirs(base, current, text)
        if sent.failed == "take" and theirs is not None and theirs.both is not None:
            text, theirs = theirs.both, None
        checked = await self.check(text, current)
        return self._renderer.page(
            request,
            "rules_edit.html",
            status,
            code=sent.code,
            here="/rules/edit",
            problem=sent.problem,
            typed=sent.typed,
            current=current,
            text=text,
            theirs=theirs,
            checked=checked,
            diff=await _diff(current.text, text) if checked.valid else None,
        )

    async def check_piece(self, typed: Mapping[str, str]) -> Response:
        """Say of a text that is being typed what is wrong with it, and what it would change."""
        current = await self.version(self._controller.brief().version)
        if current is None:
            return self._renderer.piece("_rules_check.html", checked=None, diff=None, current=None)
        text = text_of(typed, current)
        checked = await self.check(text, current)
        diff = await _diff(current.text, text) if checked.valid else None
        return self._renderer.piece(
            "_rules_check.html", checked=checked, diff=diff, current=current
        )

    async def check(self, text: str, current: VersionRecord) -> Checked:
        """Check a document, few at a time: a long one takes a while."""
        async with self._checking:
            return await asyncio.to_thread(check, text, current)

    async def version(self, wanted: int) -> VersionRecord | None:
        """One version, or None when it does not exist or cannot be read."""
        try:
            return await read(self._controller.version(wanted))
        except NotFoundError:
            return None

    async def _theirs(self, base: int, current: VersionRecord, text: str) -> Theirs | None:
        before = await self.version(base)
        if before is None:
            return None
        since = await read(self._controller.versions(limit=TOLD)) or ()
        return Theirs(
            base,
            [version for version in since if version.number > base],
            await _between(before, current),
            await _diff(before.text, current.text),
            await asyncio.to_thread(merged, before.text, text, current.text),
        )

    async def _missing(self, request: Request, text: str, *, code: int = 404) -> Response:
        status = await self._controller.survey()
        return self._renderer.page(request, "missing.html", status, code=code, text=text)


def text_of(typed: Mapping[str, str], current: VersionRecord) -> str:
    """Give the document that was sent, with the line ends of the one in force.

    Browsers send CR LF whatever was typed (HTML, 4.10.22): a document must not change by that.
    """
    text = typed.get("text")
    if text is None:
        return current.text
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return plain.replace("\n", "\r\n") if "\r\n" in current.text else plain


async def _between(before: VersionRecord, after: VersionRecord) -> tuple[str, ...]:
    return (await asyncio.to_thread(version_diff, before, after)).changes


async def _diff(before: str, after: str) -> DocumentDiff:
    return await asyncio.to_thread(document_diff, before, after)
