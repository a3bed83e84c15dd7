from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proxy.wire.errors import RequestError
from proxy.wire.path_rewrite import PathRewrite
from proxy.wire.target import normal_path

MOVED = PathRewrite(b"/api", b"/v2")
STRIPPED = PathRewrite(b"/api", b"")
PREFIXED = PathRewrite(b"", b"/v2")


@pytest.mark.parametrize(
    ("rewrite", "target", "asked"),
    [
        (MOVED, b"/api/users", b"/v2/users"),
        (MOVED, b"/api/users?q=/api/x", b"/v2/users?q=/api/x"),
        (MOVED, b"/api", b"/v2"),
        (MOVED, b"/api/", b"/v2/"),
        (MOVED, b"/api?x", b"/v2?x"),
        (MOVED, b"/api?", b"/v2?"),
        (MOVED, b"/apiary", b"/v2/apiary"),
        (MOVED, b"/other", b"/v2/other"),
        (MOVED, b"/", b"/v2/"),
        (MOVED, b"*", b"*"),
        (STRIPPED, b"/api", b"/"),
        (STRIPPED, b"/api?x=1", b"/?x=1"),
        (STRIPPED, b"/api/", b"/"),
        (STRIPPED, b"/api/api/x", b"/api/x"),
        (STRIPPED, b"/api/%C3%A9", b"/%C3%A9"),
        (STRIPPED, b"/x?/api", b"/x?/api"),
        (PREFIXED, b"/", b"/v2/"),
        (PREFIXED, b"/v2", b"/v2/v2"),
    ],
)
def test_what_the_upstream_is_asked(rewrite: PathRewrite, target: bytes, asked: bytes) -> None:
    """Whole segments are taken away, the query is untouched, and no path is empty."""
    assert rewrite.target(target) == asked


@pytest.mark.parametrize(
    ("rewrite", "path", "outside"),
    [
        (MOVED, b"/v2/users", b"/api/users"),
        (MOVED, b"/v2", b"/api"),
        (MOVED, b"/v2/", b"/api/"),
        (MOVED, b"/v2x", b"/v2x"),
        (MOVED, b"/login", b"/login"),
        (MOVED, b"/v2//evil.test", b"/api//evil.test"),
        (STRIPPED, b"/login", b"/api/login"),
        (STRIPPED, b"/", b"/api/"),
        (STRIPPED, b"//evil.test", b"/api//evil.test"),
        (PREFIXED, b"/v2/users", b"/users"),
        (PREFIXED, b"/v2", b"/"),
        (PREFIXED, b"/v2/", b"/"),
        (PREFIXED, b"/v2//evil.test", b"/v2//evil.test"),
        (PREFIXED, b"/v2/\\evil.test", b"/v2/\\evil.test"),
        (PREFIXED, b"/users", b"/users"),
    ],
)
def test_what_the_client_calls_it(rewrite: PathRewrite, path: bytes, outside: bytes) -> None:
    """What has no name outside keeps its own, and no path becomes the name of a host."""
    assert rewrite.back(path) == outside


@pytest.mark.parametrize(
    ("rewrite", "path", "outside"),
    [
        (MOVED, b"/v2", b"/api"),
        (MOVED, b"/v2/", b"/api"),
        (MOVED, b"/v2/admin/", b"/api/admin/"),
        (MOVED, b"/", b"/"),
        (STRIPPED, b"/", b"/api"),
        (STRIPPED, b"/admin", b"/api/admin"),
        (PREFIXED, b"/v2/", b"/"),
        (PREFIXED, b"/v2", b"/"),
    ],
)
def test_cookies_go_with_the_top_itself(rewrite: PathRewrite, path: bytes, outside: bytes) -> None:
    """A cookie for everything of the application is sent with a request for its top, too."""
    assert rewrite.cookie_back(path) == outside


SEGMENTS = st.lists(
    st.sampled_from([b"api", b"v2", b"a", b"a.b", b"..a", b"%C3%A9", b";x", b"...", b"~", b"%2A"])
    | st.text("abz09-_~!$&'()+,=:@", min_size=1, max_size=5).map(str.encode),
    max_size=4,
)
TOPS = SEGMENTS.map(lambda parts: b"".join(b"/" + part for part in parts))


@st.composite
def normal_paths(draw: st.DrawFn, top: st.SearchStrategy[bytes] = TOPS) -> bytes:
    """Give paths as the parser gives them to routing."""
    raw = draw(top) + draw(TOPS) + draw(st.sampled_from([b"", b"/", b"/.", b"/x/../y", b"//"]))
    try:
        return normal_path(raw or b"/")
    except RequestError:
        assume(False)
        raise


@given(st.data(), TOPS, TOPS)
def test_a_normal_path_stays_normal(data: st.DataObject, strip: bytes, prefix: bytes) -> None:
    """It has one spelling, climbs nowhere, is not empty, and stays below the prefix."""
    assume(not strip or _is_normal(strip))
    assume(not prefix or _is_normal(prefix))
    path = data.draw(normal_paths(st.just(strip) | TOPS))
    asked = PathRewrite(strip, prefix).target(path)
    assert _is_normal(asked)
    assert asked == prefix or asked.startswith(prefix + b"/")
    assert not asked.startswith(b"//")


@given(st.data(), TOPS, TOPS)
def test_a_path_below_comes_back_as_it_was(
    data: st.DataObject, strip: bytes, prefix: bytes
) -> None:
    """What the application says of the very resource that was asked for names it outside."""
    path = data.draw(normal_paths(st.just(strip)))
    assume(path == strip or path.startswith(strip + b"/"))
    rewrite = PathRewrite(strip, prefix)
    back = rewrite.back(rewrite.target(path))
    assert back == path or (back, path) == (strip + b"/", strip)


@given(st.binary(max_size=20).map(lambda rest: b"/" + rest), TOPS, TOPS)
def test_no_path_becomes_the_name_of_a_host(path: bytes, strip: bytes, prefix: bytes) -> None:
    """Whatever an application says: it was one before, or it is none."""
    assume(path[1:2] not in (b"/", b"\\"))
    assert PathRewrite(strip, prefix).back(path)[1:2] not in (b"/", b"\\")


def _is_normal(path: bytes) -> bool:
    try:
        return normal_path(path) == path
    except RequestError:
        return False
