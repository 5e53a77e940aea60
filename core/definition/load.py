"""From folders to a Model, or to every problem of the whole set; and from stored definitions to a Model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Any, cast

from pydantic import ValidationError

from core.definition import absent, overrides
from core.definition.building import Building, Reference
from core.definition.canonical import digest_all
from core.definition.faults import prune, tell_all
from core.definition.files import Reading
from core.definition.formats import all_current
from core.definition.formulas import check_formulas
from core.definition.kinds.base import Kind
from core.definition.kinds.states import phases
from core.definition.layers import read_layers
from core.definition.lookup import Definitions, Values
from core.definition.merge import Merge, merge
from core.definition.model import Addon, Choices, ChoiceValue, Model, SystemSettings
from core.definition.overrides import Overrides
from core.definition.references import References
from core.definition.removals import guard
from core.definition.renames import Alias, Renames, follow
from core.definition.rows import Rows
from core.definition.scope import Names
from core.definition.values import Layer, Merged
from core.errors import DefinitionError, Problem
from core.expression.functions import functions
from core.plugins import Plugins


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a set of folders gives: a Model, or problems."""

    model: Model | None
    problems: tuple[Problem, ...]
    layers: tuple[Layer, ...]
    notices: tuple[Problem, ...] = ()   # what is no error, but worth a look
    aliases: tuple[Alias, ...] = ()     # the former names in use, where they stand in the files
    merge: Merge = field(default_factory=Merge)                 # what each layer changed
    overrides: Overrides = field(default_factory=Overrides)     # what the site changed, and what of it to review
    references: References = field(default_factory=References)  # who names whom

    def must(self) -> Model:
        """The Model; raises DefinitionError with all problems if there is none."""
        if self.model is None:
            raise DefinitionError(self.problems)
        return self.model


@dataclass(frozen=True)
class Sources:
    """Where a set comes from: the folders with addons, the site's own, and the addons' code."""

    folders: Sequence[Path]
    site: Path
    plugins: Plugins

    def load(self) -> Loaded:
        """The set as it stands on disk now."""
        return load(self.folders, self.site, self.plugins)


def load(folders: Sequence[Path], site: Path | None = None, plugins: Plugins | None = None,
         root: Path | None = None) -> Loaded:
    """Load the addons in the folders and the site's own layer; errors show paths relative to `root`."""
    return load_noting(folders, site, plugins or Plugins(), root or Path.cwd(), noting=False)[0]


def load_noting(folders: Sequence[Path], site: Path | None, plugins: Plugins, root: Path,
                noting: bool = True) -> tuple[Loaded, Building]:
    """The same, and the building, whose `facts` say what each definition looked at."""
    reading = Reading(plugins.kinds)
    layers = read_layers(folders, site, root, reading)
    building, merged, aliases, told = _settled(layers, reading, plugins, noting)
    own = overrides.read(merged, site, root, reading.problems)
    found = overrides.without_what_follows({*reading.problems, *told}, own.stale)
    problems = tuple(sorted(absent.explained(found, layers, folders, root, plugins.kinds, own.lock))) if found else ()
    files = {one.mark().file for one in layers[-1].definitions} if site is not None and layers else set()
    notices = tuple(sorted({alias.notice if alias.here.file in files else alias.elsewhere for alias in aliases}))
    return Loaded(None if problems else finish(building), problems, layers, notices, aliases, merged, own,
                  building.references), building


def _settled(layers: tuple[Layer, ...], reading: Reading, plugins: Plugins,
             noting: bool) -> tuple[Building, Merge, tuple[Alias, ...], set[Problem]]:
    """A checked building in which no former name is left, the former names that there were, and the problems."""
    aliases: dict[Alias, None] = {}
    while True:
        merged = merge(layers, plugins.kinds, frozenset(reading.unread))
        building = check_merged(merged, reading, plugins, noting)
        aliases |= dict.fromkeys((*merged.aliases, *building.aliases))
        problems = {*merged.problems, *building.problems}
        if not building.aliases:
            break
        layers, stuck = follow(layers, building.aliases)
        if stuck:
            problems = {*merged.problems, *stuck}
            break
    if problems and merged.removed:
        kept = merge(layers, plugins.kinds, frozenset(reading.unread), keep=True)
        problems = guard(problems, merged.removed, check_merged(kept, reading, plugins), building)
    return building, merged, tuple(aliases), problems


def check_merged(merged: Merge, reading: Reading, plugins: Plugins, noting: bool = False) -> Building:
    """Build and check merged definitions; what follows from files that could not be read is not told."""
    building = start(merged.merged.values(), plugins)
    building.facts = {} if noting else None
    building.broken |= reading.unread
    building.names.broken |= {name for kind, name in reading.unread if kind in ("table", "mixin")}
    building.names.broken |= {f"{kind} {name}" for kind, name in reading.unread}
    build_all(building)
    check_all(building)
    check_formulas(building)
    return building


def build(merged: Iterable[Merged] | Rows, plugins: Plugins | None = None) -> Model:
    """The Model of definitions that were checked before; values are built and expressions parsed on first use.

    Raises DefinitionError, now or then, if a definition does not fit this release's schemas.
    """
    plugins = plugins or Plugins()
    if isinstance(merged, Rows) and not merged.older(plugins.kinds):
        building = start(merged, plugins)
    else:
        building = start(all_current(merged.values() if isinstance(merged, Rows) else merged, plugins.kinds), plugins)
    build_later(building, sure=True)
    return finish(building)


def references(model: Model, plugins: Plugins | None = None) -> tuple[Reference, ...]:
    """Which definition names which, and where: what a removal would break, and who uses a thing."""
    building = start(model.definitions.values(), plugins or Plugins())
    build_all(building)
    check_all(building)
    return tuple(building.references)


