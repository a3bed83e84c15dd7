from __future__ import annotations

import gzip
import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support_commands import Result, Terminal, cutover

PHP = b'{"data":[{"id":1,"price":"9.90"},{"id":2,"price":"5.00"}],"at":1}'
PYTHON = b'{"data":[{"id":1,"price":9.9},{"id":2,"price":5.5}],"at":2}'


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Give two files that differ as PHP and Python do, and in one value."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_bytes(PHP)
    new.write_bytes(PYTHON)
    return str(old), str(new)


def test_equal_files_exit_with_zero(files: tuple[str, str]) -> None:
    """The same file twice is a match."""
    assert cutover("compare", files[0], files[0]) == Result(0, "MATCH\n", "")


def test_differences_are_a_tree_and_exit_with_one(files: tuple[str, str]) -> None:
    """Each place once, with what stands on either side."""
    options = ("--equivalence", "number_as_string", "--key", "$.data=id")
    result = cutover("compare", *files, *options)
    assert result.code == 1
    lines = [line.rstrip() for line in result.out.splitlines()]
    assert lines[0] == "MISMATCH"
    start = next(i for i, line in enumerate(lines) if "[id=2]" in line)
    assert [line.lstrip("│├└─ ") for line in lines[start : start + 5]] == [
        "[id=2]", ".price", "type changed", '- "5.00"', "+ 5.5",
    ]  # fmt: skip
    assert "fired    number_as_string  1" in lines


def test_a_terminal_gets_colours(files: tuple[str, str]) -> None:
    """Red for what legacy has, green for what modern has."""
    out = Terminal()
    cutover("compare", *files, out=out)
    assert "\x1b[31m- " in out.getvalue()


def test_what_is_declared_does_not_count_and_json_tells_all(files: tuple[str, str]) -> None:
    """With everything declared the files are the same; the JSON says what was ignored."""
    options = ("--equivalence", "number_as_string", "--ignore", "$.at", "--ignore", "$.data[1]")
    result = cutover("compare", *files, *options, "--json")
    found = json.loads(result.out)
    assert (result.code, found["verdict"], found["reason"]) == (0, "ignored", "rules")
    assert [each["path"] for each in found["ignored"]] == ["$.data[1].price", "$.at"]
    assert found["fired"]["number_as_string"] == 1


