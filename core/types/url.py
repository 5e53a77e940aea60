"""A web address."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

from core.types.address import AddressType
from core.types.base import BadValue
from core.types.characters import clean
from core.types.several import ManyProperties

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)")


class UrlType(AddressType):
    """A web address; only http and https, which is put before an address without a scheme."""

    name: ClassVar[str] = "url"
    separators: ClassVar[str] = "\\s"

    def validate(self, value: Any, p: ManyProperties) -> str | None:
        text = clean(value, 2_000)
        if text is None:
            return None
        address = text if _SCHEME.match(text) else "https://" + text
        try:
            parts = urlsplit(address)
            host = parts.hostname or ""
            parts.port  # noqa: B018  reading it is what checks it
        except ValueError:
            host = ""
        if not host or parts.scheme not in ("http", "https") or re.search(r"[\s<>\"]", address):
            raise BadValue("url", "\"{value}\" is not a web address.", value=text[:80])
        return address
