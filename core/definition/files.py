"""Read definition files: the kind from the first kind word among a file's keys, the name, the body, the places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from core.definition import formats, po, text_file, xml, yaml
from core.definition.canonical import digest
from core.definition.kinds.base import Kind
from core.definition.kinds.layout import body_of
from core.definition.names import fault, suggestion
from core.definition.source import MAX_FILE, MAX_SET
from core.definition.values import Body, BodyPath, Definition, Mark, Places, nearest
from core.errors import DefinitionError, Problem

SUFFIXES = (".yaml", ".yml", ".xml", ".po")
NO_DEFINITIONS = frozenset({"static", "demo", "tests", "docs"})


@dataclass
class Reading:
    """What reading a set of files gives; `unread` are definitions whose files are too broken to judge."""

    kinds: Mapping[str, Kind]
    problems: list[Problem] = field(default_factory=list)
    unread: set[tuple[str, str]] = field(default_factory=set)
    size: int = 0

    def tell(self, mark: Mark, message: str) -> None:
        """A problem at a place."""
        self.problems.append(mark.problem(message))


def definition_files(folder: Path, installed: frozenset[str] | None) -> Iterator[Path]:
    """The files of a layer in a fixed order; `with_X/` only if addon X is installed (None: all).

    A link to a folder stands for itself, so that it can be told: what it leads to may be anywhere, or lead back here.
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__")):
            continue
        if path.is_dir() and path.is_symlink():
            yield path
        elif path.is_dir():
            optional = path.name.removeprefix("with_")
            wanted = optional == path.name or installed is None or optional in installed
            if wanted and path.name not in NO_DEFINITIONS:
                yield from definition_files(path, installed)
        elif path.suffix in SUFFIXES or _is_template(path):
            yield path


def _is_template(path: Path) -> bool:
    return path.suffix in text_file.FORMATS and path.parent.name == text_file.FOLDER


def read_file(path: Path, shown: str, layer: str, reading: Reading) -> Definition | None:
    """The one definition of a file; None, with problems told, if there is none."""
    if path.is_dir():
        reading.problems.append(Problem(shown, 1, 1, "a link to a folder is not followed: put its files here"))
        return None
    data = path.read_bytes()
    reading.size += len(data)
    if reading.size > MAX_SET:
        if reading.size - len(data) <= MAX_SET:
            reading.problems.append(Problem(shown, 1, 1, f"the definitions are larger than {MAX_SET // 1_000_000} MB "
                                                         "together; this file and the rest were not read"))
        return None
    if len(data) > MAX_FILE:
        reading.problems.append(Problem(shown, 1, 1, f"this file is larger than {MAX_FILE // 1_000_000} MB"))
        return None
    read = {".xml": _read_xml, ".po": _read_po}.get(path.suffix, _read_yaml)
    return read(data, path, shown, layer, reading)


def _read_yaml(data: bytes, path: Path, shown: str, layer: str, reading: Reading) -> Definition | None:
    read = text_file.read if _is_template(path) else yaml.read
    body, positions, problems = read(data, shown)
    reading.problems += problems
    if body is None and not problems:
        reading.problems.append(Problem(shown, 1, 1, "this file is empty: write a definition, or remove it"))
    if not isinstance(body, dict):
        if body is not None:
            reading.tell(positions[()], "a definition is a mapping that begins with its kind, such as table: company")
        _guess_unread(path, reading)
        return None
    found = _identity(body, positions, layer, reading)
    if found is None:
        return None
    kind, name, change, word = found
    if problems:
        reading.unread.add((kind, name))
        return None
    rest = {key: value for key, value in body.items() if key != word}
    places = Places(shown, body, positions.numbers, positions[(word,)]) if isinstance(positions, Places) else positions
    return _definition(kind, name, layer, change, rest, places, reading)


def _guess_unread(path: Path, reading: Reading) -> None:
    """A file that cannot be read at all probably holds what its folder and name say: no errors follow from it."""
    for kind in reading.kinds.values():
        if kind.folder and kind.folder == path.parent.name:
            reading.unread.add((kind.name, path.stem))


