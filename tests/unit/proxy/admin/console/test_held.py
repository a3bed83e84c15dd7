from proxy.admin.console.forms import Form
from proxy.admin.console.held import Held, held, hold
from proxy.admin.console.seal import Seal

FORM = Form({}, (("token", "t"), ("text", "Grüße\n\x00"), ("group", "a"), ("group", "b")))


def test_a_form_comes_back_as_it_was_sent() -> None:
    """All fields but the token, which belongs to the session that is gone."""
    seal = Seal()
    assert held(seal, hold(seal, "/rules/edit?x=1", FORM)) == Held(
        "/rules/edit?x=1", (("text", "Grüße\n\x00"), ("group", "a"), ("group", "b"))
    )


def test_what_others_made_is_nothing() -> None:
    """Altered, of another process, or no form at all."""
    seal = Seal()
    sealed = hold(seal, "/x", FORM)
    assert held(Seal(), sealed) is None
    assert held(seal, sealed[:-1]) is None
    assert held(seal, "A" + sealed) is None
    assert held(seal, "") is None
