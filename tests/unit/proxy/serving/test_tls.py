from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.errors import SettingsError
from proxy.serving.certificate import read_certificate
from proxy.serving.tls import EXPIRY_WARNING, CertificateStore, Renewal
from tests.support_certificates import Made, make_certificate

DAY = 86_400


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Give certificates for several hosts; they are copied, never changed."""
    directory = tmp_path_factory.mktemp("made")
    return {
        "shop": make_certificate(directory, "shop", "shop.test"),
        "other": make_certificate(directory, "other", "other.test", "*.other.test", days=90),
        "again": make_certificate(directory, "again", "shop.test", days=90),
    }


@pytest.fixture
def put(made: dict[str, Made], tmp_path: Path) -> Callable[..., Made]:
    """Give a function that lays a made certificate down under a name, with that or another key."""

    def lay(what: str, name: str, key: str = "") -> Made:
        laid = Made(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        for source, place in (
            (made[what].certificate, laid.certificate),
            (made[key or what].key, laid.key),
        ):
            fresh = place.with_name(f".{place.name}")
            shutil.copy(source, fresh)
            fresh.replace(place)
        return laid

    return lay


def shown(
    store: CertificateStore, host: str | None = "shop.test", **limits: ssl.TLSVersion
) -> ssl.SSLObject:
    """Shake hands in memory as a client that names this host; give the client's end."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
    client_context.set_alpn_protocols(["h2", "http/1.1"])
    for name, limit in limits.items():
        setattr(client_context, name, limit)
    client = client_context.wrap_bio(ours, theirs, server_hostname=host)
    server = store.context.wrap_bio(theirs, ours, server_side=True)
    waiting = [client, server]
    while waiting:
        for end in tuple(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
    return client


def names(store: CertificateStore, host: str | None = "shop.test") -> tuple[str, ...]:
    """Give the hosts that the certificate is for which a client is shown that names this one."""
    der = shown(store, host).getpeercert(binary_form=True)
    assert der is not None
    return read_certificate(der).names


def test_a_handshake_is_of_our_time(put: Callable[..., Made]) -> None:
    """TLS 1.3, or 1.2 with forward secrecy, and HTTP/1.1 whatever else the client would like."""
    laid = put("shop", "shop")
    store = CertificateStore([laid.certificate], [laid.key])
    now = shown(store)
    before = shown(store, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert (now.version(), before.version()) == ("TLSv1.3", "TLSv1.2")
    assert now.selected_alpn_protocol() == before.selected_alpn_protocol() == "http/1.1"
    cipher = before.cipher()
    assert cipher is not None
    assert cipher[0].startswith("ECDHE-")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_a_client_of_the_past_is_refused(put: Callable[..., Made], version: ssl.TLSVersion) -> None:
    """What is older than TLS 1.2 has known weaknesses."""
    laid = put("shop", "shop")
    store = CertificateStore([laid.certificate], [laid.key])
    context = store.context
    with pytest.raises(ssl.SSLError):
        shown(store, minimum_version=version, maximum_version=version)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("shop.test", "shop.test"),
        ("other.test", "other.test"),
        ("OTHER.test", "other.test"),
        ("a.other.test", "other.test"),
        ("a.b.other.test", "shop.test"),
        ("unknown.test", "shop.test"),
        (None, "shop.test"),
    ],
)
def test_the_host_that_a_client_names_chooses_the_certificate(
    put: Callable[..., Made], host: str | None, expected: str
) -> None:
    """The first is for clients that name none, or one that no certificate is for."""
    first, second = put("shop", "a"), put("other", "b")
    store = CertificateStore([first.certificate, second.certificate], [first.key, second.key])
    assert names(store, host)[0] == expected


def test_a_directory_gives_its_pairs(put: Callable[..., Made], tmp_path: Path) -> None:
    """`default.crt` is the first whatever the names; what is no pair is not looked at."""
    put("shop", "default")
    put("other", "a")
    (tmp_path / "readme.txt").write_text("not a certificate")
    store = CertificateStore([tmp_path])
    assert names(store, "unknown.test") == ("shop.test",)
    assert names(store, "x.other.test") == ("other.test", "*.other.test")


def test_files_that_stay_are_left_alone(put: Callable[..., Made]) -> None:
    """Unless all are to be read again."""
    laid = put("shop", "shop")
    store = CertificateStore([laid.certificate], [laid.key])
    before = store.context
    assert store.renew() == []
    assert store.context is before
    assert store.renew(force=True) == [Renewal.TAKEN]
    assert store.context is not before


def test_new_files_are_taken_up(put: Callable[..., Made], caplog: pytest.LogCaptureFixture) -> None:
    """By handshakes from then on."""
    caplog.set_level("INFO")
    laid = put("shop", "shop")
    store = CertificateStore([laid.certificate], [laid.key])
    put("other", "shop")
    assert store.renew() == [Renewal.TAKEN]
    assert names(store)[0] == "other.test"
    assert store.renew() == []
    assert "shop.crt is in use" in caplog.text


