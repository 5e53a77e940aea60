"""What is remembered of a set without problems, and how a change to it is checked by looking only at what it touches.

Remembered is, beside the hash of every file, what each definition looked at while it was checked. When files change,
those definitions are checked again that changed, that looked at what changed, or that looked at values of those. The
answer is "still sound", or nothing at all: then the whole set is checked, and tells its problems as it always does. So
does everything that this does not follow: files that come or go or become another definition, what is said of addons
and of the system, and tables that get another base or other mixins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.definition import overrides
from core.definition.building import Building
from core.definition.canonical import digest_all, dump
from core.definition.catalogue import said_by
from core.definition.circles import circle_of
from core.definition.files import Reading, read_file
from core.definition.formulas import read_graph
from core.definition.layers import SITE, shown
from core.definition.load import Loaded, build_later, check_all
from core.definition.lookup import Definitions, Fact
from core.definition.merge import merge
from core.definition.scope import Names
from core.definition.values import Definition, Layer, Merged
from core.errors import counted
from core.expression.functions import functions
from core.plugins import Plugins

Key = tuple[str, str]                                   # kind, name
WHOLE = frozenset({"addon", "system", "workflow", "translation"})       # what they say concerns too much
FIELDS = frozenset({"table", "mixin"})                  # others may look at single fields of these
# Values of these kinds are built from definitions alone: a check that looked at one did not see what its own check saw.
PLAIN = frozenset({"table", "mixin", "choices", "role"})


@dataclass
class Sound:
    """A set without problems; texts name definitions as "kind:name" and fields as "table:name.field"."""

    contents: dict[str, str]                    # path -> hash, of all files
    files: dict[str, list[str]]                 # path -> kind, name, layer, and "change" or ""
    layers: list[list[Any]]                     # name, version, path, needs; lowest first
    hashes: dict[str, str]                      # of merged definitions
    looked: dict[str, str]                      # by definition: what it looked at, between spaces
    order: dict[str, list[str]]                 # names of each kind as they are built
    under: dict[str, list[str]]                 # the tables under each base that hold records
    frames: dict[str, list[str]]                # by table: its base and mixins, as "table:x" and "mixin:x"
    fields: dict[str, dict[str, str]]           # by table and mixin: the hash of each field as written
    formulas: dict[str, list[str]]              # by formula: the formulas it reads
    own: dict[str, int]                         # by table: how many fields it declares
    texts: dict[str, dict[str, dict[str, str]]]     # by language and definition: translated texts, and who says them
    outdated: dict[str, list[str]]              # by language: the translations that are left out

    @property
    def summary(self) -> str:
        """What the set holds, in a line."""
        hashed = digest_all((split(text), hash) for text, hash in self.hashes.items())
        return line(len(self.order["addon"]), self.own, len(self.hashes), len(self.layers), hashed)


def line(addons: int, fields: Mapping[str, int], definitions: int, layers: int, hashed: str) -> str:
    """What a set holds, in a line; `fields` has their number by table."""
    parts = [counted(addons, "addon"), counted(len(fields), "table"), counted(sum(fields.values()), "field"),
             counted(definitions, "definition"), counted(layers, "layer")]
    return f"all is well: {', '.join(parts)}; model {hashed[:12]}"


def split(text: str) -> Key:
    """Kind and name of "kind:name"."""
    kind, _, name = text.partition(":")
    return kind, name


def sound_of(loaded: Loaded, building: Building, contents: dict[str, str], root: Path) -> Sound | None:
    """What to remember of a set; None if it has problems, notices or former names, or lies behind a link."""
    if loaded.problems or loaded.notices or loaded.aliases or building.facts is None:
        return None
    files = {str(root / one.mark().file): [one.kind, one.name, one.layer, "change" if one.change else ""]
             for layer in loaded.layers for one in layer.definitions}
    if not files.keys() <= contents.keys():
        return None
    tables, values, texts = loaded.must().tables, building.values["translation"], _texts(loaded.layers)
    return Sound(
        contents, files,
        [[layer.name, layer.version, str(layer.path), sorted(layer.needs)] for layer in loaded.layers],
        {f"{kind}:{name}": merged.hash for (kind, name), merged in building.merged.items()},
        {f"{kind}:{name}": _text(facts) for (kind, name), facts in building.facts.items() if kind != "translation"},
        {kind: [name for name in found if (kind, name) in building.merged] for kind, found in building.values.items()},
        building.names.under,
        {name: _frame(building.merged["table", name].body) for name in tables},
        {f"{kind}:{name}": _field_hashes(merged.body) for (kind, name), merged in building.merged.items()
         if kind in FIELDS},
        {formula: sorted(reads) for formula, reads in read_graph(building.names, tables).items()},
        {name: len(table.own) for name, table in tables.items()},
        texts, {language: [path for of_one in found.values() for path in of_one if path not in values[language]]
                for language, found in texts.items()})


def still_sound(sound: Sound, contents: dict[str, str], plugins: Plugins, root: Path) -> Sound | None:
    """The set with its changed files, if it surely is still without problems; None if one has to look at all of it."""
    changed = [path for path, hash in contents.items() if sound.contents.get(path) != hash]
    if contents.keys() != sound.contents.keys() or not all(path in sound.files for path in changed):
        return None
    definitions = _Definitions(sound, plugins, root, Names(functions(plugins.functions.values())))
    keys = {f"{kind}:{name}" for kind, name, *_ in (sound.files[path] for path in changed)}
    if any(split(text)[0] in WHOLE for text in keys) or _under_the_site(sound, changed):
        return None
    building = Building(plugins.kinds, plugins.field_types, definitions.names, definitions, verbs=plugins.verbs)
    touched = _touched(sound, definitions, {text for text in keys if _differs(sound, definitions, text)})
    if touched is None:
        return None
    again = _again(sound, touched)
    building.facts, building.names.under = {}, sound.under
    build_later(building, order=sound.order)
    check_all(building, [split(text) for text in again])
    outdated = _check_texts(sound, building, touched)
    tables = [split(text)[1] for text in again if split(text)[0] == "table"]
    formulas = _formulas(sound, building, tables)
    if definitions.failed or building.problems or building.aliases or outdated or formulas is None:
        return None
    looked = {text: _text(building.facts.get(split(text), ())) for text in again}
    return replace(
        sound, contents=contents, formulas=formulas,
        hashes=sound.hashes | {text: definitions[split(text)].hash for text in keys},
        looked=sound.looked | looked,
        fields=sound.fields | {text: _field_hashes(definitions[split(text)].body) for text in keys
                               if split(text)[0] in FIELDS},
        own=sound.own | {table: len(building.names.tables[table].own) for table in tables})


def _under_the_site(sound: Sound, changed: Iterable[str]) -> bool:
    """True if a shipped definition changed that the site overrides: its overrides have to be looked at."""
    overridden = {(kind, name) for kind, name, layer, change in sound.files.values() if layer == SITE and change}
    files = (sound.files[path] for path in changed)
    return any((kind, name) in overridden and layer != SITE for kind, name, layer, _ in files)


class _Definitions(Definitions):
    """The merged definitions of a set, each read from its files when somebody asks for it."""

    def __init__(self, sound: Sound, plugins: Plugins, root: Path, names: Names) -> None:
        super().__init__((), names.notes)
        self.sound, self.plugins, self.root, self.names = sound, plugins, root, names
        self.failed = False                     # a file cannot be read, or layers do not fit together
        self._keys = dict.fromkeys(split(text) for text in sound.hashes)
        self._paths: dict[Key, list[str]] = {}
        for path, (kind, name, *_) in sound.files.items():
            self._paths.setdefault((kind, name), []).append(path)

    def __missing__(self, key: Key) -> Merged:
        if key not in self._keys:
            raise KeyError(key)
        self[key] = found = self._read(key)
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def renamed(self) -> bool:
        """False: who uses a former name is told by a check of everything."""
        return False

    def _read(self, key: Key) -> Merged:
        reading = Reading(self.plugins.kinds)
        of_layers: dict[str, list[Definition]] = {}
        for path in self._paths[key]:
            kind, name, layer, change = self.sound.files[path]
            found = read_file(Path(path), shown(Path(path), self.root), layer, reading)
            if found is None or [found.kind, found.name, "change" if found.change else ""] != [kind, name, change]:
                self.failed = True
                return Merged(*key, {}, "")
            of_layers.setdefault(layer, []).append(found)
        layers = [Layer(name, version, Path(path), tuple(of_layers.get(name, ())), needs=frozenset(needs))
                  for name, version, path, needs in self.sound.layers]
        merged = merge(layers, self.plugins.kinds, frozenset())
        stale = layers[-1].definitions and overrides.read(merged, layers[-1].path, self.root, reading.problems).stale
        if reading.problems or merged.problems or merged.aliases or stale or key not in merged.merged:
            self.failed = True
            return Merged(*key, {}, "")
        return merged.merged[key]


def _differs(sound: Sound, definitions: _Definitions, text: str) -> bool:
    """False if only comments and white space changed."""
    return definitions[split(text)].hash != sound.hashes.get(text)


def _touched(sound: Sound, definitions: _Definitions, changed: set[str]) -> set[str] | None:
    """What changed, as checks may have looked at it; None if it concerns what cannot be followed."""
    touched = set(changed)
    for text in changed:
        kind, name = split(text)
        touched.add(f"{kind}:")
        if kind == "role":
            touched.add("choices:role")         # made of all roles
        if kind in FIELDS:
            body = definitions[kind, name].body
            if kind == "table" and _frame(body) != sound.frames.get(name):
                return None
            before, after = sound.fields[text], _field_hashes(body)
            fields = {field for field in {*before, *after} if before.get(field) != after.get(field)}
            below = _below(sound, text)
            touched |= below
            touched |= {f"{table}.{field}" for table in below | _above(sound, below) for field in fields}
    return touched


def _frame(body: Mapping[str, object]) -> list[str]:
    """The base and the mixins of a table, and whether it is abstract."""
    base, uses = body.get("base"), body.get("uses")
    return [*([f"table:{base}"] if base else []),
            *(f"mixin:{mixin}" for mixin in (uses if isinstance(uses, list) else ())),
            *(["abstract"] if body.get("abstract") else [])]


def _below(sound: Sound, text: str) -> set[str]:
    """The tables that a table or mixin is part of."""
    below = more = {text}
    while more:
        more = {f"table:{table}" for table, frame in sound.frames.items() if not below.isdisjoint(frame)} - below
        below = below | more
    return {one for one in below if one.startswith("table:")}


def _above(sound: Sound, tables: Iterable[str]) -> set[str]:
    """The bases of tables: fields of those below are seen there too."""
    found: set[str] = set()
    for table in tables:
        above = [table]
        while above:
            above = [one for one in sound.frames[split(above[0])[1]] if one.startswith("table:")]
            found.update(above)
    return found


def _texts(layers: Sequence[Layer]) -> dict[str, dict[str, dict[str, str]]]:
    """All translated texts, with the layer that says each last."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for one in (one for layer in layers for one in layer.definitions if one.kind == "translation"):
        texts = one.body.get("texts")
        for path in texts if isinstance(texts, dict) else ():
            key = path.partition(".")[0].replace(" ", ":", 1)
            found.setdefault(one.name, {}).setdefault(key, {})[path] = one.layer
    return found


