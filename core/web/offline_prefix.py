"""What the offline system answers, put under its prefix: every address of our own in HTML, JSON and headers.

The pages know nothing of a prefix. This is the one place that does, so that none of them can forget it.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Response

PREFIX = "/offline"
# Every attribute in which pages and scripts keep addresses; a test walks all pages and misses none.
ATTRIBUTES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete",
              "hx-push-url", "hx-replace-url", "data-href", "data-back", "data-home", "data-lookup", "data-conditions")
KEYS = frozenset(("home", "href", "url"))            # of JSON that pages read: an address
DRAWN = frozenset(("value", "control"))              # the same: HTML
HEADERS = ("Location", "HX-Location", "HX-Redirect", "HX-Push-Url", "HX-Replace-Url")
_ADDRESS = re.compile(rf"""(\s(?:{"|".join(ATTRIBUTES)})=["'])(?=/(?!/))""")
_API = "/api/"


def put_under(response: Response, path: str, host: str) -> None:
    """Put an answer under the prefix; what is no page of ours, such as a file, stays as it is."""
    for name in HEADERS:
        if name in response.headers:
            response.headers[name] = located(response.headers[name], host)
    if "Content-Disposition" in response.headers:
        return
    if response.mimetype == "text/html":
        response.set_data(html(response.get_data(as_text=True)))
    elif response.mimetype == "application/json" and not path.startswith(_API):
        response.set_data(json.dumps(data(json.loads(response.get_data(as_text=True))), ensure_ascii=False))
    elif path == "/api/v1/openapi.json" and response.mimetype == "application/json":
        found = json.loads(response.get_data(as_text=True))
        for server in found.get("servers", ()):
            server["url"] = located(server["url"], host)
        response.set_data(json.dumps(found, ensure_ascii=False))


def html(text: str) -> str:
    """Addresses in the attributes of HTML."""
    return _ADDRESS.sub(rf"\g<1>{PREFIX}", text)


def data(value: Any) -> Any:
    """Addresses in JSON that our scripts read."""
    if isinstance(value, list):
        return [data(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _member(key, one) for key, one in value.items()}


def _member(key: str, value: Any) -> Any:
    if isinstance(value, str) and key in KEYS:
        return located(value)
    return html(value) if isinstance(value, str) and key in DRAWN else data(value)


def located(address: str, host: str = "") -> str:
    """One address; another site's stays as it is."""
    parts = urlsplit(address)
    if parts.netloc not in ("", host) or not parts.path.startswith("/"):
        return address
    return parts._replace(scheme="", netloc="", path=PREFIX + parts.path).geturl()
