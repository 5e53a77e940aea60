"""The texts of a Model as units of translation: path, words, and the layer whose catalogue has to hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from core.definition.canonical import digest
from core.definition.effects import Effects, Key
from core.definition.kinds.steps import StepSchema
from core.definition.names import COLUMNS
from core.definition.shapes import Shape, shape_of
from core.definition.texts import humanised, split, stand_ins, translations, written_text
from core.definition.values import BodyPath, Layer, Mark, Merged

if TYPE_CHECKING:
    from core.definition.kinds.base import Kind
    from core.definition.model import Model

SHORT = 80
UNTRANSLATED = frozenset({"translation", "data"})      # a catalogue is no text, and records are no definitions


@dataclass(frozen=True)
class Unit:
    """A text that people read: where it is keyed, what it says, which layer says it and where."""

    path: str
    text: str
    layer: str
    mark: Mark

    @property
    def short(self) -> str:
        """What it says, in one line of a list."""
        return shorten(self.text, SHORT, placeholder=" ...")


@dataclass(frozen=True)
class Missing:
    """A unit that a language has no words for."""

    unit: Unit
    language: str


def units(model: Model, kinds: Mapping[str, Kind]) -> tuple[Unit, ...]:
    """Every text of the Model in the order of its definitions; those that stand in for others come once."""
    return tuple(unit for merged in model.definitions.values() if merged.kind not in UNTRANSLATED
                 for unit in _of_definition(model, merged, kinds[merged.kind]))


def missing(model: Model, found: tuple[Unit, ...], written_in: Mapping[str, str]) -> tuple[Missing, ...]:
    """What the system's languages have no words for; `written_in` is the language of each layer's own texts."""
    return tuple(Missing(unit, language) for language in model.system.languages for unit in found
                 if written_in.get(unit.layer, "en") != language
                 and not translations(model, language).get(unit.path) and any(map(str.isalpha, unit.text)))


def written_in(model: Model, layers: tuple[Layer, ...]) -> dict[str, str]:
    """The language that each layer's texts are written in: an addon says its own, the site's is the system's first."""
    said = {addon.name: addon.language for addon in model.addons}
    first = model.system.languages[0] if model.system.languages else "en"
    return {layer.name: said.get(layer.name, first) for layer in layers}


def without_outdated(merged: Mapping[Key, Merged], order: tuple[str, ...], effects: Effects) -> dict[Key, Merged]:
    """The definitions without translations of texts that a higher layer has replaced or removed meanwhile."""
    rank = {name: number for number, name in enumerate(order)}
    result = dict(merged)
    for key, one in merged.items():
        texts = one.body.get("texts")
        if one.kind != "translation" or not isinstance(texts, dict):
            continue
        kept = {path: text for path, text in texts.items()
                if rank.get(one.origin[("texts", path)].layer, 0) >= max(
                    rank.get(layer, 0) for layer in (said_by(path, merged), *_removed_by(path, merged, effects)))}
        if len(kept) < len(texts):
            body = {**one.body, "texts": kept}
            result[key] = replace(one, body=body, hash=digest(one.kind, one.name, body, format=one.format))
    return result


def _removed_by(path: str, merged: Mapping[Key, Merged], effects: Effects) -> Iterator[str]:
    """The layers that took away what a path leads to, or something around it."""
    kind, name, parts = split(path)
    of_one = effects.get((kind, name), ())
    if kind == "form":                          # an element goes with the one around it, or keeps no title
        if of_one and len(parts) == 2 and _titled(merged.get((kind, name)), parts[0]) == ():
            yield from (effect.layer for effect in of_one)
        return
    for effect in of_one:
        if effect.act == "remove" and not effect.missed and list(effect.path) == parts[:len(effect.path)]:
            yield effect.layer


