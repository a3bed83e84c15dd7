"""A guard for the router: a path means one thing, to every server that it passes, or nothing."""

from starlette.types import ASGIApp, Receive, Scope, Send


class WholePaths:
    """ASGI middleware: `/api/plans%0A` is not `/api/plans`, nor is `/api%2Fplans`.

    A proxy in front tells these paths apart, and decides by that; Apache refuses encoded slashes
    for the same reason (AllowEncodedSlashes). But paths arrive here decoded, and the patterns of
    the router end in `$`, which in Python also matches before a last line feed. Before two it does
    not: with two more at its end such a path is found nowhere.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with a path that means one thing."""
        if scope["type"] == "http" and _is_ambiguous(scope):
            scope = {**scope, "path": scope["path"] + "\n\n"}
        await self._app(scope, receive, send)


def _is_ambiguous(scope: Scope) -> bool:
    raw_path: bytes = scope.get("raw_path") or b""
    return scope["path"].endswith("\n") or b"%2f" in raw_path.lower()