def start(merged: Iterable[Merged] | Definitions, plugins: Plugins) -> Building:
    """An empty building over merged definitions."""
    names = Names(functions(plugins.functions.values()))
    found = merged if isinstance(merged, Definitions) else Definitions(merged, names.notes)
    found.notes = names.notes
    if found.renamed:
        names.renames = Renames((one.kind, one.name, one.body) for one in found.values())
    return Building(plugins.kinds, plugins.field_types, names, found, verbs=plugins.verbs)


def build_all(building: Building) -> None:
    """Build the values of every kind, in the kinds' order."""
    for name, kind in building.kinds.items():
        values = _values(building, name)
        own = [one for one in building.merged.values() if one.kind == name]
        for merged in kind.order(own, building):
            with building.noted((name, merged.name)):
                _build(merged, kind, values, building)
        if name == "choices":
            building.names.choices["role"] = values["role"] = _role_choices(building)
            building.names.choices["phase"] = values["phase"] = phases()


def build_later(building: Building, sure: bool = False, order: Mapping[str, Sequence[str]] | None = None) -> None:
    """Build values when they are first asked for; those of kinds that are not lazy now.

    With `sure` the definitions were checked before: one that cannot be built raises DefinitionError. `order` has the
    names of each kind in the order of building, if they are known.
    """
    lock, begun = RLock(), set[tuple[str, str]]()
    of_names: Mapping[str, Values[Any]] = {
        "choices": building.names.choices, "query": building.names.queries,
        "function": building.names.named_functions, "setting": building.names.settings}

    def make(kind: Kind, name: str) -> None:
        key = (kind.name, name)
        with lock, building.noted(key):
            if key not in begun:
                begun.add(key)
                _build(building.merged[key], kind, _values(building, kind.name), building)
                if sure and building.problems:
                    raise DefinitionError(building.problems)

    for name, kind in building.kinds.items():
        names = building.known(name) if order is None else order.get(name, ())
        if order is None and type(kind).order is not Kind.order:
            names = [one.name for one in kind.order([building.merged.look((name, each)) for each in names], building)]
        _values(building, name).later(names, partial(make, kind))
        if name in of_names:
            of_names[name].later(names, partial(make, kind))
        if name == "choices":
            for choices in (building.names.choices, _values(building, name)):
                choices.later(["role"], partial(_enter_roles, building))
            building.names.choices["phase"] = _values(building, name)["phase"] = phases()
    for name, kind in building.kinds.items():
        if not kind.lazy:
            building.values[name].values()


def _values(building: Building, kind: str) -> Values[Any]:
    if kind not in building.values:
        names = building.names
        building.values[kind] = names.tables if kind == "table" else Values(kind, names.notes)
    return building.values[kind]


def _build(merged: Merged, kind: Kind, values: Values[Any], building: Building) -> None:
    """Build one value; if that cannot be done its problems are told."""
    found = _schema(merged, kind, building)
    value = kind.build(*found, building) if found is not None else None
    if value is not None:
        values[merged.name] = value
        return
    building.broken.add((kind.name, merged.name))
    if kind.name in ("table", "mixin"):
        building.names.broken.add(merged.name)
    elif kind.name in ("query", "function", "setting"):
        building.names.broken.add(f"{kind.name} {merged.name}")


def _schema(merged: Merged, kind: Kind, building: Building) -> tuple[Merged, Any] | None:
    """The definition as its schema; what is wrong is told and left out, so that the rest can be checked too."""
    told = False
    while True:
        try:
            return merged, kind.schema.model_validate(merged.body)
        except ValidationError as error:
            if not told:                # what is found later only follows from what was left out
                building.broken.add((merged.kind, merged.name))
                tell_all(error, merged, (), building, kind.schema, f'{merged.kind} "{merged.name}"')
            told = True
            pruned = prune(merged, error)
        if pruned is None:
            return None
        if kind.name in ("table", "mixin"):
            building.names.lost |= _members(merged) - _members(pruned)
            if any(key in merged.body and key not in pruned.body for key in ("base", "uses")):
                building.names.broken.add(merged.name)      # nobody knows what else it would have
        building.merged[merged.kind, merged.name] = merged = pruned


def _members(merged: Merged) -> set[str]:
    fields = merged.body.get("fields")
    return set(fields) if isinstance(fields, dict) else set()


def _role_choices(building: Building) -> Choices:
    """The built-in choices `role`: every role of the model."""
    titles = {name: building.merged["role", name].body.get("title") for name in building.known("role")}
    values = {name: ChoiceValue(name, str(title or name.replace("_", " ").capitalize()), path=f"role {name}")
              for name, title in titles.items()}
    return Choices("role", "Role", values)


def _enter_roles(building: Building, name: str) -> None:
    building.names.choices[name] = building.values["choices"][name] = _role_choices(building)


def check_all(building: Building, keys: Iterable[tuple[str, str]] | None = None) -> None:
    """Check every value that could be built, or those of some definitions."""
    for kind, name in list(building.merged if keys is None else keys):
        value = building.values[kind].quiet(name)
        if value is not None:
            with building.noted((kind, name)):
                building.kinds[kind].check(building.merged[kind, name], value, building)


def finish(building: Building) -> Model:
    """The immutable Model of a building without problems."""
    values: dict[str, Mapping[str, object]] = {
        kind: MappingProxyType(found) for kind, found in building.values.items()}
    system = next(iter(building.values["system"].values()), SystemSettings())
    return Model(digest_all(building.merged.hashes), cast(SystemSettings, system),
                 tuple(cast(Addon, addon) for addon in building.values["addon"].values()),
                 MappingProxyType(values), MappingProxyType(building.merged), building.names)
