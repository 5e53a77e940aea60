"""An e-mail address."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from core.types.address import AddressType
from core.types.base import BadValue
from core.types.characters import clean
from core.types.several import ManyProperties

_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}")
_LABEL = re.compile(r"(?!-)[^\W_](?:[\w-]{0,61}[^\W_])?", re.UNICODE)


class EmailType(AddressType):
    """One e-mail address; its domain is kept in lower case."""

    name: ClassVar[str] = "email"

    def validate(self, value: Any, p: ManyProperties) -> str | None:
        text = clean(value, 254)
        if text is None:
            return None
        local, at, domain = text.removeprefix("mailto:").rpartition("@")
        labels = domain.split(".")
        dotted = local.startswith(".") or local.endswith(".") or ".." in local
        if (not at or dotted or len(labels) < 2 or not _LOCAL.fullmatch(local)
                or not all(_LABEL.fullmatch(label) for label in labels)):
            raise BadValue("email", "\"{value}\" is not an e-mail address.", value=text[:80])
        return f"{local}@{domain.lower()}"
