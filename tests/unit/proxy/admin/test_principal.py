from __future__ import annotations

import pytest

from proxy.admin.principal import Principal, Role, required_role


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/livez", None),
        ("GET", "/readyz", None),
        ("GET", "/login", None),
        ("POST", "/login", None),
        ("GET", "/static/console.css", None),
        ("POST", "/logout", Role.VIEWER),
        ("GET", "/", Role.VIEWER),
        ("GET", "/metrics", Role.VIEWER),
        ("HEAD", "/api/v1/rules", Role.VIEWER),
        ("GET", "/api/v1/rules", Role.VIEWER),
        ("PUT", "/api/v1/rules", Role.ADMIN),
        ("PUT", "/api/v1/routes/a.b-c/weight", Role.OPERATOR),
        ("POST", "/api/v1/explain", Role.VIEWER),
        ("POST", "/api/v1/explain/", Role.OPERATOR),
        ("POST", "/routes/plans/rollback", Role.OPERATOR),
        ("DELETE", "/api/v1/anything", Role.OPERATOR),
        ("TRACE", "/", Role.OPERATOR),
        ("POST", "/livez/../api/v1/rules", Role.OPERATOR),
        ("GET", "/static", Role.VIEWER),
        ("GET", "/loginx", Role.VIEWER),
    ],
)
def test_what_a_request_needs(method: str, path: str, role: Role | None) -> None:
    """By address and method; what nobody has thought of is guarded."""
    assert required_role(method, path) is role


@pytest.mark.parametrize(
    ("name", "author", "signed"),
    [
        ("", "ada", "ada"),
        ("ci", "ada", "ci for ada"),
        ("ada", "ada", "ada"),
        ("ada", "", "ada"),
    ],
)
def test_the_journal_names_the_account(name: str, author: str, signed: str) -> None:
    """Nobody can sign as somebody else; for whom they act is kept."""
    assert Principal(name).signs(author) == signed
