"""Rename a field, a value, a table or choices of the site: every file of the site that names it is rewritten.

The member itself gets its new name and `was`; all else is found as a former name in use (renames.Alias) and replaced
where it stands, until none is left. Nothing is written here: the result is the new text of each file.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.definition.document import Document
from core.definition.layers import SITE
from core.definition.load import Loaded, Sources
from core.definition.model import Model
from core.definition.names import fault, suggestion
from core.definition.past_names import past_references
from core.definition.renames import Alias, edits, former_names, written_at
from core.definition.replacing import inside
from core.definition.rewriting import document
from core.definition.users import User, users
from core.definition.values import BodyPath, Definition, Layer
from core.errors import Refused

COLLECTIONS = {"table": "fields", "mixin": "fields", "choices": "values"}
MOST_ROUNDS = 20
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Aim:
    """What is renamed: a definition, or with `member` one of its fields or values."""

    kind: str
    name: str
    member: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f".{self.member}" if self.member else "")

    @property
    def path(self) -> BodyPath:
        """Where the member stands in the body."""
        return (COLLECTIONS[self.kind], self.member)

    @property
    def old(self) -> str:
        """The name it has."""
        return self.member or self.name


def find(model: Model, name: str, kind: str | None = None) -> Aim:
    """What `TABLE.FIELD`, `CHOICES.VALUE`, `TABLE` or `CHOICES` means. Raises Refused if it means nothing, or two."""
    owner, _, member = name.partition(".")
    found = [one for one in COLLECTIONS if (one, owner) in model.definitions and kind in (None, one)]
    if not found:
        known = [other for of, other in model.definitions if of in COLLECTIONS]
        raise Refused("there is no table, mixin or choices {name}" + suggestion(owner, known), name=f'"{owner}"')
    holding = [one for one in found if _holds(model, one, owner, member)] if member else found
    if len(holding) > 1:
        raise Refused("{name} is a {first} and a {second}: say which with --kind", name=f'"{name}"', first=holding[0],
                      second=holding[1])
    if not holding:
        known = [one for kind in found for one in _members(model, kind, owner)]
        raise Refused("{owner} has no {member}" + suggestion(member, known), owner=f'{found[0]} "{owner}"',
                      member=f'"{member}"')
    return Aim(holding[0], owner, member)


def _members(model: Model, kind: str, name: str) -> Iterable[str]:
    members = model.definitions[kind, name].body.get(COLLECTIONS[kind])
    inherited = model.tables[name].fields if kind == "table" and name in model.tables else ()
    return (*(members if isinstance(members, dict) else ()), *inherited)


def _holds(model: Model, kind: str, name: str, member: str) -> bool:
    return member in _members(model, kind, name)


def rename(sources: Sources, name: str, new: str, kind: str | None = None) -> dict[str, tuple[str, str]]:
    """The files of the site that a renaming changes, with their text before and after. Raises Refused."""
    before = _load(sources, "the definitions have problems; mend them first")
    aim = find(before.must(), name, kind)
    _check_new(before.must(), aim, new)
    owned = _declarations(before, aim)
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(sources, Path(folder))
        places = _inside(before.layers, sources.site)
        for definition in owned:
            _declare(copy.site / places[definition.mark().file], definition, aim, new, definition is owned[0])
        named = _load(copy, f"{aim} cannot be renamed {new}")
        _rewrite(copy, lambda alias: (alias.old, alias.new) == (aim.old, new))
        after = _load(copy, f"{aim} cannot be renamed {new}")
        _check_same(before, named, after, aim, new)
        return _changed(sources.site, copy.site)


def follow(sources: Sources) -> dict[str, tuple[str, str]]:
    """The files of the site that still use former names, with their text before and after. Raises Refused."""
    before = _load(sources, "the definitions have problems; mend them first")
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(sources, Path(folder))
        _rewrite(copy, lambda alias: True)
        after = _load(copy, "the former names cannot be replaced")
        if after.must().hash != before.must().hash:
            raise Refused("the definitions would mean something else; nothing was written")
        return _changed(sources.site, copy.site)


def left(sources: Sources, name: str, kind: str | None = None) -> list[User]:
    """Where a thing is named as the version before has it, so that a renaming leaves it alone. Raises Refused."""
    model = _load(sources, "the definitions have problems; mend them first").must()
    aim = find(model, name, kind)
    return users(model, past_references(model), (aim.kind, f"{aim.name}.{aim.member}" if aim.member else aim.name))


def _load(sources: Sources, else_: str) -> Loaded:
    loaded = sources.load()
    if loaded.model is None:
        raise Refused("{why}:{problems}", why=else_, problems="".join(f"\n  {one}" for one in loaded.problems))
    return loaded


def _copy(sources: Sources, folder: Path) -> Sources:
    """The same set with a copy of the site's folder."""
    site = folder / sources.site.name
    shutil.copytree(sources.site, site, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    return replace(sources, site=site)


def _check_new(model: Model, aim: Aim, new: str) -> None:
    """Refuse a name that cannot be, or is taken."""
    wrong = None if aim.kind == "choices" and aim.member else fault(new)
    if wrong is not None:
        raise Refused("{why}", why=wrong)
    if new == aim.old:
        raise Refused("{what} is called so already", what=str(aim))
    if aim.member and _holds(model, aim.kind, aim.name, new):
        raise Refused("{owner} has a {new} already", owner=f'{aim.kind} "{aim.name}"', new=f'"{new}"')
    if not aim.member and (aim.kind, new) in model.definitions:
        raise Refused("there is a {kind} {new} already", kind=aim.kind, new=f'"{new}"')


def _declarations(loaded: Loaded, aim: Aim) -> list[Definition]:
    """The site's definitions that write the member, its own first. Raises Refused if it is not the site's."""
    model = loaded.must()
    if aim.kind == "table" and aim.member:
        field = model.field(aim.name, aim.member)
        source = field.path.partition(".")[0] if field is not None else f"table {aim.name}"
        if field is not None and (field.table != aim.name or source.startswith("mixin ")):
            owner = source.partition(" ")[2] if field.table == aim.name else field.table
            raise Refused("{member} of {table} comes from {owner}: rename {other}", member=f'"{aim.member}"',
                          table=aim.name, owner=owner, other=f"{owner}.{aim.member}")
    writing = [(layer, one) for layer in loaded.layers for one in layer.definitions if _writes(one, aim)]
    layer, _ = writing[0]
    if layer.name != SITE:
        raise Refused("{what} belongs to the addon {addon}, so the site cannot rename it: set its title instead",
                      what=str(aim), addon=f'"{layer.name}"')
    own = [one for _, one in writing]
    return sorted(own, key=lambda one: "type" not in _said(one, aim)) if aim.member else own


def _writes(one: Definition, aim: Aim) -> bool:
    if (one.kind, one.name) != (aim.kind, aim.name):
        return False
    members = one.body.get(COLLECTIONS[aim.kind])
    return isinstance(members, dict) and aim.member in members if aim.member else not one.change


def _said(one: Definition, aim: Aim) -> Mapping[str, object]:
    members = one.body.get(COLLECTIONS[aim.kind])
    said = members.get(aim.member) if isinstance(members, dict) else None
    return said if isinstance(said, dict) else {}


def _declare(path: Path, definition: Definition, aim: Aim, new: str, first: bool) -> None:
    """Give the member its new name where it is written, and leave its former ones."""
    text = _document(path)
    former = (aim.old, *(former_names(_said(definition, aim) if aim.member else definition.body)))
    was: object = former[0] if len(former) == 1 else list(former)
    if aim.member:
        if not _said(definition, aim):
            text.set(aim.path, {})
        text.rename(aim.path, new)
        if first:
            text.set((COLLECTIONS[aim.kind], new, "was"), was)
    else:
        text.set((aim.kind,), new)
        text.set(("was",), was)
    path.write_text(text.text, encoding="utf-8", newline="")


def _document(path: Path) -> Document:
    return document(path.name, path.read_bytes().decode("utf-8-sig"))


def _rewrite(sources: Sources, wanted: Callable[[Alias], bool]) -> None:
    """Replace the former names in the site's files, round by round. Raises Refused where one cannot be replaced."""
    for _ in range(MOST_ROUNDS):
        loaded = _load(sources, "the former names cannot be replaced")
        site = next(layer for layer in loaded.layers if layer.name == SITE)
        files = {one.mark().file for one in site.definitions}
        places = _inside(loaded.layers, sources.site)
        aliases = [alias for alias in loaded.aliases if alias.mark.file in files and wanted(alias)]
        if not aliases:
            return
        changed = [_replace(sources.site / places[one.mark().file], one,
                            [alias for alias in aliases if alias.mark.file == one.mark().file])
                   for one in site.definitions]
        if not any(changed):
            raise Refused("these names cannot be replaced; change them by hand:{places}",
                          places="".join(f"\n  {alias.notice}" for alias in aliases))


def _replace(path: Path, definition: Definition, aliases: Sequence[Alias]) -> bool:
    """Replace former names in one file; True if that changed it."""
    changes = edits(definition, aliases)
    if not changes:
        return False
    before = path.read_bytes().decode("utf-8-sig")
    if path.suffix == ".po":
        after = _in_catalogue(path.name, before, {str(old[-1]): new for (old, _), new in changes.items()})
    else:
        after = _in_document(path.name, before, definition, changes)
    path.write_text(after, encoding="utf-8", newline="")
    return after != before


def _in_document(file: str, text: str, definition: Definition, changes: Mapping[tuple[BodyPath, bool], str]) -> str:
    suffix = file[file.rfind("."):]
    if suffix not in (".yaml", ".yml", ".xml"):
        return _in_text(file, text, definition, changes)
    found = document(file, text)
    for (path, key), new in sorted(changes.items(), key=lambda item: (-len(item[0][0]), item[0][1])):
        if path == ():
            found.set(("change",), f"{definition.kind} {new}" if suffix == ".xml" else new)
        elif key:
            found.rename(path, new)
        else:
            start, end = found.span(path)
            there = _same_words(found.text[start:end], str(written_at(definition, path)), new)
            if there is not None:
                found.replace(start, end, there)
            else:
                found.set(path, new)
    return found.text


def _same_words(written: str, value: str, new: str) -> str | None:
    """A value as it is written, quotes and line breaks kept, with other words; None if that cannot be told."""
    words, others = _WORD.findall(value), _WORD.findall(new)
    if _WORD.findall(written) != words or len(words) != len(others):
        return None
    following = iter(others)
    return _WORD.sub(lambda _: next(following), written)


def _in_text(file: str, text: str, definition: Definition, changes: Mapping[tuple[BodyPath, bool], str]) -> str:
    """A template: properties between two lines of ---, then its text."""
    head, tail = text, ""
    written = definition.body.get("body")
    if isinstance(written, str) and text.replace("\r\n", "\n").endswith(written):
        tail = text[-len(written):]
        head = text[:-len(written)] if written else text
    fence = head.rfind("---")
    lines = head[head.index("\n") + 1:fence]
    rest = {where: new for where, new in changes.items() if where[0] != ("body",)}
    if rest:
        lines = _in_document(file + ".yaml", lines, definition, rest)
    return head[:head.index("\n") + 1] + lines + head[fence:] + changes.get((("body",), False), tail)


def _in_catalogue(file: str, text: str, keys: Mapping[str, str]) -> str:
    for old, new in keys.items():
        line, count = f'msgctxt "{old}"', text.count(f'msgctxt "{old}"')
        if count != 1:
            raise Refused("{file}: {line} does not stand on one line; change it by hand", file=file, line=line)
        text = text.replace(line, f'msgctxt "{new}"')
    return text


def _inside(layers: Sequence[Layer], site: Path) -> dict[str, Path]:
    """The site's files as errors show them, with their paths in its folder."""
    whole = site.resolve()
    return {file: inside(site, Path(file)).relative_to(whole) for layer in layers if layer.name == SITE
            for file in {one.mark().file for one in layer.definitions}}


def _check_same(before: Loaded, named: Loaded, after: Loaded, aim: Aim, new: str) -> None:
    """Refuse unless the set means the same as before but for the name."""
    left = [alias for alias in after.aliases if (alias.old, alias.new) == (aim.old, new)]
    then = sorted(before.must().definitions)
    now = sorted((kind, aim.name if not aim.member and (kind, name) == (aim.kind, new) else name)
                 for kind, name in after.must().definitions)
    if left or then != now or after.must().hash != named.must().hash:
        raise Refused("{what} cannot be renamed: the definitions would mean something else{places}", what=str(aim),
                      places="".join(f"\n  {alias.notice}" for alias in left))


def _changed(old: Path, new: Path) -> dict[str, tuple[str, str]]:
    changed = {}
    for path in sorted(new.rglob("*")):
        inside = path.relative_to(new)
        if path.is_file() and path.read_bytes() != (old / inside).read_bytes():
            changed[inside.as_posix()] = ((old / inside).read_bytes().decode(), path.read_bytes().decode())
    return changed
