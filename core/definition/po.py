"""PO files of translations: what one holds, and how it follows the texts it translates."""

from __future__ import annotations

import io
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po, write_po

from core.definition.source import decode
from core.errors import DefinitionError, Problem

if TYPE_CHECKING:
    from core.definition.catalogue import Unit

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: {language}\\n"\n\n'


@dataclass(frozen=True)
class Followed:
    """A catalogue brought up to date: its text, and how many entries are new, changed, gone and still empty."""

    text: str
    new: int
    changed: int
    gone: int
    empty: int


def read(data: bytes, file: str) -> Catalog:
    """The entries of a PO file; raises DefinitionError."""
    problems: list[Problem] = []
    text = decode(data, file, problems)
    if text is None:
        raise DefinitionError(problems)
    try:
        return read_po(text.splitlines(keepends=True), abort_invalid=True)
    except (PoFileError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 1
        raise DefinitionError([Problem(file, line, 1, f"this is not a PO file: {error}")]) from None


def catalogue_of(path: Path) -> Catalog:
    """The entries of a PO file, none if there is no such file; raises DefinitionError."""
    return read(path.read_bytes(), str(path)) if path.is_file() else Catalog()


def outdated(path: Path, found: Iterable[Unit]) -> list[Unit]:
    """The units whose translation in a file was made of other words; raises DefinitionError."""
    made_of = {message.context: message.id for message in catalogue_of(path) if message.id and message.string}
    return [unit for unit in found if unit.path in made_of and made_of[unit.path] != unit.text]


def follow(path: Path, language: str, wanted: Iterable[Unit], elsewhere: Container[str] = ()) -> Followed:
    """The PO file with an entry for every wanted unit; raises DefinitionError.

    Entries of paths in `elsewhere`, where a higher layer says something else here, stay as they are.

    Words that were translated from other words stay, marked as fuzzy, and count again once somebody has removed the
    mark. What translates nothing any more moves to the end of the file as obsolete.
    """
    old = catalogue_of(path)
    known = {message.context: message for message in (*old.obsolete.values(), *old) if message.id}
    new = Catalog(locale=language, charset="utf-8")
    counts = dict.fromkeys(("new", "changed", "gone", "empty"), 0)
    for unit in wanted:
        before = known.pop(unit.path, None)
        message = _message(unit, before)
        new[unit.text] = message
        counts["new"] += before is None
        counts["changed"] += before is not None and before.id != unit.text
        counts["empty"] += not message.string
    for message in known.values():
        if message.context in elsewhere and (message.id, message.context) not in old.obsolete:
            new[message.id] = message
            continue
        if message.string:
            new.obsolete[message.id, message.context] = message
        counts["gone"] += (message.id, message.context) not in old.obsolete
    written = io.BytesIO()
    write_po(written, new, omit_header=True, width=0, include_previous=True)
    text = HEADER.format(language=language) + written.getvalue().decode().strip("\n") + "\n"
    return Followed(text, **counts)


def _message(unit: Unit, before: Message | None) -> Message:
    if before is None:
        return Message(unit.text, "", context=unit.path)
    flags = set(before.flags) - {"python-format"}
    previous = before.previous_id
    if before.id != unit.text and before.string:
        flags.add("fuzzy")
        previous = [before.id] if isinstance(before.id, str) else list(before.id)
    return Message(unit.text, before.string, context=unit.path, flags=flags, previous_id=previous,
                   user_comments=before.user_comments, auto_comments=before.auto_comments)
