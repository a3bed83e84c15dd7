"""Templates into answers: one environment, always escaping, with the filters that pages use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from proxy.admin.console import attention, sentences, wording
from proxy.admin.console.hosts import of_hosts
from proxy.admin.console.seal import Seal
from proxy.admin.principal import current
from proxy.control.status import DecisionRecord, Status

HERE = Path(__file__).parent
STATIC = HERE / "static"

NONCE_COOKIE = "cutover_form"
FLASH_COOKIE = "cutover_flash"
AUTHOR_COOKIE = "cutover_author"

_YEAR = 365 * 24 * 3600


class Renderer:
    """Renders pages and keeps the three cookies of the console."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self._environment = _environment()

    def page(
        self,
        request: Request,
        template: str,
        status: Status,
        *,
        code: int = 200,
        **values: Any,
    ) -> Response:
        """Render a page, or only its live part when htmx asks for a refresh.

        A refresh must neither eat the flash message of the page around it nor renew its form token.
        """
        refresh = is_refresh(request)
        nonce = request.cookies.get(NONCE_COOKIE) or self.seal.new_nonce()
        flash = "" if refresh else self.seal.open(request.cookies.get(FLASH_COOKIE, ""))
        html = self._environment.get_template(template).render(
            refresh=refresh,
            layout="_live.html" if refresh else "_page.html",
            here=values.pop("here", None) or own_address(request),
            status=status,
            now=status.at,
            notices=[*of_hosts(status), *attention.notices(status)],
            flash=flash,
            token=self.seal.token(_bound(nonce)),
            author=current().name or unquote(request.cookies.get(AUTHOR_COOKIE, "")),
            principal=current(),
            **values,
        )
        answer = HTMLResponse(html, status_code=code)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Vary"] = "HX-Request, Cookie"
        if NONCE_COOKIE not in request.cookies:
            self._keep(request, answer, NONCE_COOKIE, nonce)
        if flash:
            answer.delete_cookie(FLASH_COOKIE)
        return answer

    def fragment(self, template: str, **values: Any) -> Response:
        """Render a piece of a page, for a script that puts it somewhere."""
        html = self._environment.get_template(template).render(**values)
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    def bare(
        self, request: Request, template: str, code: int, session: str = "", **values: Any
    ) -> Response:
        """Render a page that tells nothing of how things stand, for whom nobody knows yet.

        Forms in it are for the `session` that begins with it, if one does.
        """
        nonce = request.cookies.get(NONCE_COOKIE) or self.seal.new_nonce()
        html = self._environment.get_template(template).render(
            token=self.seal.token(f"{nonce}:{session}" if session else _bound(nonce)), **values
        )
        answer = HTMLResponse(html, status_code=code)
        if NONCE_COOKIE not in request.cookies:
            self._keep(request, answer, NONCE_COOKIE, nonce)
        return answer

    def piece(self, template: str, **values: Any) -> Response:
        """Render a piece that a script puts into a page which is there already."""
        html = self._environment.get_template(template).render(**values)
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    def redirect(self, request: Request, where: str, *, flash: str, author: str) -> Response:
        """Send the browser on with GET after a form took effect, and say there what was done."""
        answer = Response(status_code=303, headers={"Location": where})
        self._keep(request, answer, FLASH_COOKIE, self.seal.close(flash))
        self._keep(request, answer, AUTHOR_COOKIE, quote(author, safe=""), seconds=_YEAR)
        return answer

    def is_own_form(self, request: Request, token: str) -> bool:
        """Whether a posted form was made by this console for this browser."""
        nonce = request.cookies.get(NONCE_COOKIE, "")
        return bool(nonce) and self.seal.is_token(_bound(nonce), token)

    def keep_session(self, request: Request, answer: Response, name: str, secret: str) -> None:
        """Give the browser the secret of a session, until it is closed."""
        self._keep(request, answer, name, secret)

    def _keep(
        self, request: Request, answer: Response, name: str, value: str, seconds: int | None = None
    ) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=seconds,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )


def is_refresh(request: Request) -> bool:
    """Whether htmx asks for the live part of a page again."""
    return request.headers.get("hx-request") == "true"


def _bound(nonce: str) -> str:
    """Bind a form to the session it is shown in: another one's token is of no use with it."""
    return f"{nonce}:{current().session}"


def own_address(request: Request) -> str:
    """The address of the page asked for, without its host: what a refresh asks for again."""
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.scope["path"], safe="/") + query


def route_address(route_id: str) -> str:
    """The address of a route's page, whatever its id is made of."""
    return f"/routes/{quote(route_id, safe='')}"


def difference_address(signature: str) -> str:
    """The address of a group of differences."""
    return f"/differences/{quote(signature, safe='')}"


def proposal_address(proposal: str) -> str:
    """The address of a proposed rule."""
    return f"/differences/proposals/{quote(proposal, safe='')}"


def by_day(
    decisions: Sequence[DecisionRecord],
) -> list[tuple[str, list[DecisionRecord]]]:
    """Put what was decided on one day together, in the order given."""
    return [(day, list(found)) for day, found in groupby(decisions, lambda d: wording.day(d.at))]


@cache
def asset(name: str) -> str:
    """The address of a static file, changing with its content so that no browser keeps an old one.

    A file that was not built (`npm run build`) has none: the pages work without scripts too.
    """
    file = STATIC / name
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
    return f"/static/{name}?v={digest[:12]}"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        weight=wording.weight,
        percent=wording.percent,
        latency=wording.latency,
        rate=wording.rate,
        count=wording.count,
        plural=wording.plural,
        size=wording.size,
        duration=wording.duration,
        ago=wording.ago,
        utc=wording.utc,
        iso=wording.iso,
        clock=wording.clock,
        by_day=by_day,
        sentence=sentences.sentence,
        route_address=route_address,
        difference_address=difference_address,
        proposal_address=proposal_address,
    )
    environment.globals.update(
        asset=asset,
        account=lambda: current().name,
        actions=sentences.ACTIONS,
        NOTHING=wording.NOTHING,
        zip=zip,
        percent=wording.percent,
        latency=wording.latency,
        rate=wording.rate,
    )
    return environment
