from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.wire import rewriting
from proxy.wire.path_rewrite import PathRewrite
from proxy.wire.references import References
from proxy.wire.rewriting import Edits, Rewriting

BLOCK = b"Accept: */*\r\nX-Env: dev\r\nX_Env: dev\r\nx-env: test\r\nCookie: a=1\r\n"


def test_fields_are_removed_in_every_case_and_added_at_the_end() -> None:
    """What remains keeps its order and spelling."""
    edits = Edits(["X-ENV"], [("X-Env", "prod"), ("X-Tag", "a")])
    assert edits.apply(BLOCK) == (
        b"Accept: */*\r\nX_Env: dev\r\nCookie: a=1\r\nX-Env: prod\r\nX-Tag: a\r\n"
    )


def test_folding_removes_what_php_takes_for_the_same() -> None:
    """A client cannot bring its own X_Env beside ours."""
    edits = Edits(["X-Env"], [], fold=True)
    assert edits.apply(BLOCK) == b"Accept: */*\r\nCookie: a=1\r\n"


def test_nothing_is_left_of_a_block_that_is_all_removed() -> None:
    """An empty block stays one: no line, not an empty one."""
    assert Edits(["A"], []).apply(b"A: 1\r\na: 2\r\n") == b""
    assert Edits(["A"], []).apply(b"") == b""
    assert Edits([], [("B", "")]).apply(b"") == b"B: \r\n"
    assert Edits([], [("B", "1")]).apply(b"A: 1\r\n") == b"A: 1\r\nB: 1\r\n"


def test_one_block_is_remembered_for_each_of_several_edits() -> None:
    """And never more blocks than the bound."""
    one, other = Edits(["A"], []), Edits(["B"], [])
    for _ in range(2):
        assert one.apply(b"A: 1\r\nB: 2\r\n") == b"B: 2\r\n"
        assert other.apply(b"A: 1\r\nB: 2\r\n") == b"A: 1\r\n"
    for number in range(rewriting._KEPT + 10):
        one.apply(b"C: %d\r\n" % number)
    assert len(rewriting._EDITED) <= rewriting._KEPT
    long = b"C: " + b"x" * rewriting._LONGEST + b"\r\n"
    one.apply(long)
    assert (one, long) not in rewriting._EDITED


def test_interim_answers_lose_what_the_final_one_loses() -> None:
    """And get nothing of what is added to it."""
    edited = Rewriting(answer=Edits(["Server"], [("X-Via", "us")]))
    block = b"Link: </a.css>\r\nServer: x\r\n"
    assert edited.interim(block) == b"Link: </a.css>\r\n"
    assert edited.answer(block, b"http", b"h") == b"Link: </a.css>\r\nX-Via: us\r\n"


def test_what_is_set_is_not_turned() -> None:
    """An operator's own Location is meant as it stands."""
    moved = PathRewrite(b"/api", b"/v2")
    whole = Rewriting(
        path=moved,
        host=b"legacy.internal",
        answer=Edits(["Location"], [("Location", "/v2/fixed")]),
        references=References(path=moved),
    )
    assert whole.target(b"/api/x") == b"/v2/x"
    assert whole.answer(b"Location: /v2/x\r\n", b"http", b"h") == b"Location: /v2/fixed\r\n"


def test_a_rewriting_of_nothing_changes_nothing() -> None:
    """Each part may be absent."""
    nothing = Rewriting()
    assert nothing.host == b""
    assert nothing.target(b"/a?b") == b"/a?b"
    assert nothing.request(BLOCK) == nothing.interim(BLOCK) == BLOCK
    assert nothing.answer(BLOCK, b"http", b"h") == BLOCK


NAMES = st.sampled_from(["A", "a", "B-C", "b_c", "B.C", "D"])


@given(
    st.lists(st.tuples(NAMES, st.text("xyz: ", max_size=5).map(str.strip)), max_size=8),
    st.lists(NAMES, max_size=3),
    st.lists(st.tuples(NAMES, st.just("new")), max_size=3),
    st.booleans(),
)
def test_edits_agree_with_a_list_of_fields(
    fields: list[tuple[str, str]], removed: list[str], added: list[tuple[str, str]], fold: bool
) -> None:
    """As if each field had been looked at by itself."""

    def name(text: str) -> str:
        return text.lower().replace("_", "-").replace(".", "-") if fold else text.lower()

    gone = {name(each) for each in removed}
    left = [field for field in fields if name(field[0]) not in gone] + added

    def block(pairs: list[tuple[str, str]]) -> bytes:
        return "".join(f"{each}: {value}\r\n" for each, value in pairs).encode()

    assert Edits(removed, added, fold=fold).apply(block(fields)) == block(left)
