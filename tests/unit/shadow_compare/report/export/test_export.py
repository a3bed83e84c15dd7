"""Documents in every form, of ordinary and of hostile differences."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from shadow_compare.report.coverage import Coverage
from shadow_compare.report.export import FORMATS, Document
from shadow_compare.report.export.table import COLUMNS
from shadow_compare.report.summary import SignatureDetail, SignatureSummary
from shadow_compare.sample import KeptAnswer, KeptDifference, Sample

HOSTILE = "</style><script>alert(1)</script>\"'{{7*7}}\n=cmd|' /C calc'!A0"


def sample(*differences: KeptDifference, curl: str = "") -> Sample:
    """Give a sample with these differences."""
    headers = (("content-type", "application/json"),)
    return Sample(
        at=1_790_000_000.0,
        request_id="r",
        version=3,
        primary_side="legacy",
        curl=curl
        or "curl --path-as-is -X GET 'http://shop.example/api/plans?a=1' -H 'accept: */*'",
        primary=KeptAnswer(200, headers, '{"data":[{"id":2,"price":"29.00"}]}', False, 0.04),
        candidate=KeptAnswer(200, headers, '{"data":[{"id":2,"price":29.5}]}', False, 0.02),
        differences=differences,
    )


PRICE = KeptDifference("$.data[id=2].price", "type_changed", '"29.00"', "29.5")


def document(*samples: Sample, text: str = "$.data[*].price") -> Document:
    """Give a document of one group."""
    found = SignatureSummary(
        id="9f1c2ab4d0e17735", route="plans", kinds=("type_changed",), paths=(text,),
        example_path=text, example_old='"29.00"', example_new=text, critical=False, count=3,
        compared=1000, first_seen=1_790_000_000.0, last_seen=1_790_000_100.0, first_version=3,
        last_version=4, state_author="ada", state_reason=text,
    )  # fmt: skip
    covered = Coverage(route="plans")
    covered.count_in("GET", "2xx", "match", "", 997)
    covered.count_in("GET", "2xx", "mismatch", "", 3)
    covered.count_in("GET", "2xx", "not_compared", "timeout", 5)
    return Document("Differences", 1_790_000_200.0, [covered], [SignatureDetail(found, samples)])


def test_the_page_says_what_was_compared_first_and_needs_nothing_else() -> None:
    """Coverage before differences, both answers, and not one address to fetch from."""
    page = FORMATS["html"].write(document(sample(PRICE)))
    assert page.index("What was compared") < page.index("Groups of differences")
    assert "<b>1,000</b> of 1,005 pairs compared, <b>3</b> differ: 0.30% (0.10% to 0.88%)" in page
    assert "5 not compared (timeout)" in page
    assert "prefers-color-scheme: dark" in page
    assert '<tr class="different"><td>' in page
    assert "src=" not in page
    assert "<link" not in page


def test_the_page_of_nothing_compared_says_so() -> None:
    """No difference means nothing then."""
    page = FORMATS["html"].write(Document("Differences", 0.0, [], []))
    assert "Nothing was compared" in page


@pytest.mark.parametrize("kind", FORMATS)
def test_hostile_text_stays_text(kind: str) -> None:
    """Whatever applications, or clients, have sent."""
    curl = shlex.join(["curl", "--path-as-is", "-X", "GET", f"http://h/{HOSTILE}"])
    hostile = KeptDifference(HOSTILE, "value_changed", json.dumps(HOSTILE), None)
    written = FORMATS[kind].write(document(sample(hostile, PRICE, curl=curl), text=HOSTILE))
    if kind == "html":
        assert "<script" not in written
        assert "49" not in written.replace("0.49", "")
    if kind == "csv":
        ((_, *_), row) = csv.reader(io.StringIO(written))
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
        assert len(row) == len(COLUMNS)
    if kind == "pytest":
        compile(written, "case.py", "exec")
    if kind == "curl":
        lines = [line for line in written.splitlines() if not line.startswith(("#", "curl"))]
        assert [line for line in lines if line] == ["=cmd|'\"'\"' /C calc'\"'\"'!A0'"]
    if kind == "json":
        assert json.loads(written)["differences"][0]["samples"][0]["curl"] == curl


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Run an application that answers every GET with these bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            encoded = self.headers.get("Accept-Encoding", "identity") != "identity"
            if self.path == "/moved" or encoded:
                raise AssertionError(self.path, self.headers)
            self.send_response(302 if self.path == "/old" else 200)
            self.send_header("Location", "/moved")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"data":[{"id":2,"price":"29.00"}],"n":[1,2]}', 0),
        (b'{"data":[{"id":2,"price":29.5}],"n":[1,2]}', 1),
        (b'{"data":[{"id":2,"price":"29.00"}],"n":[1,2],"extra":1}', 1),
    ],
)
def test_exported_tests_pass_on_legacy_and_fail_on_what_differs(
    tmp_path: Path, body: bytes, code: int
) -> None:
    """They run as they are, with pytest and the standard library."""
    differences = (
        PRICE,
        KeptDifference("$.n[length]", "length_changed", "2", "3"),
        KeptDifference("status", "value_changed", "200", "500"),
        KeptDifference("$.extra", "extra", None, "1"),
        KeptDifference("$.token", "value_changed", '"[redacted 0123456789ab]"', '"x"'),
        KeptDifference("$.long", "value_changed", '"cut…', '"x"'),
        KeptDifference("html.title", "value_changed", '"a"', '"b"'),
    )
    done = run_exported(tmp_path, body, sample(*differences))
    assert done.returncode == code, done.stdout


def run_exported(folder: Path, body: bytes, *samples: Sample) -> subprocess.CompletedProcess[bytes]:
    """Run the exported tests of samples against an application that answers so."""
    file = folder / "test_case.py"
    file.write_text(FORMATS["pytest"].write(document(*samples)))
    with answering(body) as base:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)],
            env={"BASE_URL": base, "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            cwd=folder,
            capture_output=True,
            check=False,
        )


def test_exported_tests_ask_for_what_they_can_read(tmp_path: Path) -> None:
    """A redirect is not followed, and nothing is asked for in an encoding."""
    curl = "curl --path-as-is -X GET http://shop.example/old -H 'accept-encoding: gzip, br'"
    moved = sample(
        KeptDifference("status", "value_changed", "302", "200"),
        KeptDifference("headers.location", "value_changed", '"/moved"', '"/"'),
        curl=curl,
    )
    done = run_exported(tmp_path, b"{}", moved)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\n=1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    """Whichever way a spreadsheet begins one."""
    _, row = csv.reader(io.StringIO(FORMATS["csv"].write(document(text=text))))
    assert row[COLUMNS.index("paths")] == f"'{text}"


LEGACY_PAGE = """<p>Last <b>modified</b>:
 today</p><a href="/old?a=1&amp;b=2">go</a>"""
MODERN_PAGE = '<p>Last <b>changed</b>: today</p><a href="/new">go</a><p>by "us"</p>'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (LEGACY_PAGE, 0),
        (LEGACY_PAGE.replace("<p>", "<p class=x>").replace("\n", ""), 0),
        (MODERN_PAGE, 1),
        (LEGACY_PAGE.replace("modified", "changed"), 1),
        (LEGACY_PAGE.replace("/old", "/new"), 1),
        (LEGACY_PAGE + '<p>by "us"</p>', 1),
    ],
)
def test_exported_tests_expect_of_a_page_what_only_legacy_says(
    tmp_path: Path, body: str, code: int
) -> None:
    """Wherever it stands, however it is marked up; and not what only modern says."""
    differing = sample(
        KeptDifference(
            "html.p[0].text", "value_changed", '"Last modified: today"', '"Last changed: today"'
        ),
        KeptDifference("html.a.href", "value_changed", '"/old?a=1&b=2"', '"/new"'),
        KeptDifference("html.p[1].text", "extra", None, '"by \\"us\\""'),
        KeptDifference("html.p[2].text", "extra", None, '"go"'),  # stands on both
        KeptDifference("html.p[3].text", "value_changed", '"[redacted 0123456789ab]"', '"x"'),
    )
    pages = (
        replace(differing.primary, body=LEGACY_PAGE),
        replace(differing.candidate, body=MODERN_PAGE),
    )
    done = run_exported(
        tmp_path, body.encode(), replace(differing, primary=pages[0], candidate=pages[1])
    )
    assert done.returncode == code, done.stdout


def test_samples_that_nothing_can_be_expected_of_are_told(tmp_path: Path) -> None:
    """A file without any case does not pass, as if all were well."""
    hidden = sample(KeptDifference("$.t", "value_changed", '"[redacted 0123456789ab]"', '"x"'))
    written = FORMATS["pytest"].write(document(hidden, sample(PRICE)))
    assert "1 samples are not in here" in written
    assert "not in here" not in FORMATS["pytest"].write(document(sample(PRICE)))
    done = run_exported(tmp_path, b"{}", hidden)
    assert done.returncode == 5, done.stdout  # no tests ran


def test_group_without_a_value_to_expect_is_no_case() -> None:
    """Rather no test than one that cannot pass."""
    hidden = KeptDifference("$.t", "value_changed", '"[redacted 0123456789ab]"', '"x"')
    assert "CASES = []" in FORMATS["pytest"].write(document(sample(hidden)))
