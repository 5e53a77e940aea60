"""The canonical form of a definition, and its hash: positions and comments never count, order always does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping


def dump(body: object) -> str:
    """A body as canonical JSON: keys in their order (it is the order of fields and columns), no white space."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def load(text: str) -> object:
    """The body that `dump` wrote."""
    return json.loads(text)


def digest(kind: str, name: str, body: object, change: bool = False, format: int = 1) -> str:
    """The hash of a definition."""
    head = ["change " + kind if change else kind, name, format]
    return hashlib.sha256(dump([*head, body]).encode()).hexdigest()


def digest_all(hashes: Mapping[tuple[str, str], str] | Iterable[tuple[tuple[str, str], str]]) -> str:
    """The hash of a set of definitions, from (kind, name) and hash of each, in any order."""
    pairs = hashes.items() if isinstance(hashes, Mapping) else hashes
    lines = "\n".join(sorted(f"{kind} {name} {hash}" for (kind, name), hash in pairs))
    return hashlib.sha256(lines.encode()).hexdigest()
