from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.budget import Budget
from shadow_compare.paths import parse_pattern, wildcard_text
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Verdict
from tests.support_formats import compared, told

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<meta name="csrf-token" content="m1"><link rel="stylesheet" href="/s.css?v=1">
<script nonce="n1">var STATE = {"user": 7, "tags": ["a", "b"]}; start();</script>
<style>p { color: red }</style></head>
<body class="home"><!-- made in 3 ms -->
<header><a href="/doku.php?id=start&amp;sectok=t1" title="Home">Home</a></header>
<main id="content"><h1 id="welcome">Welcome</h1>
<p class="lead">Everything <b>must</b> go, <a href="/sale">see the sale</a>.</p>
<table id="prices"><tr><th>Name</th><th>Price</th></tr>
<tr><td>Apple</td><td>1.00</td></tr><tr><td>Pear</td><td>2.00</td></tr>
<tr><td>Plum</td><td>3.00</td></tr></table>
<form id="login" method="post" action="/login"><input type="hidden" name="csrf" value="c1">
<label>Name <input name="user"></label><select name="lang"><option value="de" selected>German
<option value="en">English</select><textarea name="note">a
 b</textarea><button>Log in</button></form>
</main><footer><div class="info">Last modified: <time>2026-03-01</time> by <bdi>ann</bdi></div>
<img src="/beat?1772323200" alt=""></footer></body></html>"""

CHANGES = [
    ("Welcome<", "Welcome!<", ["value_changed html.main[#content].h1.text"]),
    ("<title>Shop", "<title>Shops", ["value_changed html.title.text"]),
    ('lang="en"', 'lang="de"', ["value_changed html.lang"]),
    ("2.00", "2.01", ["value_changed html.table[#prices].td[Price].text"]),
    ("<tr><td>Pear</td><td>2.00</td></tr>", "",
     ["missing html.table[#prices].td[Name].text", "missing html.table[#prices].td[Price].text"]),
    ('value="c1"', 'value="c2"', ["value_changed html.form[#login].input[csrf].value"]),
    ('type="hidden"', 'type="text"', ["missing html.form[#login].input[csrf].type"]),
    ('name="user"', 'name="login"', ["value_changed html.form[#login].input[user].name"]),
    ('method="post"', "", ["value_changed html.form[#login].method"]),
    ('action="/login"', 'action="/in"', ["value_changed html.form[#login].action"]),
    ("selected", "", ["missing html.form[#login].select[lang].option.selected"]),
    ("a\n b", "a\nb", ["value_changed html.form[#login].textarea[note].text"]),
    ("Log in", "Enter", ["value_changed html.form[#login].button[button].text"]),
    ('href="/sale"', 'href="/sales"', ["value_changed html.main[#content].p[.lead].a.href"]),
    ("sectok=t1", "sectok=t2", ["value_changed html.header.a.href[sectok]"]),
    ("/beat?1772323200", "/beat?1772323201", ["value_changed html.footer.img.src[?]"]),
    ("s.css?v=1", "s.css?v=2", ["value_changed html.link[stylesheet].href[v]"]),
    ('content="m1"', 'content="m2"', ["value_changed html.meta[csrf-token].content"]),
    ('"user": 7', '"user": 8', ["value_changed html.script.STATE.user"]),
    ('["a", "b"]', '["a", "c"]', ["value_changed html.script.STATE.tags[1]"]),
    ("start();", "begin();", ["value_changed html.script[0]"]),
    ("2026-03-01", "2026-03-02", ["value_changed html.footer.div[.info].time.text"]),
    ("Last modified:", "Last changed:", ["value_changed html.footer.div[.info].text"]),
    ("must</b> go", "must</b> stay", ["value_changed html.main[#content].p[.lead].text"]),
    ('<h1 id="welcome">Welcome</h1>', "<h2>Welcome</h2>",
     ["missing html.main[#content].h1.text", "extra html.main[#content].h2.text"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES)
def test_a_change_is_told_by_its_place(before: str, after: str, expected: list[str]) -> None:
    """Each change of what a page says, leads to or sends is one difference with a readable path."""
    assert told(PAGE, PAGE.replace(before, after, 1)) == expected
    rules = CompareRules.build(ignore=[{"path": each.partition(" ")[2]} for each in expected])
    assert told(PAGE, PAGE.replace(before, after, 1), rules=rules) == []


SAME = [
    ("\n<", "\r\n   <"),
    ("made in 3 ms", "made in 4 ms"),
    ('nonce="n1"', 'nonce="n2"'),
    ("color: red", "color: blue"),
    ('class="home"', 'class="home dark" style="x"'),
    ("<b>must</b>", "<strong>must</strong>"),
    ("<b>must</b>", "must"),
    ("</td>", ""),
    ("</option>", ""),
    (' id="welcome"', ' data-x="1"'),
    ('<input name="user">', '<input type=text name=user />'),
    ("&amp;sectok", "&sectok"),
    ("Everything", "&#69;verything"),
    ("by <bdi>ann</bdi>", "by <span>ann</span>"),
    ("<main id=\"content\">", "<div><main id=\"content\">"),
    ('"user": 7, "tags": ["a", "b"]', '"tags":["a","b"],"user":7'),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), SAME)
def test_what_nobody_reads_is_no_difference(before: str, after: str) -> None:
    """White space between lines, comments, styles, spelling of markup, inline elements."""
    assert compared(PAGE, PAGE.replace(before, after)).verdict is Verdict.MATCH


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("<p>foo bar", "<p>foobar", False),
        ("<p>foo bar", "<p>foo<span class=x>bar</span>", True),
        ("<p>foobar", "<p>f<i id=i>oob</i>ar", True),
        ("<p>foobar", "<p>foo<p>bar", False),
        ("<p>foobar", "<p>foo<br>bar", False),
        ("<p>a b", "<p>a&nbsp;b", False),
        ("<p>a b", "<p>a   \n b", True),
        ("<pre>a  b</pre>", "<pre>a b</pre>", False),
        ("<a href=/x>y</a>", "<a href=/x> y </a>", True),
        ("<li>a<li>b", "<li>b<li>a", False),
        ("<td>a", "<p>a", False),
        ("<p>a", "<div>a</div>", True),
        ("<input name=a checked>", "<input checked='' name=a>", True),
        ("<input name=a checked>", "<input name=a>", False),
        ("<input name=a value=1><input name=b value=2>",
         "<input name=a value=2><input name=b value=1>", False),
        ("", "<p> </p>", True),
        ("", "<p>a</p>", False),
    ],
)  # fmt: skip
def test_white_space_and_structure(old: str, new: str, same: bool) -> None:
    """Space counts where a reader sees it; elements count where they say what the text is."""
    assert (told(old, new) == []) is same
    assert (told(new, old) == []) is same


def test_other_order_of_rows_is_one_kind_in_each_column() -> None:
    """Rows that changed places are told as reordered, not as changed."""
    swapped = PAGE.replace("<tr><td>Apple</td><td>1.00</td></tr>", "").replace(
        "</table>", "<tr><td>Apple</td><td>1.00</td></tr></table>"
    )
    assert told(PAGE, swapped) == [
        "reordered html.table[#prices].td[Name].text",
        "reordered html.table[#prices].td[Price].text",
    ]


def test_table_of_names_and_values_is_told_by_name() -> None:
    """Without a heading row the name of a value stands in front of it; so does a term."""
    old = "<table><tr><th>Name<td>Ann<tr><th>Plan<td>Basic</table><dl><dt>Due<dd>1 May</dl>"
    assert told(old, old.replace("Basic", "Team")) == ["value_changed html.table.td[Plan].text"]
    assert told(old, old.replace("1 May", "2 May")) == ["value_changed html.dd[Due].text"]


@pytest.mark.parametrize("count", [1, 3, 40])
def test_one_word_in_one_template_is_one_place_however_often_it_is_shown(count: int) -> None:
    """Entries of a list differ in ids and texts, and share the places of their template."""
    page = "".join(
        f"<article id=post-{i}><h2 id=t{i}>Post {i}</h2><p class=by>Written by X</p></article>"
        for i in range(count)
    )
    found = compared(page, page.replace("Written by", "Posted by"))
    assert found.places == (("value_changed", "html.article[#post-*].p[.by].text"),)


def test_every_path_can_be_written_as_a_rule() -> None:
    """The wildcard path that a signature shows is a pattern that covers it."""
    found = compared(PAGE, PAGE.replace("e", "E"))
    assert found.places
    for difference in found.differences:
        assert parse_pattern(wildcard_text(difference.path))


def test_charset_of_a_page_may_differ_and_its_text_not() -> None:
    """Latin 1 and UTF-8 give the same text; the header tells the difference."""
    old, new = "<p>Zoë</p>".encode("latin-1"), "<p>Zoë</p>".encode()
    assert told(old, old, "text/html; charset=iso-8859-1") == []
    assert compared(old, new, "text/html").verdict is Verdict.MATCH  # UTF-8 where it is valid
    (lost,) = compared(new, old).differences
    assert (lost.old, lost.new) == ("Zoë", "Zo\ufffd")


def test_deep_nesting_is_read() -> None:
    """Ten thousand elements within each other, never closed, still have a text to compare."""
    old = "<div>" * 10_000 + "a"
    assert told(old, old[:-1] + "b") == ["value_changed html.div.text"]


def test_time_grows_linearly() -> None:
    """Four times the page takes about four times the time."""

    def seconds(rows: int) -> float:
        row = '<tr class=r><td>Item</td><td><a href="/i?id=1&amp;do=edit"><b>edit</b></a></td></tr>'
        old = "<table>" + (row + "\n") * rows + "</table><p>a</p>"
        started = process_time()
        assert told(old, old[:-5] + "b</p>") == ["value_changed html.p.text"]
        return process_time() - started

    assert seconds(8_000) < 8 * max(seconds(2_000), 0.1)


def test_pages_that_have_nothing_in_common_run_out_of_budget() -> None:
    """Over the budget nothing is said."""
    old = "".join(f"<p>{i}" for i in range(200))
    new = "".join(f"<p>x{i}" for i in range(200))
    assert compared(old, new, budget=Budget(nodes=100)).reason == "too_big"


MARKUP = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<div id=a>", "</div>", "<b>", "</b>", "a", " ", "b&amp;", "<td>", "<tr>",
         "<table>", "</table>", "<li>", "<a href=x>", "</a>", "<input name=q value=1>", "<br>",
         "<form>", "<select>", "<option selected>", "<script>x={\"a\":1}</script>", "<", "<!--",
         "-->", "<span class=c>", "<h1>", "<dl><dt>", "<dd>", "<th>"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(MARKUP)
def test_a_page_equals_itself_in_other_bytes(page: str) -> None:
    """A page is the same with a comment in front of it."""
    assert told(page, "<!-- x -->" + page) == []


@given(MARKUP, MARKUP)
def test_verdict_does_not_depend_on_the_side(old: str, new: str) -> None:
    """Swapping the sides keeps the verdict."""
    assert (told(old, new) == []) == (told(new, old) == [])


@given(MARKUP, st.sampled_from(["<p>zz</p>", "<a href=zz>", "<input name=zz>", "<img src=zz>"]))
def test_what_is_added_is_found(page: str, more: str) -> None:
    """Anything that a reader meets in addition is a difference."""
    if "<!--" not in page:
        assert told(more + page, page) != []
        assert told(page, more + page) != []
