"""A guard for the router, whose patterns take a path and the same path with a line feed for one."""

from starlette.types import ASGIApp, Receive, Scope, Send


class WholePaths:
    """ASGI middleware: `/api/plans%0A` is not `/api/plans`, to no proxy and so not here either.

    The patterns of the router end in `$`, which in Python also matches before one last line feed.
    Before two it does not, so such a path gets another and is found nowhere.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with a path that means one thing."""
        if scope["type"] == "http" and scope["path"].endswith("\n"):
            scope = {**scope, "path": scope["path"] + "\n"}
        await self._app(scope, receive, send)
