"""What the elements of HTML mean to a reader: which text flows on, what has a name, what leads on.

Left out on purpose: `class`, `id`, `style`, `data-*`, event handlers. They serve to name a place,
or say how it looks; a page that reads the same and leads to the same is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VOID: Final = frozenset(
    {"area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input",
     "keygen", "link", "meta", "param", "source", "track", "wbr"}
)  # fmt: skip
"""Elements without an end tag."""

INLINE: Final = frozenset(
    {"abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
     "font", "i", "ins", "kbd", "mark", "nobr", "q", "rp", "rt", "ruby", "s", "samp", "small",
     "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr"}
)  # fmt: skip
"""Their text flows on in that around them, unless a class or an id gives them a place."""

FLOWING: Final = INLINE | {"a", "button", "label", "time", "img", "input", "select", "textarea"}
"""They stand within a line."""

ROLES: Final = frozenset(
    {"a", "button", "caption", "dd", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "label", "legend",
     "li", "option", "pre", "summary", "td", "textarea", "th", "title"}
)  # fmt: skip
"""What text can be; all other text is just text. A heading that becomes a paragraph differs."""

VERBATIM: Final = frozenset({"pre", "textarea"})
"""Roles whose white space counts."""

UNREAD: Final = frozenset({"style", "noframes", "noembed", "iframe"})
"""What is in them is nothing that anybody reads."""

FIELDS: Final = frozenset({"input", "select", "textarea", "button"})

ENDED_BY_NEXT: Final[dict[str, frozenset[str]]] = {
    "li": frozenset({"li"}),
    "p": frozenset({"p"}),
    "option": frozenset({"option"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "td": frozenset({"td", "th"}),
    "th": frozenset({"td", "th"}),
    "tr": frozenset({"td", "th", "tr"}),
}
"""Whose end tag may be left out, because the next such element ends them."""

ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "a": ("href", "title", "target", "download"),
    "abbr": ("title",),
    "area": ("href", "alt", "target"),
    "audio": ("src",),
    "base": ("href", "target"),
    "button": ("type", "value", "disabled", "formaction", "formmethod", "title"),
    "data": ("value",),
    "details": ("open",),
    "dialog": ("open",),
    "embed": ("src",),
    "form": ("enctype", "target"),
    "frame": ("src",),
    "html": ("lang", "dir"),
    "iframe": ("src", "title"),
    "img": ("src", "srcset", "alt", "title"),
    "input": ("type", "value", "checked", "disabled", "readonly", "required", "placeholder",
              "maxlength", "min", "max", "step", "pattern", "src", "alt", "title"),
    "li": ("value",),
    "link": ("href", "media"),
    "meta": ("content", "charset"),
    "meter": ("value", "min", "max"),
    "object": ("data",),
    "ol": ("start", "type", "reversed"),
    "option": ("value", "disabled"),
    "progress": ("value", "max"),
    "script": ("src", "type"),
    "select": ("multiple", "disabled", "required"),
    "source": ("src", "srcset"),
    "td": ("colspan", "rowspan"),
    "textarea": ("disabled", "readonly", "required", "placeholder", "maxlength"),
    "th": ("colspan", "rowspan"),
    "time": ("datetime",),
    "track": ("src",),
    "video": ("src", "poster"),
}  # fmt: skip
"""What is compared of an element besides its text."""

URLS: Final = frozenset({"href", "src", "action", "formaction", "data", "poster"})

BOOLEAN: Final = frozenset(
    {"checked", "disabled", "readonly", "required", "multiple", "open", "reversed", "download"}
)

DEFAULTS: Final = frozenset(
    {("input.type", "text"), ("button.type", "submit"), ("script.type", "text/javascript"),
     ("form.enctype", "application/x-www-form-urlencoded"), ("td.colspan", "1"),
     ("th.colspan", "1"), ("td.rowspan", "1"), ("th.rowspan", "1")}
)  # fmt: skip
"""Written or left out, they mean the same."""

LANDMARKS: Final = frozenset(
    {"article", "aside", "dialog", "fieldset", "footer", "form", "header", "main", "nav",
     "select", "table"}
)  # fmt: skip
"""Elements that are named in every path through them."""

UNNAMED_BY_ID: Final = frozenset(
    {"a", "body", "h1", "h2", "h3", "h4", "h5", "h6", "html", "option", "span", "label"}
)
"""Their ids come from the content (targets of links), or change with the page."""

STATES: Final = frozenset(
    {"active", "current", "disabled", "even", "first", "hidden", "last", "odd", "open", "selected",
     "visited"}
)  # fmt: skip
"""Classes that say in which state an element is, not which it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """All of that about one element, found by one look.

    `ended` are those that it ends when their end tag was left out.
    """

    is_inline: bool = False
    flows: bool = False
    is_void: bool = False
    role: str = ""
    ended: frozenset[str] = frozenset()
    attributes: tuple[str, ...] = ()


_ALL = (
    VOID | FLOWING | ROLES | UNREAD | FIELDS | LANDMARKS | ENDED_BY_NEXT.keys() | ATTRIBUTES.keys()
)
KINDS: Final = {
    tag: Kind(
        tag in INLINE,
        tag in FLOWING,
        tag in VOID,
        tag if tag in ROLES else "",
        ENDED_BY_NEXT.get(tag, frozenset()),
        ATTRIBUTES.get(tag, ()),
    )
    for tag in _ALL
}
OTHER: Final = Kind()
"""Every element that is not in the list: a block without meaning."""
