"""Texts of definitions: the `{path}` in them, their translations, and what stands in when none is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.definition.model import Model

TEXT_KEYS = frozenset({"title", "plural", "help", "message", "description"})
_PATH = re.compile(r"\{([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*)\}")
_BRACE = re.compile(r"[{}]")


def text_paths(text: str) -> list[str]:
    """The paths that stand in braces in a text."""
    return _PATH.findall(text)


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Braces that hold no path, as column (from 1) and message."""
    rest = _PATH.sub(lambda match: "x" * len(match[0]), text)
    for match in _BRACE.finditer(rest):
        yield match.start() + 1, "braces in a text hold a path, such as {company.name}"
        return


def humanised(name: str) -> str:
    """A name as a title: close_date is "Close date"."""
    return name.replace("_", " ").strip().capitalize()


def text(model: Model, path: str, language: str) -> str:
    """The text at a path in a language; else as the definition says it; else made from the name."""
    candidates = list(_candidates(model, path))
    for candidate in candidates:
        translated = translations(model, language).get(candidate)
        if translated:
            return translated
    for candidate in candidates:
        written = written_text(model, candidate)
        if written is not None:
            return written
    return _fallback(path)


def translations(model: Model, language: str) -> dict[str, str]:
    """All translated texts of a language by path."""
    found = model.values["translation"].get(language)
    return found if isinstance(found, dict) else {}


def written_text(model: Model, path: str) -> str | None:
    """The text a definition has at a path, in the language it is written in."""
    kind, _, rest = path.partition(" ")
    name, *parts = rest.split(".")
    merged = model.definitions.get((kind, name))
    if merged is None:
        return None
    if kind == "form" and len(parts) == 2:
        return model.forms[name].titles.get(parts[0]) if name in model.forms else None
    value: object = merged.body
    for part in parts:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value if isinstance(value, str) else None


def _candidates(model: Model, path: str) -> Iterator[str]:
    """The path itself; for a table's member then the same in its mixins, and in its base and the base's."""
    yield path
    kind, _, rest = path.partition(" ")
    name, _, member = rest.partition(".")
    if kind != "table" or "." not in member:
        return
    table = model.tables.get(name)
    while table is not None:
        if table.name != name:
            yield f"table {table.name}.{member}"
        for mixin in table.uses:
            yield f"mixin {mixin}.{member}"
        table = model.tables.get(table.base) if table.base else None


def _fallback(path: str) -> str:
    """What stands in for a text that nobody wrote: its name; for a message or help, nothing."""
    parts = path.partition(" ")[2].split(".")
    if len(parts) > 1 and parts[-1] in TEXT_KEYS:
        return humanised(parts[-2]) if parts[-1] in ("title", "plural") else ""
    return humanised(parts[-1])
