from __future__ import annotations

from proxy.settings import SERVE_SETTINGS
from tests.support_docs import code, codes, read, rows

TEXT = read("configuration.md")
DOCUMENTED = {code(row["option"]): row for row in rows(TEXT) if "option" in row}


def test_every_setting_is_documented_and_no_other() -> None:
    """The table has one row for each setting of `cutover serve`, in the order of its help."""
    assert list(DOCUMENTED) == [setting.option for setting in SERVE_SETTINGS]


def test_variables_and_defaults_are_the_real_ones() -> None:
    """Each row names the environment variable and the default that the program has."""
    for setting in SERVE_SETTINGS:
        row = DOCUMENTED[setting.option]
        assert code(row["variable"]) == setting.variable
        assert (code(row["default"]) or "") == setting.default


def test_the_variables_of_the_token_are_named() -> None:
    """The token has no option; the variables that hold it are documented."""
    assert {"CUTOVER_ADMIN_TOKEN", "CUTOVER_ADMIN_TOKEN_FILE", "CUTOVER_ADMIN_URL"} <= set(
        codes(TEXT)
    )
