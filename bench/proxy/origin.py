"""The application behind all products: nginx with answers of fixed sizes."""

from __future__ import annotations

from bench.proxy.products import nginx
from bench.proxy.products.site import Plan, Site

SMALL = '{"status":"ok","data":[' + ",".join(
    f'{{"id":{number},"price":"9.90"}}' for number in range(11)
) + "]}"  # fmt: skip
LARGE = 100 * 1024
POSTED = b'{"status":"ok"}'


def configure(site: Site) -> Plan:
    """Give the origin's configuration.

    A POST is read to its end before it is answered: `return` would answer at its head, which not
    every proxy may treat alike, and no application does. The mirror module reads the body, and the
    static module's refusal of POST is turned into the answer. The last four are for the soak.
    """
    text = f"""{nginx.head(site, workers=1)}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
  {nginx.temporary(site)}
  default_type application/json; sendfile on; tcp_nopush on; open_file_cache max=16;
  client_body_buffer_size 64k; root {site.folder};
  server {{
    listen 127.0.0.1:{site.port} backlog=4096;
    location / {{ return 200 '{SMALL}'; }}
    location /large/ {{ try_files /large.json =404; }}
    location /api/ {{ return 200 '{SMALL}'; }}
    location /post/ {{
      mirror /read; error_page 405 =200 /posted.json; try_files /posted.json =404;
    }}
    location = /read {{ internal; return 204; }}
    location = /posted.json {{ }}
    location /chunked/ {{
      sub_filter_types *; sub_filter none-of-this instead; try_files /large.json =404;
    }}
    location /slow/ {{ limit_rate 200k; try_files /large.json =404; }}
    location /error/ {{ return 500 'no'; }}
    location /reset/ {{ return 444; }}
  }}
}}
"""
    files = {
        "origin.conf": text,
        "large.json": '"' + "0123456789abcdef" * (LARGE // 16) + '"',
        "posted.json": POSTED.decode(),
    }
    return Plan(["nginx", "-c", str(site.folder / "origin.conf")], files)
