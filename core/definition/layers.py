"""Find the layers of a system and put them in order: addons by what they need, then the site's own."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from core.definition.circles import circle_of, spelled
from core.definition.files import NO_DEFINITIONS, Reading, definition_files, read_file
from core.definition.names import suggestion
from core.definition.values import Definition, Layer, Mark

SITE = "site"
UNKEPT = frozenset({".base"})           # says which version a folder equals, so no version can hold it


@dataclass(frozen=True)
class Found:
    """An addon's folder and what its addon.yaml says."""

    name: str
    folder: Path
    definition: Definition
    needs: tuple[str, ...] = ()
    with_: tuple[str, ...] = field(default=())

    def mark(self, need: str) -> Mark:
        """Where it says that it needs another addon."""
        needs = self.definition.body.get("needs")
        index = needs.index(need) if isinstance(needs, list) and need in needs else 0
        return self.definition.mark(("needs", index))


def read_layers(folders: Sequence[Path], site: Path | None, root: Path, reading: Reading) -> tuple[Layer, ...]:
    """The layers in order, lowest first; problems go to `reading`."""
    found = find_addons(folders, root, reading)
    site_definitions = read_definitions(site, SITE, root, None, reading) if site is not None else []
    wanted = _wanted(site_definitions, found, reading)
    installed = _installed(wanted, found, reading)
    ordered = _in_order({name: found[name] for name in installed}, reading)
    names = frozenset(ordered)
    layers = []
    for name in ordered:
        addon = found[name]
        definitions = [addon.definition, *read_definitions(addon.folder, name, root, names, reading)]
        layers.append(Layer(name, str(addon.definition.body.get("version", "")), addon.folder, tuple(definitions),
                            needs=_all_needs(name, found, names)))
    if site is not None:
        own = [one for one in site_definitions if _installed_part(one, site, root, names)]
        layers.append(Layer(SITE, "", site, tuple(own), _files(site), names))
    _check_clashes(layers, reading)
    return tuple(layers)


def find_addons(folders: Sequence[Path], root: Path, reading: Reading) -> dict[str, Found]:
    """Every addon in the folders, each of which is an addon itself or holds some."""
    found: dict[str, Found] = {}
    for folder in addon_folders(folders):
        path = folder / "addon.yaml"
        definition = read_file(path, shown(path, root), folder.name, reading)
        if definition is None:
            continue
        if definition.kind != "addon" or definition.name != folder.name:
            reading.tell(definition.mark(), f'the addon in the folder "{folder.name}" must be called so: '
                                            f"write addon: {folder.name}")
            continue
        if folder.name in found:
            first = found[folder.name].definition.mark()
            reading.tell(definition.mark(), f'addon "{folder.name}" is there twice: also in {first.file}')
            continue
        needs = definition.body.get("needs")
        optional = sorted(path.name.removeprefix("with_") for path in folder.glob("with_*") if path.is_dir())
        found[folder.name] = Found(folder.name, folder, definition,
                                   tuple(str(need) for need in needs) if isinstance(needs, list) else (),
                                   tuple(optional))
    return found


def addon_folders(folders: Iterable[Path]) -> Iterable[Path]:
    """The folder of every addon in folders each of which is an addon itself or holds some."""
    for folder in folders:
        if (folder / "addon.yaml").is_file():
            yield folder
        elif folder.is_dir():
            yield from (path for path in sorted(folder.iterdir()) if (path / "addon.yaml").is_file())


def _wanted(site: Sequence[Definition], found: Mapping[str, Found], reading: Reading) -> list[str]:
    """The addons that the site's system names; all there are if it has no system."""
    system = next((one for one in site if one.kind == "system"), None)
    if system is None:
        return sorted(found)
    named = system.body.get("addons")
    wanted = []
    for index, name in enumerate(named if isinstance(named, list) else []):
        if name in found:
            wanted.append(str(name))
        elif not any(kind == "addon" and name == unread for kind, unread in reading.unread):
            reading.tell(system.mark(("addons", index)), f'there is no addon "{name}"' + suggestion(str(name), found))
    return wanted


def _installed(wanted: Iterable[str], found: Mapping[str, Found], reading: Reading) -> list[str]:
    """The wanted addons and all they need."""
    installed: list[str] = []
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in installed:
            continue
        installed.append(name)
        for need in found[name].needs:
            if need in found:
                waiting.append(need)
            elif ("addon", need) not in reading.unread:
                reading.tell(found[name].mark(need), f'addon "{name}" needs "{need}", which is not there'
                             + suggestion(need, found))
    return installed


