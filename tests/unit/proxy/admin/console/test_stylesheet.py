import re

import pytest

from proxy.admin.console.render import STATIC

CSS = (STATIC / "console.css").read_text()

TEXT_ON = {
    "ground": ["ink", "muted", "accent", "legacy", "modern", "look", "act"],
    "panel": ["ink", "muted", "accent", "legacy", "modern", "look", "act", "ok"],
    "sunken": ["ink", "muted"],
    "act-tint": ["ink", "act", "accent"],
    "look-tint": ["ink", "accent"],
    "ok-tint": ["ink", "ok"],
    "different": ["ink", "muted"],
    "spelling": ["ink", "muted"],
    "button": ["button-ink"],
    "danger": ["danger-ink"],
}
"""Which tokens are written on which."""


def tokens(scheme: str) -> dict[str, str]:
    """Colour tokens of one scheme; dark says only what it changes."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return (
        found
        if scheme == "light"
        else found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
    )


def luminance(colour: str) -> float:
    """Relative luminance of a colour, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, WCAG 2.2."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ground", "text"), [(ground, text) for ground, texts in TEXT_ON.items() for text in texts]
)
def test_text_can_be_read_on_its_ground(scheme: str, ground: str, text: str) -> None:
    """Every pair of text and ground has the contrast that WCAG AA asks of small text."""
    colours = tokens(scheme)
    assert contrast(colours[ground], colours[text]) >= 4.5


def test_rules_use_tokens_and_no_colours_of_their_own() -> None:
    """Below the tokens no colour is written out, so that dark mode misses none."""
    rules = CSS.split("* { box-sizing", 1)[1]
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*\{)|rgba?\(|hsla?\(", rules)
