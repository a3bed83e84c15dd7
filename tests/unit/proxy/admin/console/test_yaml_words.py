import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.console.yaml_words import Word, lines_of
from tests.support_console import DOCUMENT


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "  weight: 10%  # since Monday",
            [("key", "weight"), ("mark", ":"), ("number", "10%"), ("comment", "# since Monday")],
        ),
        ("- id: plans", [("mark", "-"), ("key", "id"), ("mark", ":")]),
        (
            'legacy: {instances: ["http://a:8081#x"]}',
            [("key", "legacy"), ("mark", ":"), ("mark", "{"), ("key", "instances"), ("mark", ":"),
             ("mark", "["), ("string", '"http://a:8081#x"'), ("mark", "]"), ("mark", "}")],
        ),
        ("path: /api/v1/plans", [("key", "path"), ("mark", ":")]),
        ("shadow: true", [("key", "shadow"), ("mark", ":"), ("literal", "true")]),
        ("until: 2027-03-01", [("key", "until"), ("mark", ":")]),
        ("hold: 15m", [("key", "hold"), ("mark", ":"), ("number", "15m")]),
    ],
)  # fmt: skip
def test_words_of_a_line(line: str, words: list[tuple[str, str]]) -> None:
    """Keys, numbers with units, strings, literals, marks and comments; the rest has no colour."""
    (found,) = lines_of(line)
    coloured = [tuple(word) for word in found if word.kind]
    assert coloured == words


@given(st.text())
def test_nothing_is_lost(text: str) -> None:
    """Whatever it is taken for, each line is all there."""
    lines = ["".join(word.text for word in line) for line in lines_of(text)]
    assert lines == text.splitlines()


def test_a_document_is_mostly_coloured() -> None:
    """Of the example most words have a kind."""
    words = [word for line in lines_of(DOCUMENT) for word in line if word.text.strip()]
    assert sum(bool(word.kind) for word in words) > len(words) / 2
    assert Word("comment", "# Both applications listen on loopback only.") in words
