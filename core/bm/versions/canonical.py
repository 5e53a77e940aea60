"""One way to write a value as bytes, so that equal values have equal hashes."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any, sort: bool = True) -> bytes:
    """JSON without blanks; keys sorted unless their order means something."""
    return json.dumps(value, ensure_ascii=False, sort_keys=sort, separators=(",", ":"), default=_plain).encode()


def digest(value: bytes) -> str:
    """The SHA-256 of some bytes, in hex."""
    return hashlib.sha256(value).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, tuple | frozenset | set):
        return sorted(value) if not isinstance(value, tuple) else list(value)
    return str(value)
