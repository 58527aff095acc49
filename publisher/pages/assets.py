"""Style, script and pictures under names that carry their content's hash, packed once at start."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import brotli

FOLDER = Path(__file__).parent / "static"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class Asset:
    """One static file; `name` changes with its content, so that it may be kept for ever."""

    name: str
    content_type: str
    body: bytes

    @cached_property
    def packed(self) -> Mapping[str, bytes]:
        """The body by content coding."""
        return {
            "br": brotli.compress(self.body, quality=9),
            "gzip": gzip.compress(self.body, 9, mtime=0),
        }


@dataclass(frozen=True)
class Assets:
    """All static files, by their own name and by their hashed one."""

    by_name: Mapping[str, Asset]

    @cached_property
    def by_path(self) -> Mapping[str, Asset]:
        """Hashed name → file."""
        return {asset.name: asset for asset in self.by_name.values()}

    def path(self, name: str) -> str:
        """The site's path of a file.

        >>> ASSETS.path("site.css").startswith("/static/site.")
        True
        """
        return "/static/" + self.by_name[name].name


def read(folder: Path) -> Assets:
    """Every file of a folder."""
    found = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in _KINDS:
            body = file.read_bytes()
            mark = hashlib.blake2b(body, digest_size=6).hexdigest()
            found[file.name] = Asset(f"{file.stem}.{mark}{file.suffix}", _KINDS[file.suffix], body)
    return Assets(found)


ASSETS = read(FOLDER)


def _mark() -> str:
    """Changes with any template or asset: part of every page's validator."""
    digest = hashlib.blake2b(digest_size=6)
    for file in sorted((FOLDER.parent / "templates").rglob("*.html")):
        digest.update(file.read_bytes())
    for asset in ASSETS.by_name.values():
        digest.update(asset.name.encode())
    return digest.hexdigest()


MARK = _mark()
