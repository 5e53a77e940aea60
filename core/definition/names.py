"""What a name may be, the names that are taken, and the nearest one to a mistyped name."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable

from rapidfuzz.distance import DamerauLevenshtein

LONGEST = 49
NAME = "[a-z][a-z0-9_]{0,48}"
_NAME = re.compile(NAME)

# Words that are values or operators in expressions: no field, table or role can be called so.
WORDS = frozenset(keyword.kwlist) | {"true", "false", "null", "outer", "all", "record", "parameter", "query", "setting"}
# What every record has.
COLUMNS = frozenset({"id", "created_on", "created_by", "changed_on", "changed_by"})
# Names of things that every JavaScript object has; a page that looks one up must not find those.
SCRIPT = frozenset({"constructor", "prototype", "hasownproperty", "valueof", "tostring"})
# First parts of an address that are pages of core, so no object can have them.
PAGES = frozenset({
    "search", "worklist", "admin", "api", "offline", "new", "static", "login", "logout", "setup", "account",
    "lookup", "file", "files", "history", "trash", "import", "export", "help", "healthz", "live", "ready", "metrics",
    "assets", "favicon", "robots", "events", "desktop", "home", "settings", "me", "preferences"})


def fault(name: object) -> str | None:
    """Why this cannot be a name at all, or None."""
    if not isinstance(name, str):
        return f"a name is a text, not {name!r}: put it in quotes"
    if _NAME.fullmatch(name):
        if name in WORDS:
            return f'"{name}" cannot be a name: it is a word of the expression language'
        if name in SCRIPT:
            return f'"{name}" cannot be a name: it is reserved'
        return None
    if len(name) > LONGEST and _NAME.fullmatch(name[:LONGEST]):
        return f'the name "{name[:20]}..." has {len(name)} characters: at most {LONGEST} are allowed'
    folded = unicodedata.normalize("NFKC", name).casefold()
    hint = f': write "{folded}"' if _NAME.fullmatch(folded) else ""
    strange = next((character for character in name if not character.isascii()), None)
    if strange is not None:
        what = unicodedata.name(strange, "an unnamed character")
        return f'"{name}" cannot be a name: it holds {what} (U+{ord(strange):04X}){hint}'
    return f'"{name[:60]}" cannot be a name: names are a-z, 0-9 and _, and begin with a letter{hint}'


def suggestion(name: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)` for the nearest known name, or nothing."""
    found = nearest(name, known)
    return f' (did you mean "{found}"?)' if found else ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that differs in the fewest strokes, if that is few enough to be a slip."""
    limit = max(1, len(name) // 3)
    best: str | None = None
    for candidate in known:
        distance = DamerauLevenshtein.distance(name, candidate, score_cutoff=limit)
        if distance <= limit and candidate != name:
            best, limit = candidate, distance - 1
    return best