RULES = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
routes:
  - id: plans
    match: {path: /plans}
    compare: {equivalences: [number_as_string], ignore: [{path: $.at, reason: clock}]}
  - {id: rest, match: {path: /*}}
"""


def test_rules_of_a_route_are_those_of_the_rules_file(
    files: tuple[str, str], tmp_path: Path
) -> None:
    """What CI compares by is what production compares by."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    result = cutover("compare", *files, "--rules", str(rules), "--route", "plans", "--json")
    assert [each["path"] for each in json.loads(result.out)["differences"]] == ["$.data[1].price"]
    result = cutover("compare", *files, "--rules", str(rules))
    assert (result.code, "--route; " in result.err) == (2, True)
    result = cutover("compare", *files, "--rules", str(rules), "--route", "plan")
    assert "there is no route 'plan'" in result.err
    rules.write_text("version: 2")
    result = cutover("compare", *files, "--rules", str(rules))
    assert (result.code, "rules.yaml:1" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--zone", "Nowhere"), "not the name of a time zone"),
        (("--ignore", "x y"), "is not a path"),
        (("--key", "$.data"), "PATH=MEMBER"),
        (("--equivalence", "same"), "no equivalence `same`"),
        (("--route", "plans"), "--route goes with --rules"),
        (("--rules", "r.yaml", "--ignore", "$.a"), "--route goes with --rules"),
    ],
)
def test_what_makes_no_sense_exits_with_two(
    files: tuple[str, str], options: tuple[str, ...], told: str
) -> None:
    """And says what is wrong."""
    result = cutover("compare", *files, *options)
    assert result.code == 2
    assert told in result.err


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (b"[" * 500 + b"]" * 500, 2, "NOT_COMPARED (too_deep)"),
        (b'{"a":' + b"1" * 2_000_000 + b"}", 2, "NOT_COMPARED (too_big)"),
        (b"{", 1, "MISMATCH"),
        (b"", 1, "MISMATCH"),
        (b"\xff\xfe\x00", 1, "MISMATCH"),
    ],
)
def test_hostile_files_end_in_a_verdict(
    files: tuple[str, str], tmp_path: Path, content: bytes, code: int, told: str
) -> None:
    """What is too deep or too big is never called equal."""
    file = tmp_path / "hostile.json"
    file.write_bytes(content)
    result = cutover("compare", files[0], str(file), "--max-megabytes", "1")
    assert (result.code, told in result.out) == (code, True)


def test_missing_files_and_hosts_exit_with_two(files: tuple[str, str]) -> None:
    """What cannot be read is named, with the cause."""
    result = cutover("compare", files[0], "nowhere.json")
    assert (result.code, result.err) == (2, "cutover: nowhere.json: No such file or directory\n")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    result = cutover("compare", files[0], f"http://127.0.0.1:{port}/")
    assert (result.code, "Connection refused" in result.err) == (2, True)
    assert cutover("compare", "-", "-").code == 2


HTTP = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nSet-Cookie: a=1; HttpOnly\r\n\r\n"


def test_saved_answers_are_compared_with_their_heads(tmp_path: Path) -> None:
    """As `curl -i` saves them: status, headers and body; of several heads the last one counts."""
    old, new = tmp_path / "old.http", tmp_path / "new.http"
    old.write_bytes(HTTP % b"200 OK" + b"{}")
    new.write_bytes(
        b"HTTP/1.1 100 Continue\n\n" + HTTP.replace(b"; HttpOnly", b"") % b"200" + b"{}"
    )
    found = json.loads(cutover("compare", str(old), str(new), "--json").out)
    assert [each["path"].startswith("headers.set-cookie") for each in found["differences"]] == [
        True
    ]
    new.write_bytes(HTTP % b"500 No" + b"{}")
    found = json.loads(cutover("compare", str(old), str(new), "--json").out)
    assert found["differences"] == [
        {"kind": "value_changed", "path": "status", "old": "200", "new": "500"}
    ]
    new.write_bytes(b"HTTP/1.1 nonsense\r\n\r\n{}")
    assert "not the status line" in cutover("compare", str(old), str(new)).err


def test_coding_that_is_undone_already_is_no_obstacle(
    files: tuple[str, str], tmp_path: Path
) -> None:
    """`curl --compressed -i` prints the header and a plain body; a packed one is unpacked."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n"
    plain, packed = tmp_path / "plain.http", tmp_path / "packed.http"
    plain.write_bytes(head + PHP)
    packed.write_bytes(head + gzip.compress(PHP))
    assert cutover("compare", str(plain), files[0]).code == 0
    assert cutover("compare", str(packed), files[0]).code == 0


def test_standard_input_is_one_of_the_two(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its type is guessed by its first bytes."""
    stream = io.TextIOWrapper(io.BytesIO(b" " + PHP))
    monkeypatch.setattr("sys.stdin", stream)
    assert cutover("compare", "-", files[0]).code == 0


def test_type_can_be_said(tmp_path: Path) -> None:
    """Where nothing else tells it."""
    old, new = tmp_path / "a", tmp_path / "b"
    old.write_text("b,a\n1,2\n")
    new.write_text("b,a\n1,3\n")
    result = cutover("compare", str(old), str(new), "--type", "text/csv", "--json")
    assert json.loads(result.out)["differences"][0]["path"].startswith("csv")


@contextmanager
def answering(answer: bytes, seen: list[bytes]) -> Iterator[str]:
    """Answer one request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a?b=%20c"
        thread.join()


def test_urls_are_asked_as_they_are_written(files: tuple[str, str]) -> None:
    """With the fields that are given, and compared with status and headers."""
    seen: list[bytes] = []
    with answering(HTTP % b"200 OK" + PHP, seen) as url:
        result = cutover("compare", files[0], url, "-H", "Cookie: s=1", "--json")
    assert seen[0].startswith(b"GET /a?b=%20c HTTP/1.1\r\n")
    assert b"\r\nCookie: s=1\r\n" in seen[0]
    found = json.loads(result.out)["differences"]
    assert [each["path"].startswith("headers.set-cookie") for each in found] == [True] * len(found)


def test_answer_of_a_url_is_bounded(files: tuple[str, str]) -> None:
    """One that is larger than is read is not compared."""
    body = b'{"a":"' + b"x" * 1_500_000
    with answering(HTTP % b"200 OK" + body, []) as url:
        result = cutover(
            "compare", files[0], url, "--max-megabytes", "1", "--ignore", "headers.set-cookie"
        )
    assert (result.code, result.out) == (2, "NOT_COMPARED (too_big)\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("http://127.0.0.1:99999/x", "-"), "http://127.0.0.1:99999/x: Port out of range"),
        (("http://[::1", "-"), "http://[::1: Invalid IPv6 URL"),
        (("http:///x", "-"), "http:///x: has no host"),
        (("ftp://h/x", "-"), "ftp://h/x: is no http:// or https:// URL, and no file"),
        (("http://h/a b?c=ä", "-"), "write /a%20b?c=%C3%A4 for /a b?c=ä"),
        (("http://me:pw@h/", "-"), "h: say who you are with --header 'Authorization: …'"),
        (("http://h/", "-", "-H", "nothing"), "'nothing' is not 'Name: value' of a header"),
        (("http://h/", "-", "-H", "a b: c"), "is not 'Name: value' of a header"),
        (("http://h/", "-", "-H", "a: b\nc: d"), "is not 'Name: value' of a header"),
        (("http://h/", "-", "--timeout", "0"), "--timeout is above 0"),
        (("http://h/", "-", "--max-megabytes", "0"), "--max-megabytes at least 1"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anybody_is(
    arguments: tuple[str, ...], words: str
) -> None:
    """With what is wrong and how to write it; a password in a URL is not printed."""
    found = cutover("compare", *arguments)
    assert found.code == 2
    assert words in found.err
    assert "pw" not in found.err
