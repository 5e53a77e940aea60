"""A fax number."""

from __future__ import annotations

from typing import ClassVar

from core.types.phone import PhoneType


class FaxType(PhoneType):
    """A fax number: kept and found as a phone number is, but nothing that one talks to."""

    name: ClassVar[str] = "fax"