def _identity(body: Mapping[str, object], positions: Mapping[BodyPath, Mark], layer: str,
              reading: Reading) -> tuple[str, str, bool, str] | None:
    """The kind, the name, whether it is a change, and the key that says so."""
    for word in body:
        if word == "change":
            return _change_identity(body[word], positions[(word,)], reading)
        if word in reading.kinds:
            kind = reading.kinds[word]
            wrong = _suffix_fault(kind) or kind.name_fault(body[word])
            if wrong is None:
                return word, str(kind.name_of(body[word], layer)), False, word
            reading.tell(positions[(word,)], wrong)
            reading.unread |= {(word, str(body[word])), (word, str(body[word]).casefold())}
            return None
    first = next(iter(body), "")
    reading.tell(positions.get((first,), positions[()]),
                 f'no kind of definition stands here: one of {", ".join(reading.kinds)} or change is expected'
                 + suggestion(first, reading.kinds))
    return None


def _change_identity(value: object, mark: Mark, reading: Reading) -> tuple[str, str, bool, str] | None:
    kind, _, name = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if kind in reading.kinds and name and " " not in name:
        wrong = _suffix_fault(reading.kinds[kind])
        if wrong is None:
            return kind, name, True, "change"
        reading.tell(mark, wrong)
        return None
    known = suggestion(kind, reading.kinds) if kind not in reading.kinds else ""
    reading.tell(mark, f"change needs a kind and a name, such as change: table company{known}")
    return None


def _suffix_fault(kind: Kind) -> str | None:
    return None if kind.suffix == ".yaml" else f"a {kind.name} is written in a file that ends with {kind.suffix}"


def _definition(kind: str, name: str, layer: str, change: bool, body: Body, positions: Mapping[BodyPath, Mark],
                reading: Reading) -> Definition | None:
    found = reading.kinds[kind]
    body, said = formats.split(body)
    wrong = formats.fault(found, said)
    if wrong is not None:
        reading.tell(nearest(positions, ("format",)), wrong)
        reading.unread.add((kind, name))
        return None
    body = formats.current(found, body, cast(int, said), change)
    hashed = digest(kind, name, body, change, found.format)
    return Definition(kind, name, layer, change, body, hashed, positions, found.format)


def _read_xml(data: bytes, path: Path, shown: str, layer: str, reading: Reading) -> Definition | None:
    root, problems = xml.read(data, shown)
    reading.problems += problems
    if root is None or problems:
        _guess_unread(path, reading)
        return None
    kind = reading.kinds.get(root.tag)
    if kind is None or kind.suffix != ".xml":
        known = [one.name for one in reading.kinds.values() if one.suffix == ".xml"]
        reading.tell(root.mark, f"<{root.tag}> is no definition: {', '.join(f'<{name}>' for name in known)} is expected"
                     + suggestion(root.tag, known))
        return None
    before = len(reading.problems)
    body, positions = body_of(root, reading.problems)
    key = "change" if "change" in body else "name"
    name = body.pop(key, None)
    if name is None:
        reading.tell(root.mark, f'<{root.tag}> needs "name", or "change" and the name of the form to change')
        return None
    wrong = fault(name)
    if wrong is not None:
        reading.tell(root.marks[key], wrong)
        return None
    if len(reading.problems) > before:
        reading.unread.add((kind.name, str(name)))
        return None
    return _definition(kind.name, str(name), layer, key == "change", body, Places.fold(shown, body, positions), reading)


def _read_po(data: bytes, path: Path, shown: str, layer: str, reading: Reading) -> Definition | None:
    try:
        catalog = po.read(data, shown)
    except DefinitionError as error:
        reading.problems += error.problems
        return None
    texts: dict[str, object] = {}
    positions: dict[BodyPath, Mark] = {(): Mark(shown, 1, 1)}
    for message in catalog:
        if not message.id or message.fuzzy or not message.string:
            continue
        mark = Mark(shown, message.lineno or 1, 1)
        context, written = message.context, message.string
        if not context or not isinstance(written, str):
            reading.tell(mark, "an entry needs a msgctxt, the path of its text, and no plural")
            continue
        texts[context] = written
        positions[("texts", context)] = mark
    return _definition("translation", path.stem, layer, False, {"texts": texts}, positions, reading)
