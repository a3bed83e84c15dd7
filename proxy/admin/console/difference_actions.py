"""What the forms do that decide about differences."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console.difference_pages import DifferencePages, Sent
from proxy.admin.console.forms import Form, FormError
from proxy.admin.console.looking import Looking
from proxy.admin.console.render import difference_address
from proxy.admin.console.sending import Change, Sending
from proxy.admin.console.wording import plural
from proxy.admin.deciding import Deciding
from proxy.admin.schemas import Acceptance, Adoption
from proxy.admin.schemas import Change as Signed

Page = Callable[[Request, str, Sent], Awaitable[Response]]


class DifferenceActions:
    """Accept, mark as fixed, adopt."""

    def __init__(self, deciding: Deciding, pages: DifferencePages, sending: Sending) -> None:
        self._deciding = deciding
        self._pages = pages
        self._sending = sending

    async def accept(self, request: Request) -> Response:
        """Make ignore rules of a group of differences."""
        name = request.path_params["signature"]

        async def change(form: Form) -> str:
            wanted = Acceptance(
                author=form.author(),
                reason=form.reason(),
                owner=form.text("owner"),
                until=form.day("until"),
                paths=form.texts("path"),
                critical=form.text("critical") == "1",
            )
            record = await self._deciding.accept(name, wanted, form.expected_version())
            return f"Expected until {wanted.until}: ruled out with version {record.number}."

        return await self._on(request, name, "accept", change, self._pages.difference_page)

    async def decide(self, request: Request) -> Response:
        """Accept several groups, or mark them as fixed; the button that was pressed says which."""
        looking = Looking.read(request.query_params)

        async def change(form: Form) -> str:
            names = form.texts("group")
            if not names:
                raise FormError("Tick the groups that are meant.")
            match form.text("verb"):
                case "fixed":
                    signed = Signed(form.author(), form.reason())
                    for name in names:
                        await self._deciding.fixed(name, signed)
                    return f"{plural(len(names), 'group')} marked as fixed."
                case "accept":
                    return await self._accept_all(form, names)
                case _:
                    raise FormError("Press one of the buttons.")

        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await self._pages.differences_page(request, Sent(code, problem, "bulk", typed))

        return await self._sending.answer(request, change, to=looking.address, again=again)

    async def _accept_all(self, form: Form, names: Sequence[str]) -> str:
        wanted = Acceptance(
            author=form.author(),
            reason=form.reason(),
            owner=form.text("owner"),
            until=form.day("until"),
            paths=(),
            critical=form.text("critical") == "1",
        )
        records = await self._deciding.accept_all(names, wanted, form.expected_version())
        versions = " and ".join(str(record.number) for record in records)
        which = f"version{'s' if len(records) > 1 else ''} {versions}"
        return f"{plural(len(names), 'group')} expected until {wanted.until}, with {which}."

    async def fixed(self, request: Request) -> Response:
        """Say that a group of differences is mended."""
        name = request.path_params["signature"]

        async def change(form: Form) -> str:
            await self._deciding.fixed(name, Signed(form.author(), form.reason()))
            return "Marked as fixed. It opens again when it is seen again."

        return await self._on(request, name, "fixed", change, self._pages.difference_page)

    async def adopt(self, request: Request) -> Response:
        """Make a proposal a rule."""
        name = request.path_params["proposal"]

        async def change(form: Form) -> str:
            wanted = Adoption(
                author=form.author(),
                reason=form.reason(),
                owner=form.text("owner"),
                until=form.day("until") if form.text("until") else None,
            )
            record = await self._deciding.adopt(name, wanted, form.expected_version())
            return f"The rule is in force with version {record.number}."

        return await self._on(
            request, name, "adopt", change, self._pages.proposal_page, to="/differences"
        )

    async def _on(
        self,
        request: Request,
        name: str,
        failed: str,
        change: Change,
        page: Page,
        to: str | None = None,
    ) -> Response:
        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await page(request, name, Sent(code, problem, failed, typed))

        where = to or difference_address(name)
        return await self._sending.answer(request, change, to=where, again=again)
