import pytest

from proxy.admin.console.render import STATIC, asset, route_address


@pytest.mark.parametrize(
    ("route_id", "address"),
    [
        ("plans", "/routes/plans"),
        ("users.read", "/routes/users.read"),
        ("a/b", "/routes/a%2Fb"),
        ("../x?y#z", "/routes/..%2Fx%3Fy%23z"),
        ('"><script>', "/routes/%22%3E%3Cscript%3E"),
    ],
)
def test_a_route_id_cannot_leave_its_place_in_an_address(route_id: str, address: str) -> None:
    """Whatever an id is made of, it stays one segment of the path."""
    assert route_address(route_id) == address


def test_the_address_of_an_asset_changes_with_its_content() -> None:
    """A browser never keeps a style sheet of an older version."""
    address = asset("console.css")
    assert address.startswith("/static/console.css?v=")
    assert len(address) > len("/static/console.css?v=")


def test_an_asset_that_was_not_built_does_not_break_a_page() -> None:
    """Without the vendored script the pages still work, read-only."""
    assert asset("vendor/not-built.js") == "/static/vendor/not-built.js?v="


@pytest.mark.parametrize("name", ["console.css", "console.js", "icon.svg"])
def test_our_own_assets_load_nothing_from_elsewhere(name: str) -> None:
    """No style sheet, script or image names another host."""
    text = (STATIC / name).read_text().replace("http://www.w3.org/2000/svg", "")
    assert "://" not in text
    assert "@import" not in text
