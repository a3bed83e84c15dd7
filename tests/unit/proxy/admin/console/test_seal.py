import pytest

from proxy.admin.console.seal import Seal


def test_a_token_belongs_to_its_cookie() -> None:
    """The form field made for a cookie is accepted with that cookie and with no other."""
    seal = Seal()
    nonce = seal.new_nonce()
    assert seal.is_token(nonce, seal.token(nonce))
    assert not seal.is_token(seal.new_nonce(), seal.token(nonce))


def test_a_cookie_set_by_somebody_else_is_no_use() -> None:
    """Knowing or choosing the cookie is not enough: the field needs the key of this process."""
    chosen = "chosen-by-an-application-on-another-port"
    assert not Seal().is_token(chosen, chosen)
    assert not Seal().is_token(chosen, Seal().token(chosen))


@pytest.mark.parametrize("token", ["", "x", "é" * 64])
def test_a_strange_token_is_refused_quietly(token: str) -> None:
    """Whatever a client sends as a token, the answer is no."""
    assert not Seal().is_token("nonce", token)


def test_no_cookie_is_never_enough() -> None:
    """Without a cookie not even the right digest counts."""
    seal = Seal()
    assert not seal.is_token("", seal.token(""))


def test_a_text_comes_back_as_it_was() -> None:
    """A sealed text survives the way through a cookie."""
    seal = Seal()
    sealed = seal.close("plans is at 10% – größer <b>")  # noqa: RUF001 - any text may be said
    assert sealed.isascii()
    assert seal.open(sealed) == "plans is at 10% – größer <b>"  # noqa: RUF001 - as above


@pytest.mark.parametrize("sealed", ["", ".", "abc", "abc.def", "é.é"])
def test_a_forged_text_is_nothing(sealed: str) -> None:
    """A text that this process did not seal is not shown."""
    assert Seal().open(sealed) == ""


def test_an_altered_text_is_nothing() -> None:
    """One changed character makes a sealed text worthless."""
    seal = Seal()
    sealed = seal.close("all is well")
    assert seal.open("X" + sealed[1:]) == ""
