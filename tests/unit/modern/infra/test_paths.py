import pytest
from starlette.types import Receive, Scope, Send

from modern.infra.paths import WholePaths


@pytest.mark.parametrize(
    ("raw", "path", "seen"),
    [
        (b"/api/plans", "/api/plans", "/api/plans"),
        (b"/api/%70lans", "/api/plans", "/api/plans"),
        (b"/api/plans%0A", "/api/plans\n", "/api/plans\n\n\n"),
        (b"/api%2Fplans", "/api/plans", "/api/plans\n\n"),
        (b"/api%2fplans", "/api/plans", "/api/plans\n\n"),
        (None, "/api/plans", "/api/plans"),
    ],
)
async def test_a_path_that_means_two_things_is_made_one_that_is_nowhere(
    raw: bytes | None, path: str, seen: str
) -> None:
    """What a proxy and the router would read differently, the router does not find."""
    paths: list[str] = []

    async def router(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        paths.append(scope["path"])

    async def nothing(*_: object) -> None:
        raise AssertionError("nobody receives or sends here")

    scope = {"type": "http", "path": path, "raw_path": raw}
    await WholePaths(router)(scope, nothing, nothing)  # type: ignore[arg-type] # never called
    assert paths == [seen]
    assert scope["path"] == path
