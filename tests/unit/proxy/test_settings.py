from __future__ import annotations

from pathlib import Path

import pytest

from proxy.errors import SettingsError
from proxy.settings import (
    SERVE_SETTINGS,
    AdminSettings,
    Listen,
    format_address,
    is_loopback,
    parse_address,
    parse_listen,
    read_override_key,
    read_token,
    serve_settings,
    whole_number,
)

TOKEN = "a-token-that-is-long-enough"
TLS = "127.0.0.1:1;tls"


def test_defaults_need_no_environment() -> None:
    """Without options and variables everything has the documented default."""
    settings = serve_settings({}, {})
    assert settings.rules == Path("routing_rules.yaml")
    assert settings.state == Path(".cutover")
    assert settings.listen == (Listen(("127.0.0.1", 8080)),)
    assert (settings.tls_certificate, settings.tls_key) == ((), ())
    assert settings.admin_listen == ("127.0.0.1", 8090)
    assert settings.workers >= 1
    assert (settings.role, settings.shadow_workers) == ("all", 1)
    assert (settings.access_log, settings.drain_seconds) == ("-", 10.0)
    assert settings.compiled == "auto"
    assert settings.admin_token is None


def test_an_option_beats_its_variable_which_beats_the_default() -> None:
    """The nearest source wins, setting by setting."""
    environ = {"CUTOVER_WORKERS": "3", "CUTOVER_LISTEN": "0.0.0.0:80"}
    settings = serve_settings({"workers": "5", "listen": None}, environ)
    assert settings.workers == 5
    assert settings.listen == (Listen(("0.0.0.0", 80)),)  # noqa: S104 - nothing listens here


