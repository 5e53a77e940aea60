"""Reviewing what a release changed under the site's overrides: keep, take or edit, written into the site's files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.definition import yaml
from core.definition.document import Document
from core.definition.load import Loaded
from core.definition.overrides import LOCK, Stale, short
from core.definition.renames import Alias
from core.definition.replacing import replace_files
from core.definition.rewriting import document
from core.definition.values import BodyPath
from core.definition.xml_text import XmlText
from core.definition.yaml_text import emit
from core.errors import Problem, Refused

KEEP, TAKE = "keep", "take"


@dataclass(frozen=True)
class Edit:
    """The answer that the override shall say something else."""

    value: object


Answer = str | Edit             # "keep", "take", or an Edit


class Questioner(Protocol):
    """Whoever answers: a person at a terminal, or a file."""

    def ask(self, stale: Stale) -> Answer | None:
        """What shall be done about an override; None to leave it for later."""


@dataclass(frozen=True)
class Answers:
    """Answers that were written down before, by the override's key."""

    by_key: Mapping[str, Answer]

    def ask(self, stale: Stale) -> Answer | None:
        """What the file says of it; None if it says nothing."""
        return self.by_key.get(stale.locked, self.by_key.get(stale.override.key))


def review(loaded: Loaded, site: Path, root: Path, questioner: Questioner,
           again: Callable[[], Loaded]) -> tuple[list[tuple[Stale, Answer]], Loaded]:
    """Ask about every stale override, rewrite the site's files and its lock; what was answered, and the set after it.

    `again` loads the set. Raises Refused, before anything is written, for an answer that cannot be carried out.
    """
    answered = [(one, answer) for one in loaded.overrides.stale if (answer := questioner.ask(one)) is not None]
    replace_files(site, _rewritten(loaded, root, answered))
    after = again()
    kept = {one.locked for one, _ in answered} | {one.override.key for one, _ in answered}
    write_lock(site, after, kept)
    return answered, again()


def write_lock(site: Path, loaded: Loaded, kept: Iterable[str] = ()) -> None:
    """Write the lock, unless it says the same already; a site that overrides nothing needs none."""
    path = site / LOCK
    if not loaded.overrides.all and not path.is_file():
        return
    text = loaded.overrides.next_lock(kept)
    if not path.is_file() or path.read_bytes() != text:
        replace_files(site, {path: text.decode()})


def _rewritten(loaded: Loaded, root: Path, answered: Sequence[tuple[Stale, Answer]]) -> dict[Path, str | None]:
    """The site's files with the answers in them; None for one that would say nothing any more."""
    edits: dict[str, list[tuple[Stale, Answer]]] = {}
    for stale, answer in answered:
        _check(stale, answer)
        if answer != KEEP:
            edits.setdefault(stale.override.mark.file, []).append((stale, answer))
    result: dict[Path, str | None] = {}
    for file, of_file in edits.items():
        path = root / file
        changed = document(file, path.read_text(encoding="utf-8"))
        former = [alias for alias in loaded.aliases if alias.mark.file == file]
        # from the last to the first, so that the places of those before stay what they are
        for stale, answer in sorted(of_file, key=lambda pair: _order(pair[0].override.where), reverse=True):
            where = _written(changed, stale.override.where, former)
            if isinstance(answer, Edit):
                changed.set(where, answer.value)
            elif not _take(changed, stale, where):
                result[path] = None
        if path not in result:
            result[path] = changed.text
    return result


def _check(stale: Stale, answer: Answer) -> None:
    if answer == KEEP and stale.lost:
        raise Refused("{key} cannot be kept: what it changes is not shipped any more; take, or edit",
                      key=stale.override.key)
    if not isinstance(answer, Edit) and answer not in (KEEP, TAKE):
        raise Refused("{key}: the answer is keep, take or edit", key=stale.override.key)


def _take(changed: Document, stale: Stale, where: BodyPath) -> bool:
    """Take an override out of a file; False if nothing is left in it."""
    operation = where[:2]
    if where[0] == "changes" and stale.override.act in ("remove", "place"):
        changed.remove(operation)
    else:
        changed.remove(where)
        if where[0] == "changes" and isinstance(changed, XmlText) and changed.idle(operation):
            changed.remove(operation)
    return not changed.bare


def _order(where: BodyPath) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in where)


def _written(changed: Document, where: BodyPath, former: Sequence[Alias]) -> BodyPath:
    """A place as the file writes it: under a former name, or as one value with what is around it."""
    if not changed.has(where):
        old = {alias.new: alias.old for alias in former}
        where = tuple(old.get(part, part) if isinstance(part, str) else part for part in where)
    if not changed.has(where) and changed.has(where[:-1]):      # `total: expression` for `total: {is: expression}`
        return where[:-1]
    return where


def template(stale: Sequence[Stale]) -> str:
    """A file of answers to be filled in."""
    lines = ["# After each colon write keep, take or {edit: VALUE}; what has no answer waits for the next review."]
    for one in stale:
        lines += ["", *(f"# {line}" for line in described(one)), f"{emit(one.locked)}:"]
    return "\n".join(lines) + "\n"


def described(stale: Stale) -> Iterator[str]:
    """An override to review, for people: where, base, theirs and ours."""
    one = stale.override
    yield f"{one.mark}: {one.key}"
    yield f"base:   {short(stale.base)}"
    yield f"theirs: {short(one.shipped)}  ({one.source})"
    yield f"ours:   {'removed' if one.act in ('remove', 'exclude') else short(one.ours)}"
    if stale.lost:
        yield "It cannot be kept: what it changes is not shipped any more."


def read_answers(data: bytes, file: str) -> Answers:
    """The answers in a file. Raises DefinitionError's problems as Refused."""
    body, places, problems = yaml.read(data, file)
    found: dict[str, Answer] = {}
    for key, value in (body if isinstance(body, dict) else {}).items():
        if value in (KEEP, TAKE):
            found[key] = str(value)
        elif isinstance(value, dict) and list(value) == ["edit"]:
            found[key] = Edit(value["edit"])
        elif value is not None:
            problems.append(places[(key,)].problem("the answer is keep, take or {edit: VALUE}"))
    if body is not None and not isinstance(body, dict):
        problems.append(Problem(file, 1, 1, "a file of answers is a mapping: review --list prints one"))
    if problems:
        raise Refused("{problems}", problems="\n".join(str(problem) for problem in problems))
    return Answers(found)
