"""DokuWiki and what it needs, as Debian packages that are unpacked and not installed."""

from __future__ import annotations

from pathlib import Path

from deploy.stack.program import find, run

PACKAGES = (
    "dokuwiki", "php-geshi", "php-phpseclib", "php-random-compat", "libphp-simplepie",
    "libjs-jquery", "libjs-jquery-ui", "libjs-jquery-cookie", "php8.2-xml",
)  # fmt: skip


def unpacked(folder: Path) -> Path:
    """Fetch and unpack the packages below the folder, unless they are there; give their root."""
    root = folder / "root"
    if (root / "usr/share/dokuwiki/doku.php").exists():
        return root
    fetched = folder / "packages"
    fetched.mkdir(parents=True, exist_ok=True)
    run([find("apt-get", "apt"), "download", *PACKAGES], cwd=fetched)
    for package in sorted(fetched.glob("*.deb")):
        run([find("dpkg-deb", "dpkg"), "-x", str(package), str(root)])
    return root
