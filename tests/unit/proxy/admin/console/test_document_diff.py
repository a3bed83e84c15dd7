from proxy.admin.console.document_diff import ROWS_MAX, document_diff


def test_changed_lines_stand_side_by_side_with_what_differs() -> None:
    """Three lines around, each with its number; of a changed line the part that changed."""
    before = "".join(f"line {n}\n" for n in range(1, 21))
    after = before.replace("line 10\n", "line ten\n").replace("line 18\n", "")
    found = document_diff(before, after)
    told = [
        (row.kind, row.old and row.old.number, row.new and row.new.number) for row in found.rows
    ]
    assert told == [
        ("gap", None, None),
        ("equal", 7, 7), ("equal", 8, 8), ("equal", 9, 9),
        ("changed", 10, 10),
        ("equal", 11, 11), ("equal", 12, 12), ("equal", 13, 13),
        ("gap", None, None),
        ("equal", 15, 15), ("equal", 16, 16), ("equal", 17, 17),
        ("changed", 18, None),
        ("equal", 19, 18), ("equal", 20, 19),
    ]  # fmt: skip
    changed = found.rows[4]
    assert changed.old is not None
    assert changed.new is not None
    assert (changed.old.parts.own, changed.new.parts.own) == ("10", "ten")
    assert (found.added, found.removed, found.cut) == (1, 2, False)


def test_the_same_document_has_no_rows() -> None:
    """Nothing changed, nothing shown."""
    assert document_diff("a\nb\n", "a\nb\n").rows == ()


def test_another_document_is_cut() -> None:
    """Rows are bounded, whatever was pasted."""
    found = document_diff("", "x\n" * (ROWS_MAX + 5))
    assert (len(found.rows), found.cut, found.added) == (ROWS_MAX, True, ROWS_MAX + 5)