def _check_texts(sound: Sound, building: Building, touched: set[str]) -> bool:
    """Check that translated texts of what changed still lead to a text; True if others are outdated now."""
    rank = {name: number for number, (name, *_) in enumerate(sound.layers)}
    for language, texts in sound.texts.items():
        paths = {path: layer for text in touched for path, layer in texts.get(text, {}).items()}
        kept = [path for path, layer in paths.items() if rank[layer] >= rank.get(said_by(path, building.merged), 0)]
        if {path for path in paths if path not in kept} != paths.keys() & set(sound.outdated[language]):
            return True
        building.kinds["translation"].check(Merged("translation", language, {}, ""), dict.fromkeys(kept, ""), building)
    return False


def _again(sound: Sound, touched: set[str]) -> list[str]:
    """The definitions to check again: those that changed, those that looked at what did, and those that saw these."""
    again = {text for text in touched if text in sound.hashes}
    waiting = touched | {":"}                   # those who looked at everything
    while waiting:
        wanted = [f" {text} " for text in waiting]
        fresh = {text for text, looked in sound.looked.items()
                 if text not in again and any(one in looked for one in wanted)}
        again |= fresh
        waiting = {name for text in fresh if split(text)[0] not in PLAIN for name in (text, split(text)[0] + ":")}
    return [text for text in sound.hashes if text in again]


def _formulas(sound: Sound, building: Building, tables: Sequence[str]) -> dict[str, list[str]] | None:
    """The formulas and what they read, with those of some tables read anew; None if they go round in a circle."""
    if building.problems:
        return None
    fresh = read_graph(building.names, tables)
    kept = {formula: reads for formula, reads in sound.formulas.items() if formula.partition(".")[0] not in set(tables)}
    graph = {formula: frozenset(reads) for formula, reads in kept.items()} | fresh
    if any(circle_of(formula, lambda one: graph.get(one, ())) for formula in fresh):
        return None
    return kept | {formula: sorted(reads) for formula, reads in fresh.items()}


def _field_hashes(body: Mapping[str, object]) -> dict[str, str]:
    fields = body.get("fields")
    return {name: hashlib.blake2b(dump(field).encode(), digest_size=8).hexdigest()
            for name, field in (fields.items() if isinstance(fields, dict) else ())}


def _text(facts: Iterable[Fact]) -> str:
    return f" {' '.join(f'{kind}:{name}.{field}' if field else f'{kind}:{name}' for kind, name, field in facts)} "
