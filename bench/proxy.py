"""The data plane beside nginx and HAProxy: CPU time per request and throughput, small GETs.

Method. Every product runs on core 0 with one worker; origin and load generator (wrk, 32 keep-alive
connections, 200 different session cookies) on the other cores. Products alternate, round by round;
each figure is the median over the rounds. CPU time is what the kernel has accounted to the
product's processes, so a noisy neighbour changes the throughput but hardly this. Ours runs as it
does in production: 20 routes, sticky split at 50%, request ids, trace context, outcome windows and
metrics; its controller and shadow worker run on the other cores and are reported apart.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROUNDS = 5
SECONDS = 3
CONNECTIONS = 32
PEERS = ("nginx", "haproxy")
TICKS = os.sysconf("SC_CLK_TCK")

_WRK = """
counter = 0
request = function()
  counter = counter + 1
  wrk.headers["Cookie"] = "PHPSESSID=s" .. (counter % 200)
  return wrk.format("GET", "/api/plans")
end
"""

_ORIGIN = """
daemon off; worker_processes 1; pid {folder}/origin.pid; error_log {folder}/origin.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {folder}/ob; proxy_temp_path {folder}/op; fastcgi_temp_path {folder}/of;
  uwsgi_temp_path {folder}/ou; scgi_temp_path {folder}/os;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{body}'; }} }}
}}
"""

_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/nb; proxy_temp_path {folder}/np; fastcgi_temp_path {folder}/nf;
  uwsgi_temp_path {folder}/nu; scgi_temp_path {folder}/ns;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""

_HAPROXY = """
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  option forwardfor
frontend front
  bind 127.0.0.1:{port}
  default_backend origin
backend origin
  http-reuse always
  server one 127.0.0.1:{origin}
"""


class BenchError(Exception):
    """The bench cannot be run here; the text says what is missing."""


@dataclass(slots=True)
class Product:
    """One proxy under measurement and what it showed, round by round."""

    name: str
    port: int
    pids: list[int]
    cpu_us: list[float] = field(default_factory=list)
    throughput: list[float] = field(default_factory=list)


def run() -> dict[str, Any]:
    """Measure, print the table, give ratios and figures."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("two cores are needed: one for the product, one for load and origin")
    for program in ("wrk", "nginx"):
        if shutil.which(program, path=_path()) is None:
            raise BenchError(
                f"{program} is missing; on Debian: apt-get install --no-install-recommends"
                " nginx-light haproxy wrk"
            )
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cutover-bench-")))
        folder.chmod(0o755)
        os.sched_setaffinity(0, cores[1:])
        products = _start(stack, folder, cores[0])
        helpers = _helpers(products[0])
        before = sum(map(_cpu_seconds, helpers))
        total = 0
        for number in range(ROUNDS):
            for product in products[number % len(products) :] + products[: number % len(products)]:
                total += _measure(product, folder) if product is products[0] else 0
                if product is not products[0]:
                    _measure(product, folder)
        aside = (sum(map(_cpu_seconds, helpers)) - before) / max(total, 1) * 1e6
    return _report(products, aside)


def _report(products: list[Product], aside: float) -> dict[str, Any]:
    ours, *peers = products
    print(f"{'':10}{'CPU us/request':>16}{'requests/s':>14}   medians of {ROUNDS} rounds")
    for product in products:
        cpu, rate = statistics.median(product.cpu_us), statistics.median(product.throughput)
        print(f"{product.name:10}{cpu:16.1f}{rate:14.0f}")
    print(f"controller and shadow worker beside ours: {aside:.1f} us per request")
    ratios: dict[str, float] = {}
    for peer in peers:
        ratios[f"cpu_per_request_vs_{peer.name}"] = _ratio(ours.cpu_us, peer.cpu_us)
        ratios[f"throughput_vs_{peer.name}"] = _ratio(ours.throughput, peer.throughput)
    figures = {f"{p.name}_cpu_us": round(statistics.median(p.cpu_us), 1) for p in products}
    return {"ratios": ratios, "figures": figures}


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 3)


