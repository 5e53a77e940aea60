"""The kind `translation`: texts of definitions in another language, by path."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.schema import Schema
from core.definition.kinds.system import is_language
from core.definition.names import suggestion
from core.definition.texts import TEXT_KEYS, split
from core.definition.values import Merged


class TranslationSchema(Schema):
    """A PO file, translations/<language>.po; each entry's msgctxt is the path of the text."""

    texts: dict[str, str] = Property({}, description="The translated texts, by path such as "
                                     "`table opportunity.fields.amount.title`.")


class TranslationKind(Kind):
    """Texts in another language, by path; every layer adds its own."""

    name = "translation"
    folder = "translations"
    suffix = ".po"
    lazy = True
    schema: ClassVar[type[Schema]] = TranslationSchema
    shared = True

    def build(self, merged: Merged, schema: Any, building: Building) -> dict[str, str]:
        """The texts by path."""
        return dict(schema.texts)

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check that every path leads to something that has a text."""
        if not is_language(merged.name):
            building.tell(merged, (), f'"{merged.name}" is no language: name the file like zh_CN.po')
        for path in value:
            wrong = _fault(path, building)
            if wrong is None:
                _refer(merged, path, building)
            elif not _renamed(merged, path, building):
                building.tell(merged, ("texts", path), wrong)


def _refer(merged: Merged, path: str, building: Building) -> None:
    """Remember the definition and the member that a path names."""
    kind, name, parts = split(path)
    inside = len(kind) + 1
    building.refer(merged, ("texts", path), kind, name, inside)
    inside += len(name) + 1
    if kind == "table" and parts[0] == "fields":
        building.field(merged, ("texts", path), name, parts[1], inside + len("fields."))
    elif kind == "form" and len(parts) > 1:
        building.refer(merged, ("texts", path), kind, f"{name}.{parts[0]}", inside)
    elif len(parts) > 2:
        direct = (kind, parts[0]) in (("mixin", "fields"), ("choices", "values"))
        member = parts[1] if direct else f"{parts[0]}.{parts[1]}"
        building.refer(merged, ("texts", path), kind, f"{name}.{member}", inside + len(parts[0]) + 1)


def _renamed(merged: Merged, path: str, building: Building) -> bool:
    """True if a path leads to a text once its former names are those of now; they are remembered."""
    kind, _, rest = path.partition(" ")
    renames, words, aliases = building.names.renames, rest.split("."), []
    inside = len(kind) + 1
    for index, word in enumerate(words[:-1]):
        now = renames.inside(kind, words[0], word) if index else \
            None if (kind, word) in building.merged else renames.definition(kind, word)
        if now is not None:
            aliases.append((word, now, inside))
            words[index] = now
        inside += len(word) + 1
    if not aliases or _fault(f"{kind} {'.'.join(words)}", building) is not None:
        return False
    return all(building.alias(merged, ("texts", path), old, now, at) for old, now, at in aliases)


def _fault(path: str, building: Building) -> str | None:
    """Why a path leads to no text, or None."""
    kind, name, parts = split(path)
    merged = building.merged.get((kind, name))
    if merged is None:
        return f'"{path}" leads nowhere: there is no {kind or "kind"} "{name}"' + suggestion(name, building.known(kind))
    if (kind, name) in building.broken:
        return None
    if not parts or parts[-1] not in TEXT_KEYS:
        return f'"{path}" leads to no text: it ends with one of {", ".join(sorted(TEXT_KEYS))}'
    if kind == "form":
        refs = building.values["form"][name].titles
        return None if parts == ["title"] or (len(parts) == 2 and parts[0] in refs) else _nowhere(path, parts[0], refs)
    body: object = merged.body
    for part in parts[:-1]:
        if not isinstance(body, dict) or part not in body:
            if kind == "table" and len(parts) == 3 and _inherited(name, parts, building):
                return None
            return _nowhere(path, part, body if isinstance(body, dict) else ())
        body = body[part]
    return None


def _inherited(table: str, parts: list[str], building: Building) -> bool:
    found = building.names.tables.get(table)
    return found is not None and parts[1] in getattr(found, parts[0], {})


def _nowhere(path: str, part: str, known: Any) -> str:
    return f'"{path}" leads nowhere: there is no "{part}"' + suggestion(part, known)