def test_files_written_in_place_are_taken_up(put: Callable[..., Made]) -> None:
    """The inode is the same, the time is not."""
    laid = put("shop", "shop")
    store = CertificateStore([laid.certificate], [laid.key])
    laid.certificate.write_bytes(laid.certificate.read_bytes() + b"\n")
    os.utime(laid.certificate, ns=(0, 12_345))
    assert store.renew() == [Renewal.TAKEN]


def test_a_certificate_without_its_key_waits_for_it(
    put: Callable[..., Made], caplog: pytest.LogCaptureFixture
) -> None:
    """Between the two files being replaced the old pair stays in use; it is told once."""
    laid = put("shop", "shop")
    store = CertificateStore([laid.certificate], [laid.key])
    put("other", "shop", key="shop")
    assert store.renew() == [Renewal.REFUSED]
    assert store.renew() == []
    assert names(store)[0] == "shop.test"
    assert caplog.text.count("is not the key of") == 1
    assert "the certificate of before stays in use" in caplog.text
    put("other", "shop")
    assert store.renew() == [Renewal.TAKEN]
    assert names(store)[0] == "other.test"


def test_a_refused_change_that_is_taken_back_is_over(put: Callable[..., Made]) -> None:
    """The old files, put back, are as good as new ones."""
    laid = put("shop", "shop")
    store = CertificateStore([laid.certificate], [laid.key])
    laid.key.unlink()
    assert store.renew() == [Renewal.REFUSED]
    put("shop", "shop")
    assert store.renew() == [Renewal.TAKEN]
    assert store.renew() == []


def test_one_broken_pair_of_a_directory_holds_up_no_other(
    put: Callable[..., Made], tmp_path: Path
) -> None:
    """What is new and good is taken, what is new and broken is not, what is gone is dropped."""
    put("shop", "default")
    gone = put("other", "gone")
    store = CertificateStore([tmp_path])
    assert names(store, "other.test")[0] == "other.test"
    gone.certificate.unlink()
    put("other", "broken", key="shop")
    assert sorted(store.renew()) == [Renewal.REFUSED]
    assert names(store, "other.test")[0] == "shop.test"
    put("other", "good")
    assert store.renew() == [Renewal.TAKEN]
    assert names(store, "other.test")[0] == "other.test"


def test_a_directory_that_becomes_useless_changes_nothing(
    put: Callable[..., Made], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Empty, or with nothing in it that could be used."""
    laid = put("shop", "default")
    store = CertificateStore([tmp_path])
    laid.certificate.unlink()
    assert store.renew() == [Renewal.REFUSED]
    assert "holds no certificate" in caplog.text
    put("other", "broken", key="shop")
    assert store.renew() == [Renewal.REFUSED]
    assert names(store)[0] == "shop.test"


def test_an_end_that_comes_near_is_told_once_a_day(
    put: Callable[..., Made], caplog: pytest.LogCaptureFixture
) -> None:
    """From two weeks before, and after it too."""
    laid = put("shop", "shop")
    store = CertificateStore([laid.certificate], [laid.key])
    der = shown(store).getpeercert(binary_form=True)
    assert der is not None
    end = read_certificate(der).not_after
    assert store.ends() == {str(laid.certificate): end}
    store.warn_of_expiry(end - EXPIRY_WARNING - 1)
    assert not caplog.messages
    for now in (end - EXPIRY_WARNING + DAY, end - EXPIRY_WARNING + DAY + 60, end + 1):
        store.warn_of_expiry(now)
    assert [" ends on " in message for message in caplog.messages] == [True, False]
    assert "has ended on " in caplog.messages[1]


def refusal(certificates: list[Path], keys: list[Path]) -> str:
    """Give the words in which a start is refused."""
    with pytest.raises(SettingsError) as caught:
        CertificateStore(certificates, keys)
    return str(caught.value)


def test_a_start_without_usable_files_is_refused_in_words(
    put: Callable[..., Made], tmp_path: Path
) -> None:
    """Each says which file, what is wrong with it, and what would do."""
    shop, other = put("shop", "shop"), put("other", "other")
    nowhere, text = tmp_path / "nowhere", tmp_path / "text"
    text.write_text("this is no certificate")
    locked = make_certificate(tmp_path, "locked", password="secret")
    weak = make_certificate(tmp_path, "weak", kind=("-newkey", "rsa:1024"))
    certificate, key = [shop.certificate], [shop.key]
    assert f"--tls-certificate {nowhere}: No such file" in refusal([nowhere], key)
    assert f"--tls-key {nowhere}: No such file" in refusal(certificate, [nowhere])
    assert f"--tls-key {tmp_path}: Is a directory" in refusal(certificate, [tmp_path])
    assert "is not the key of" in refusal(certificate, [other.key])
    assert "both must be PEM" in refusal([text], key)
    assert "both must be PEM" in refusal(certificate, [text])
    assert "the key is encrypted" in refusal([locked.certificate], [locked.key])
    assert "at least 2048 bits" in refusal([weak.certificate], [weak.key])
    assert "name its key with --tls-key" in refusal(certificate, [])
    assert "No such file" in refusal([nowhere], [])
    (tmp_path / "empty").mkdir()
    assert "holds no certificate" in refusal([tmp_path / "empty"], [])