def _start(stack: contextlib.ExitStack, folder: Path, core: int) -> list[Product]:
    origin, ours, *ports = _free_ports(2 + len(PEERS))
    body = '{"status":"ok","data":[' + ",".join(f'{{"id":{n},"price":"9.90"}}' for n in range(11))
    _write(folder / "origin.conf", _ORIGIN.format(folder=folder, port=origin, body=body + "]}"))
    stack.enter_context(_process(["nginx", "-c", f"{folder}/origin.conf"], None))
    _wait(origin)
    products = [_start_ours(stack, folder, core, ours, origin)]
    commands = {
        "nginx": ["nginx", "-c", f"{folder}/nginx.conf"],
        "haproxy": ["haproxy", "-f", f"{folder}/haproxy.conf", "-db"],
    }
    for (name, text), port in zip((("nginx", _NGINX), ("haproxy", _HAPROXY)), ports, strict=True):
        if shutil.which(name, path=_path()) is None:
            print(f"{name} is not installed: left out")
            continue
        _write(folder / f"{name}.conf", text.format(folder=folder, port=port, origin=origin))
        process = stack.enter_context(_process(commands[name], core))
        _wait(port)
        products.append(Product(name, port, _tree(process.pid)))
    return products


def _start_ours(
    stack: contextlib.ExitStack, folder: Path, core: int, port: int, origin: int
) -> Product:
    routes = "".join(
        f'  - {{id: r{n}, match: {{method: [GET], path: "/api/r{n}/{{id}}"}}, weight: 50%}}\n'
        for n in range(18)
    )
    rules = folder / "routing_rules.yaml"
    _write(
        rules,
        "version: 1\nupstreams:\n"
        f'  legacy: {{instances: ["http://127.0.0.1:{origin}"], max_connections: 64}}\n'
        f'  modern: {{instances: ["http://127.0.0.1:{origin}"], max_connections: 64}}\n'
        "defaults: {sticky_by: [cookie:PHPSESSID, client_ip]}\nroutes:\n"
        + routes
        + "  - {id: plans, match: {method: [GET], path: /api/plans}, weight: 50%}\n"
        + "  - {id: rest, match: {path: /*}}\n",
    )
    (admin,) = _free_ports(1)
    command = [
        sys.executable, "-m", "proxy", "serve", "--rules", str(rules), "--workers", "1",
        "--state", str(folder / "state"), "--listen", f"127.0.0.1:{port}",
        "--admin-listen", f"127.0.0.1:{admin}", "--access-log", "off",
    ]  # fmt: skip
    process = stack.enter_context(_process(command, None))
    _wait(port)
    _wait_for_answer(port)
    worker = _listening_worker(process.pid)
    os.sched_setaffinity(worker, {core})
    return Product("cutover", port, [worker])


def _listening_worker(supervisor: int) -> int:
    """The data plane worker is the child started last."""
    return max(_tree(supervisor)[1:])


def _helpers(ours: Product) -> list[int]:
    (worker,) = ours.pids
    parent = int(Path(f"/proc/{worker}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return [pid for pid in _tree(parent) if pid != worker]


def _measure(product: Product, folder: Path) -> int:
    script = folder / "wrk.lua"
    _write(script, _WRK)
    before = sum(map(_cpu_seconds, product.pids))
    began = time.monotonic()
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "-s", str(script),
         f"http://127.0.0.1:{product.port}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    took = time.monotonic() - began
    used = sum(map(_cpu_seconds, product.pids)) - before
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BenchError(f"{product.name} failed requests:\n{done.stdout}")
    line = next(line for line in done.stdout.splitlines() if " requests in " in line)
    count = int(line.split()[0])
    product.cpu_us.append(used / count * 1e6)
    product.throughput.append(count / took)
    return count


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _tree(pid: int) -> list[int]:
    found = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += _tree(int(child))
    return found


@contextlib.contextmanager
def _process(command: list[str], core: int | None) -> Iterator[subprocess.Popen[bytes]]:
    pinned = command if core is None else ["taskset", "-c", str(core), *command]
    env = os.environ | {"PATH": _path()}
    process = subprocess.Popen(pinned, start_new_session=True, env=env, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [sock.getsockname()[1] for sock in sockets]


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise BenchError(f"nothing listens on port {port}")


def _wait_for_answer(port: int) -> None:
    """Wait until the rules are in force."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as sock:
            sock.sendall(b"GET /api/plans HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            if sock.recv(12).endswith(b"200"):
                return
        time.sleep(0.1)
    raise BenchError("the proxy does not answer; run `cutover serve` by hand to see why")


def _write(path: Path, text: str) -> None:
    path.write_text(text)
