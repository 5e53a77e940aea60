"""Static files under URLs that change with their content, so a browser may keep them for a year."""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from core.web.context import Context
from core.web.routing import Route

FOLDER = Path(__file__).parent / "static"
YEAR = 365 * 24 * 3600
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
          ".woff2": "font/woff2", ".json": "application/json", ".webmanifest": "application/manifest+json"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, in memory, with its packed twin when that is smaller."""

    data: bytes
    packed: bytes | None
    type: str


@cache
def listing() -> dict[str, Path]:
    """All static files by their path below static/."""
    return {str(path.relative_to(FOLDER)): path for path in sorted(FOLDER.rglob("*")) if path.is_file()}


@cache
def digest() -> str:
    """One hash over all files: modules import each other by relative path, so they change together."""
    whole = hashlib.sha256()
    for name, path in listing().items():
        whole.update(name.encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:12]


def url(name: str) -> str:
    """The address of a static file."""
    return f"/static/{digest()}/{name}"


@cache
def vendor_name(name: str) -> str:
    """The path of a vendor file by the plain name that pages and stylesheets use; set-up put a hash into it."""
    manifest = FOLDER / "vendor" / "manifest.json"
    names: dict[str, str] = json.loads(manifest.read_text()) if manifest.exists() else {}
    plain = name.removeprefix("vendor/")
    return f"vendor/{names.get(plain, plain)}"


def vendor(name: str) -> str:
    """The address of a vendor file, such as `tabler.min.css`."""
    return url(vendor_name(name))


@cache
def icon_names() -> frozenset[str]:
    """The icons that the sprite holds."""
    path = listing().get(vendor_name("icons.svg"))
    return frozenset(re.findall(r'id="tabler-([a-z0-9-]+)"', path.read_text())) if path is not None else frozenset()


@cache
def load(name: str) -> Asset:
    """Read a file once for the life of the process; raises KeyError for a file that is not there."""
    path = listing().get(name) or listing()[vendor_name(name)]
    data = path.read_bytes()
    packed = gzip.compress(data, 6, mtime=0) if path.suffix in (".js", ".css", ".svg", ".json") else None
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(data, packed if packed and len(packed) < len(data) else None, kind)


def serve(context: Context, stamp: str, name: str) -> Response:
    """Answer with a static file; an old stamp gets today's file, not to be kept."""
    try:
        asset = load(name)
    except KeyError:
        raise NotFound from None
    accepts = "gzip" in context.request.headers.get("Accept-Encoding", "")
    response = Response(asset.packed if accepts and asset.packed else asset.data, content_type=asset.type)
    if accepts and asset.packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    fresh = stamp == digest()
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if fresh else "no-cache"
    return response


ROUTES = (Route("/static/<stamp>/<path:name>", ("GET",), serve, "none", "everyone"),)
