from __future__ import annotations

import contextlib
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.serving.certificate import read_certificate, read_chain
from tests.support_certificates import end_of, make_certificate

HOSTS = ("shop.test", "*.Shop.test", "xn--bcher-kva.test")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the certificate of three hosts, with another one behind it."""
    directory = tmp_path_factory.mktemp("certificates")
    made, other = make_certificate(directory, "a", *HOSTS), make_certificate(directory, "b")
    chain = directory / "chain.crt"
    text = made.certificate.read_text() + other.certificate.read_text()
    chain.write_text("what people write above\n" + text)
    return chain


def test_the_first_certificate_of_a_chain_speaks(chain: Path) -> None:
    """Its host names in small letters, without its addresses; its end as openssl tells it."""
    statement = read_chain(chain.read_text())
    assert statement.names == ("shop.test", "*.shop.test", "xn--bcher-kva.test")
    end = datetime.strptime(end_of(chain), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    assert statement.not_after == end.timestamp()


@pytest.mark.parametrize("days", [1, 8_000, 20_000])
def test_an_end_far_away_is_written_otherwise(tmp_path: Path, days: int) -> None:
    """From 2050 on with four digits of the year."""
    made = make_certificate(tmp_path, days=days)
    end = datetime.strptime(end_of(made.certificate), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    assert read_chain(made.certificate.read_text()).not_after == end.timestamp()


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----", "nothing of the kind"])
def test_a_text_without_a_certificate_is_refused(text: str) -> None:
    """With words."""
    with pytest.raises(ValueError, match="no certificate"):
        read_chain(text)


def first(chain: Path) -> bytes:
    """Give the first certificate of a chain as it is, without the text around it."""
    end = "-----END CERTIFICATE-----"
    _, begin, rest = chain.read_text().partition("-----BEGIN CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(begin + rest.partition(end)[0] + end)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_that_are_no_certificate_are_refused_or_read(
    chain: Path, data: st.DataObject
) -> None:
    """Cut off or changed anywhere: ValueError is all that is raised."""
    der = bytearray(first(chain))
    der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(der)))
    for broken in (bytes(der), bytes(der[:cut])):
        with contextlib.suppress(ValueError):
            read_certificate(broken)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    """ValueError is all that is raised."""
    with contextlib.suppress(ValueError):
        read_certificate(data)