@pytest.mark.parametrize(
    ("options", "environ", "words"),
    [
        ({"workers": "0"}, {}, "--workers: '0' is not a whole number from 1 to 256"),
        ({"workers": "1_0"}, {}, "--workers"),
        ({"workers": "9" * 5000}, {}, "--workers"),
        ({}, {"CUTOVER_WORKERS": "two"}, "CUTOVER_WORKERS: 'two'"),
        ({"store": "mysql://me:hunter2@db/cutover"}, {}, "--store: is not the URL of a PostgreSQL"),
        ({}, {"CUTOVER_STORE": "postgresql:hunter2"}, "CUTOVER_STORE: is not the URL"),
        ({"keep_days": "0"}, {}, "--keep-days: '0' is not a whole number from 1 to 3650"),
        ({"role": "everything"}, {}, "--role: 'everything' is not one of all, data-plane"),
        ({"listen": "8080"}, {}, "--listen: '8080' is not HOST:PORT"),
        ({"listen": "127.0.0.1:65536"}, {}, "is not HOST:PORT"),
        ({"listen": "::1:8080"}, {}, "in brackets: [::1]:8080"),
        ({"listen": ""}, {}, "--listen: '' is not HOST:PORT"),
        ({"listen": "127.0.0.1:1,"}, {}, "--listen: '' is not HOST:PORT"),
        ({}, {"CUTOVER_LISTEN": "[::1]:1;tsl"}, "CUTOVER_LISTEN: '[::1]:1;tsl' has the option"),
        ({"listen": "127.0.0.1:1;tls;tls"}, {}, "each at most once"),
        ({"listen": "127.0.0.1:1;"}, {}, "has the option ''"),
        ({"listen": "127.0.0.1:1;TLS"}, {}, "has the option 'TLS'"),
        ({"listen": "127.0.0.1:1,127.0.0.1:1;proxy"}, {}, "and --listen are both 127.0.0.1:1"),
        ({"listen": "127.0.0.1:1;tls"}, {}, "--listen 127.0.0.1:1;tls needs --tls-certificate"),
        ({"tls_certificate": "c"}, {}, "--listen '127.0.0.1:8080;tls'"),
        ({"tls_key": "k"}, {}, "no listener speaks TLS"),
        ({"listen": TLS, "tls_key": "k"}, {}, "needs --tls-certificate and --tls-key"),
        ({"listen": TLS, "tls_certificate": "a,b", "tls_key": "k"}, {}, "names 2 and --tls-key 1"),
        ({"listen": TLS, "tls_certificate": "a,b"}, {}, "there can only be one"),
        ({"listen": TLS, "tls_certificate": "a,,b"}, {}, "--tls-certificate: a value is needed"),
        ({"drain_seconds": "nan"}, {}, "--drain-seconds: 'nan'"),
        ({"drain_seconds": "-1"}, {}, "--drain-seconds: '-1'"),
        ({"grace_seconds": "3601"}, {}, "--grace-seconds: '3601'"),
        ({"retire_seconds": "long"}, {}, "--retire-seconds: 'long'"),
        ({"hang_seconds": ""}, {}, "--hang-seconds: ''"),
        ({"otlp": "localhost:4318"}, {}, "--otlp: write http://HOST:4318"),
        ({"otlp": "http://a"}, {"CUTOVER_OTLP_HEADERS": "a"}, "CUTOVER_OTLP_HEADERS: write"),
        ({"trace_share": "0.5"}, {}, "--trace-share: '0.5' is not a percentage"),
        ({"trace_share": "101%"}, {}, "--trace-share: '101%'"),
        ({"trace_share": "nan%"}, {}, "--trace-share: 'nan%'"),
        ({"ready_path": "ready"}, {}, "--ready-path: 'ready' is not a plain path"),
        ({"ready_path": "/a/../b"}, {}, "--ready-path"),
        ({"ready_path": "/a?b"}, {}, "--ready-path"),
        ({"ready_path": "/%61"}, {}, "--ready-path"),
        ({"ready_path": "/\N{EURO SIGN}"}, {}, "--ready-path"),
        ({"ready_path": "/"}, {}, "--ready-path"),
        ({"rules": ""}, {}, "--rules: a value is needed"),
        ({"state": "a\0b"}, {}, "--state: a value is needed"),
        ({"admin_listen": "127.0.0.1:8080"}, {}, "are both 127.0.0.1:8080"),
        ({"admin_listen": "0.0.0.0:8090"}, {}, "not loopback, without authentication"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    options: dict[str, str], environ: dict[str, str], words: str
) -> None:
    """A refusal names the option or variable, the value, and what would do."""
    with pytest.raises(SettingsError) as caught:
        serve_settings(options, environ)
    assert words in str(caught.value)


def test_every_setting_can_be_given_by_option_and_by_variable() -> None:
    """The table and the dataclass name the same settings; only secrets are no options."""
    names = {setting.name for setting in SERVE_SETTINGS}
    assert names == set(serve_settings({}, {}).__dataclass_fields__) - {
        "admin_token",
        "shadow_key",
        "origins",
    }


def test_a_token_never_shows_in_a_repr() -> None:
    """A settings object may be logged."""
    settings = serve_settings({}, {"CUTOVER_ADMIN_TOKEN": TOKEN})
    assert settings.admin_token == TOKEN
    assert TOKEN not in repr(settings) + repr(settings.admin)
    assert "admin_token=***" in repr(settings)
    assert "token=None" in repr(AdminSettings(("127.0.0.1", 8090)))


def test_what_a_collector_is_told_never_shows_in_a_repr() -> None:
    """It is a token, as a rule."""
    environ = {"CUTOVER_OTLP": "http://a", "CUTOVER_OTLP_HEADERS": f"Authorization={TOKEN}"}
    settings = serve_settings({"trace_share": "2.5%"}, environ)
    assert settings.otlp is not None
    assert settings.otlp.headers == (("Authorization", TOKEN),)
    assert settings.trace_share == 0.025
    assert TOKEN not in repr(settings)


def test_a_token_may_come_from_a_file(tmp_path: Path) -> None:
    """The newline that editors leave at the end does not belong to the token."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert read_token({"CUTOVER_ADMIN_TOKEN_FILE": str(file)}) == TOKEN


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "is empty"), ("x" * 5000, "too long"), ("two words are here", "without spaces")],
)
def test_an_unusable_token_file_is_refused(tmp_path: Path, content: str, words: str) -> None:
    """Rather no start than one without the protection that was asked for."""
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(SettingsError, match=words):
        read_token({"CUTOVER_ADMIN_TOKEN_FILE": str(file)})


def test_the_key_of_mirrored_writes_may_come_from_a_file(tmp_path: Path) -> None:
    """It never shows, and a short one is refused; without one the state directory has a key."""
    file, key = tmp_path / "key", "k" * 32
    file.write_text(f"{key}\n")
    settings = serve_settings({}, {"CUTOVER_SHADOW_KEY_FILE": str(file)})
    assert settings.shadow_key == key
    assert key not in repr(settings)
    assert serve_settings({}, {}).shadow_key is None
    with pytest.raises(SettingsError, match="31 characters"):
        serve_settings({}, {"CUTOVER_SHADOW_KEY": key[1:]})
    with pytest.raises(SettingsError, match=r"CUTOVER_SHADOW_KEY_FILE: .*nowhere: No such file"):
        serve_settings({}, {"CUTOVER_SHADOW_KEY_FILE": str(tmp_path / "nowhere")})


def test_a_missing_token_file_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(SettingsError, match="nowhere: No such file"):
        read_token({"CUTOVER_ADMIN_TOKEN_FILE": str(tmp_path / "nowhere")})


def test_token_and_token_file_together_are_refused() -> None:
    """Nobody should have to guess which of the two counts."""
    with pytest.raises(SettingsError, match="keep one of them"):
        read_token({"CUTOVER_ADMIN_TOKEN": TOKEN, "CUTOVER_ADMIN_TOKEN_FILE": "file"})


def test_a_token_opens_every_address_but_a_short_one_none() -> None:
    """Beyond loopback only with a token that cannot be guessed."""
    everywhere = ("0.0.0.0", 8090)  # noqa: S104 - nothing listens here
    AdminSettings(everywhere, TOKEN).validate()
    AdminSettings(("localhost", 8090)).validate()
    with pytest.raises(SettingsError, match="5 characters"):
        AdminSettings(("127.0.0.1", 8090), "short").validate()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing listens here
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_loopback_is_what_can_only_mean_this_machine(host: str, loopback: bool) -> None:
    """Names that merely resolve to loopback do not count."""
    assert is_loopback(host) is loopback


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "[::1]:0", "proxy.internal:65535"])
def test_an_address_reads_back_as_written(text: str) -> None:
    """parse_address and format_address are inverse."""
    assert format_address(parse_address(text)) == text


def test_several_listeners_each_have_their_options() -> None:
    """With commas between; blanks around a comma are forgiven, the order of options is free."""
    listens = parse_listen("127.0.0.1:8080, [::]:8443;tls,10.0.0.5:0;proxy, 10.0.0.5:0;proxy;tls")
    assert listens == (
        Listen(("127.0.0.1", 8080)),
        Listen(("::", 8443), tls=True),
        Listen(("10.0.0.5", 0), proxy=True),
        Listen(("10.0.0.5", 0), tls=True, proxy=True),
    )
    written = "127.0.0.1:8080,[::]:8443;tls,10.0.0.5:0;proxy,10.0.0.5:0;tls;proxy"
    assert ",".join(map(str, listens)) == written


def test_two_ports_that_the_system_chooses_are_two() -> None:
    """Port 0 is nobody's yet."""
    settings = serve_settings(
        {"listen": "127.0.0.1:0,127.0.0.1:0", "admin_listen": "127.0.0.1:0"}, {}
    )
    assert len(settings.listen) == 2


@pytest.mark.parametrize(
    ("certificates", "keys", "files"),
    [
        ("a.crt", "a.key", (("a.crt",), ("a.key",))),
        ("a.crt, b.crt", "a.key,b.key", (("a.crt", "b.crt"), ("a.key", "b.key"))),
        ("certificates", None, (("certificates",), ())),
    ],
)
def test_certificates_come_with_their_keys_or_as_a_directory(
    certificates: str, keys: str | None, files: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """As many keys as certificates, or one directory."""
    options = {"listen": TLS, "tls_certificate": certificates, "tls_key": keys}
    settings = serve_settings(options, {})
    assert settings.tls_certificate == tuple(map(Path, files[0]))
    assert settings.tls_key == tuple(map(Path, files[1]))


def test_the_key_of_overrides_is_read_whole(tmp_path: Path) -> None:
    """As it was made."""
    (tmp_path / "override.key").write_bytes(b"\0" * 32)
    assert read_override_key(tmp_path) == b"\0" * 32


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("+1", None), (" 1", None), ("", None), ("\u0661", None)]
)
def test_a_whole_number_is_plain_digits(text: str, number: int | None) -> None:
    """What int() forgives, a command line does not mean."""
    assert whole_number(text) == number


def test_accounts_are_named_and_none_is_said_on_loopback_only(tmp_path: Path) -> None:
    """A file of accounts will do beyond loopback; `none` will not, nor beside a token."""
    everywhere = {"admin_listen": "0.0.0.0:8090"}
    file = str(tmp_path / "accounts")
    settings = serve_settings({**everywhere, "auth": file}, {"CUTOVER_ADMIN_TOKEN": TOKEN})
    assert (settings.admin.accounts, settings.admin.token) == (Path(file), None)
    assert serve_settings({"auth": "none"}, {}).admin.accounts is None
    with pytest.raises(SettingsError, match="not loopback, without authentication"):
        serve_settings({**everywhere, "auth": "none"}, {})
    with pytest.raises(SettingsError, match=r"--auth: none, and CUTOVER_ADMIN_TOKEN"):
        serve_settings({"auth": "none"}, {"CUTOVER_ADMIN_TOKEN": TOKEN})


SHARED = {"bus": "redis://10.0.0.9/0", "store": "postgresql://cutover@10.0.0.8/cutover"}


def test_one_host_among_many_needs_what_all_can_reach() -> None:
    """Redis and PostgreSQL make it one of many; either of them alone, or none, does not."""
    assert serve_settings({**SHARED, "host": "web1"}, {}).host == "web1"
    assert serve_settings(SHARED, {}).many_hosts
    assert serve_settings(SHARED, {}).host  # the machine's name
    for missing in SHARED:
        alone = {name: url for name, url in SHARED.items() if name != missing}
        assert not serve_settings(alone, {}).many_hosts
        with pytest.raises(SettingsError, match="--host: one host among many needs --bus"):
            serve_settings({**alone, "host": "web1"}, {})


@pytest.mark.parametrize("name", ["web 1", "a/b", "é", "x" * 101, "\n"])
def test_the_name_of_a_host_is_a_plain_one(name: str) -> None:
    """It stands in keys, in metrics and in the names of workers."""
    with pytest.raises(SettingsError, match="--host"):
        serve_settings({**SHARED, "host": name}, {})