def _titled(form: Merged | None, ref: str) -> BodyPath:
    """Where the element of a form stands that has this ref and a title; () if there is none."""
    layout = form.body.get("layout") if form is not None else None
    return next((place for node, place in _nodes(layout, ("layout",))
                 if node["ref"] == ref and "title" in node.get("attributes", {})), ())


def said_by(path: str, merged: Mapping[tuple[str, str], Merged]) -> str:
    """The layer that wrote the text at a path; none if nobody wrote it there."""
    kind, name, parts = split(path)
    one = merged.get((kind, name))
    if one is None:
        return ""
    if kind == "form" and len(parts) == 2:
        found = next((place for node, place in _nodes(one.body.get("layout"), ("layout",)) if node["ref"] == parts[0]),
                     ())
        return one.layer_at((*found, "attributes", parts[1])) if found else ""
    return one.layer_at(tuple(parts))


def _of_definition(model: Model, merged: Merged, kind: Kind) -> Iterator[Unit]:
    for place, text in dict(_texts(shape_of(kind.schema), merged.body, ())).items():    # verbs may share a property
        path = ".".join((f"{merged.kind} {merged.name}", *map(str, place)))
        said = text if text is not None else _unwritten(model, path)
        if said:
            yield _unit(merged, path, said, place if text is not None else place[:-1])
    for node, place in _nodes(merged.body.get("layout"), ("layout",)):
        title = node.get("attributes", {}).get("title")
        if title:
            yield _unit(merged, f"{merged.kind} {merged.name}.{node['ref']}.title", title,
                        (*place, "attributes", "title"))


def _unit(merged: Merged, path: str, text: str, place: BodyPath) -> Unit:
    origin = next(found for length in range(len(place), -1, -1) if (found := merged.origin.get(place[:length])))
    return Unit(path, text, origin.layer, origin.mark)


def _unwritten(model: Model, path: str) -> str:
    """What stands where nobody wrote a title, if it is no other unit's text."""
    if path.endswith(".plural"):
        return written_text(model, path) or ""
    if path.startswith("system ") or not path.endswith(".title") or any(
            _is_there(model, other) for other in stand_ins(model, path) if other != path):
        return ""                               # a system is called by its own word, not by its name
    return humanised(path.removesuffix(".title").replace(" ", ".").rpartition(".")[2])


def _is_there(model: Model, path: str) -> bool:
    """Whether a definition has what the text at a path is about."""
    kind, name, parts = split(path)
    if kind == "table" and parts[0] == "fields" and parts[1] in COLUMNS:
        return True                             # every record has them, and core has words for them
    merged = model.definitions.get((kind, name))
    body: object = merged.body if merged else None
    for part in parts[:-1]:
        body = body.get(part) if isinstance(body, dict) else None
    return body is not None


def _texts(shape: Shape, body: Mapping[str, Any], place: BodyPath) -> Iterator[tuple[BodyPath, str | None]]:
    """The texts of a body by its shape; None for a title or plural that it leaves out."""
    for key in shape.known:
        value, inner = body.get(key), shape.member(key)
        if inner.text:
            if isinstance(value, str) or key in ("title", "plural"):
                yield (*place, key), value if isinstance(value, str) else None
        elif isinstance(value, dict) and inner.model is not None:
            yield from _texts(inner, value, (*place, key))
        elif isinstance(value, dict) and inner.inner is not None:
            for member, below in value.items():
                if isinstance(below, dict):
                    yield from _texts(inner.inner, below, (*place, key, member))
    if shape.model is not None and issubclass(shape.model, StepSchema):     # its verb says what stands beside it
        for beside in shape.model.beside(body):
            yield from _texts(shape_of(beside), body, place)


def _nodes(layout: object, place: BodyPath) -> Iterator[tuple[dict[str, Any], BodyPath]]:
    for index, node in enumerate(layout if isinstance(layout, list) else ()):
        yield node, (*place, index)
        yield from _nodes(node.get("children"), (*place, index, "children"))
