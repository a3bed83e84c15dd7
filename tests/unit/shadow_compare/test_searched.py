from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.searched import HEAD_MAX, VALUE_MAX, VALUES_MAX, head_of, with_values, words_of


def test_a_group_is_found_by_route_kind_and_place() -> None:
    """A kind by its name as well as by its words, and nothing by its case."""
    head = head_of("Plans", ("value_changed",), ("$.data[*].Price", "$.Straße"))
    for search in ("PLANS", "value_changed", "Value changed", "].price", "STRASSE"):
        assert all(word in head for word in words_of(search)), search


def test_values_are_added_the_latest_first() -> None:
    """Each stands once, however often it is seen."""
    searched = with_values(head_of("r", (), ()), ['"29.00"', "29.5"])
    assert searched.split("\n") == ["r", '"29.00"', "29.5"]
    assert with_values(searched, ["30", "29.5"]).split("\n") == ["r", "30", "29.5", '"29.00"']


def test_the_oldest_values_give_way() -> None:
    """Whatever is seen, a row stays short; what was seen last is found."""
    searched = head_of("r", (), ())
    for number in range(1_000):
        searched = with_values(searched, [f"value-{number}"])
    assert "value-999" in searched
    assert "value-0\n" not in searched
    assert len(searched) <= HEAD_MAX + VALUES_MAX + 1


def test_many_long_places_are_cut_between_two() -> None:
    """The first ones are found by their whole names."""
    paths = [f"$.{letter * 900}" for letter in "abcdefgh"]
    head = head_of("r", ("missing",), paths)
    assert len(head) <= HEAD_MAX
    assert head.endswith("d" * 900)


@given(st.lists(st.text()), st.lists(st.text()), st.text())
def test_any_text_keeps_the_form_and_is_found_again(
    paths: list[str], values: list[str], search: str
) -> None:
    """Lines stay lines, sizes stay bounded, and words that went in are words that are found."""
    searched = with_values(head_of("r", ("extra",), paths), [*values, search])
    head, *lines = searched.split("\n")
    assert head.startswith("r extra")
    assert len(head) <= HEAD_MAX
    assert sum(map(len, lines)) <= VALUES_MAX
    assert all(0 < len(line) <= VALUE_MAX for line in lines)
    assert with_values(searched, []) == searched
    assert "\0" not in searched
    fits = not values and len(" ".join(search.split())) < VALUE_MAX // 4
    assert not fits or all(word in searched for word in words_of(search))