def _in_order(found: Mapping[str, Found], reading: Reading) -> list[str]:
    """Addons after those they need, ties by name; a folder `with_X` counts as a need of X where X is installed."""
    needs = {name: {need for need in (*addon.needs, *addon.with_) if need in found} for name, addon in found.items()}
    ordered: list[str] = []
    while len(ordered) < len(found):
        ready = sorted(name for name in found if name not in ordered and needs[name] <= set(ordered))
        if not ready:
            left = sorted(name for name in found if name not in ordered)
            circle = next(way for name in left if (way := circle_of(name, lambda one: sorted(needs[one]))))
            reading.tell(found[circle[0]].mark(circle[1]), "addons need each other: " + spelled(circle))
            return [*ordered, *left]
        ordered.append(ready[0])
    return ordered


def _all_needs(name: str, found: Mapping[str, Found], installed: frozenset[str]) -> frozenset[str]:
    """The installed addons that one builds on: those it needs, those it has a folder `with_X` for, and theirs."""
    needs: set[str] = set()
    waiting = [name]
    while waiting:
        addon = found[waiting.pop()]
        fresh = {need for need in (*addon.needs, *addon.with_) if need in installed} - needs
        needs |= fresh
        waiting.extend(fresh)
    return frozenset(needs - {name})


def read_definitions(folder: Path, layer: str, root: Path, installed: frozenset[str] | None,
                     reading: Reading) -> list[Definition]:
    """The definitions in the folder of a layer; what stands in a folder `with_X` only if X is installed (None: all)."""
    definitions: list[Definition] = []
    if not folder.is_dir():
        return definitions
    for path in definition_files(folder, installed):
        if layer != SITE and path == folder / "addon.yaml":
            continue
        definition = read_file(path, shown(path, root), layer, reading)
        if definition is None:
            continue
        if (definition.kind == "addon") or (definition.kind == "system" and layer != SITE):
            reading.tell(definition.mark(), f"{definition.kind} cannot stand here: "
                         + ("it is the file addon.yaml of an addon's folder" if definition.kind == "addon"
                            else "only the site's own folder says what the system is"))
            continue
        definitions.append(definition)
    return definitions


def _installed_part(definition: Definition, site: Path, root: Path, installed: frozenset[str]) -> bool:
    """False for what stands in a folder `with_X` of the site while addon X is not installed."""
    folder, inside = shown(site, root), Path(definition.mark().file)
    if folder != "." and inside.is_relative_to(folder):     # a file may be a link that leads elsewhere
        inside = inside.relative_to(folder)
    return all(part.removeprefix("with_") == part or part.removeprefix("with_") in installed
               for part in inside.parts[:-1])


def _files(site: Path) -> dict[str, bytes]:
    """Everything of the site's folder that a version keeps, by path."""
    files: dict[str, bytes] = {}
    if not site.is_dir():
        return files
    for path in sorted(site.rglob("*")):
        inside = path.relative_to(site)
        if path.is_file() and not any(part.startswith((".", "__")) or part in NO_DEFINITIONS
                                      for part in inside.parts) and path.name not in UNKEPT:
            files[inside.as_posix()] = path.read_bytes()
    return files


def _check_clashes(layers: Sequence[Layer], reading: Reading) -> None:
    """Names that look the same are the same to people, and to some file systems."""
    seen: dict[tuple[str, str], Definition] = {}
    for definition in (one for layer in layers for one in layer.definitions if not one.change):
        folded = unicodedata.normalize("NFKC", definition.name).casefold().replace("_", "")
        first = seen.setdefault((definition.kind, folded), definition)
        if first.name != definition.name and definition.kind != "translation":
            reading.tell(definition.mark(), f'{definition.kind} "{definition.name}" reads like "{first.name}" '
                                            f"in {first.mark()}: choose a name that differs")


def shown(path: Path, root: Path) -> str:
    """A path as errors show it: relative to the root if it lies under it."""
    try:
        return _resolved(path).relative_to(_resolved_folder(root)).as_posix()
    except ValueError:
        return path.as_posix()


def _resolved(path: Path) -> Path:
    return path.resolve() if path.is_symlink() else _resolved_folder(path.parent) / path.name


@lru_cache(maxsize=64)
def _resolved_folder(folder: Path) -> Path:
    return folder.resolve()
