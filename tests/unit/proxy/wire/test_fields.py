from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.fields import (
    HOP_BY_HOP,
    PROVENANCE,
    REQUEST_FIELDS,
    Role,
    request_field,
    response_field,
)
from proxy.wire.grammar import FIELD_LINE


@pytest.mark.parametrize(
    ("line", "name", "value", "written"),
    [
        (b"A:b", b"a", b"b", b"A: b"),
        (b"X-Odd-CASE: \t b  c \t", b"x-odd-case", b"b  c", b"X-Odd-CASE: b  c"),
        (b"Empty:", b"empty", b"", b"Empty: "),
        (b"Octets: \xff", b"octets", b"\xff", b"Octets: \xff"),
    ],
)
def test_reading(line: bytes, name: bytes, value: bytes, written: bytes) -> None:
    """A field keeps its name's case and its value's octets; only the blanks around it go."""
    for read in (request_field, response_field):
        field = read(line)
        assert field is not None
        assert (field.name, field.value, field.line) == (name, value, written)


@pytest.mark.parametrize("line", [b"", b"A", b"A : b", b" A: b", b"A: \x00", b": b", b"A: a\nB: b"])
def test_no_field(line: bytes) -> None:
    """What is no field line is none, in either direction."""
    assert request_field(line) is None
    assert response_field(line) is None


REQUEST_ROLES = [
    *((name, Role.DROP) for name in HOP_BY_HOP - {b"connection", b"transfer-encoding"}),
    *((name, Role.PROVENANCE) for name in PROVENANCE),
    (b"host", Role.HOST), (b"content-length", Role.CONTENT_LENGTH),
    (b"connection", Role.CONNECTION),
    (b"transfer-encoding", Role.TRANSFER_ENCODING), (b"expect", Role.EXPECT), (b"proxy", Role.DROP),
    (b"cutover-side", Role.ASKED), (b"cutover-timing", Role.ASKED),
    (b"cutover-shadow", Role.DROP), (b"cutover-", Role.DROP),
    (b"x-forwarded-for", Role.PROVENANCE), (b"x-forwarded-whatever", Role.PROVENANCE),
    (b"x-request-id", Role.REQUEST_ID), (b"traceparent", Role.TRACEPARENT),
    (b"accept", Role.FORWARD), (b"cookie", Role.FORWARD), (b"authorization", Role.FORWARD),
    (b"cutover", Role.FORWARD), (b"x-forwarded", Role.FORWARD), (b"x-proxy", Role.FORWARD),
    (b"x_custom", Role.COUNTED), (b"x.custom", Role.COUNTED), (b"a_b", Role.COUNTED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "role"), REQUEST_ROLES, ids=[r[0].decode() for r in REQUEST_ROLES]
)
def test_request_role(name: bytes, role: Role) -> None:
    """Each name has its role, in every case of its letters."""
    for spelling in (name, name.upper(), name.title()):
        field = request_field(spelling + b": 1")
        assert field is not None
        assert field.role is role


@pytest.mark.parametrize(
    "name", [name for name, role in REQUEST_ROLES if role is not Role.FORWARD and b"-" in name]
)
@pytest.mark.parametrize("mark", [b"_", b"."])
def test_other_spelling_is_dropped(name: bytes, mark: bytes) -> None:
    """A name that PHP would fold into one that means something to us never passes."""
    field = request_field(name.replace(b"-", mark) + b": 1")
    assert field is not None
    assert field.role is Role.DROP


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((name, Role.DROP) for name in HOP_BY_HOP - {b"connection", b"transfer-encoding"}),
        (b"connection", Role.CONNECTION), (b"transfer-encoding", Role.TRANSFER_ENCODING),
        (b"content-length", Role.CONTENT_LENGTH), (b"cutover-side", Role.DROP),
        (b"cutover-anything", Role.DROP), (b"set-cookie", Role.FORWARD), (b"host", Role.FORWARD),
        (b"x_custom", Role.FORWARD), (b"via", Role.FORWARD), (b"x-forwarded-for", Role.FORWARD),
    ],
)  # fmt: skip
def test_response_role(name: bytes, role: Role) -> None:
    """An answer's fields pass, but for those of one hop, of the framing, and ours."""
    field = response_field(name.title() + b": 1")
    assert field is not None
    assert field.role is role


def test_repr_names_line_and_role() -> None:
    """A field shows itself in a failed test."""
    assert repr(request_field(b"A: b")) == "Field(b'A: b', FORWARD)"


@given(
    st.one_of(
        st.binary(max_size=30),
        st.tuples(
            st.sampled_from([b"Host", b"x_y", b"A b", b"", b"Cookie", b"te\xe4"]),
            st.sampled_from([b":", b": ", b":\t", b" :", b"::", b""]),
            st.text("a \t\r\n\x00\x7f\xa0\xad\xe9;=", max_size=8).map(
                lambda text: text.encode("latin-1")
            ),
        ).map(b"".join),
    )
)
def test_a_line_is_a_field_where_the_grammar_says_so(line: bytes) -> None:
    """Name, value and the line we write are those of RFC 9112, 5, whatever short cut was taken."""
    found = FIELD_LINE.fullmatch(line)
    for read in (request_field, response_field):
        field = read(line)
        if found is None:
            assert field is None
        else:
            assert field is not None
            assert (field.name, field.value) == (found[1].lower(), found[2])
            assert field.line == found[1] + b": " + found[2]


def test_fields_are_shared() -> None:
    """A line seen before is the same object, whoever sends it."""
    for _ in range(2):
        _ = REQUEST_FIELDS[b"Accept: */*"]
    assert REQUEST_FIELDS[b"Accept: */*"] is REQUEST_FIELDS[b"Accept: */*"]
