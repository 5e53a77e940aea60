"""Is it the same thing under another name? Asked where something is gone and something like it came, and nothing says.

Answered with the former name, the identity stays as if the definition said `was`; answered with `new`, it is another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from core.bm.changes import migrations
from core.bm.inputs.facts import NOTHING
from core.bm.inputs.questions import NEW, Answers, Option, Question
from core.errors import Words, words

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State

FILLED = "filled"               # the finding: records that have a value in a field, or a table's records


def answered(base: State, target: State, answers: Answers) -> State:
    """The target, with what was answered as if its definitions said it with `was`; an old name counts once."""
    members, used = dict(target.members), set()
    for key, answer in answers.items():
        word, _, path = key.partition(" ")
        old = (path.rpartition(".")[0], answer)
        if word == "rename" and path in members and path not in base.identities and answer != NEW and old not in used:
            members[path] = replace(members[path], was=(answer,))
            used.add(old)
    return replace(target, members=members)


def questions(way: Way) -> Iterator[Question]:
    """A question for each new table or field that could be an old one; several may be."""
    if way.back:
        return
    gone = set(way.base.identities.values()) - set(way.target.identities.values())
    gone -= {way.base.identities[path] for path in migrations.used_up(way.base, way.target)}
    filled = {one.field for one in migrations.fills(way.base, way.target, {})}
    for path in way.target.members:
        olds = _candidates(way, path, gone) if path not in filled else []
        if olds:
            yield _question(way, path, olds)


def problems(way: Way) -> Iterator[Words]:
    """Two that are said to be the same one."""
    counts = Counter((path.rpartition(".")[0], way.answers[f"rename {path}"]) for path in way.target.members
                     if way.answers.get(f"rename {path}", NEW) != NEW)
    for (owner, old), count in sorted(counts.items()):
        if count > 1:
            yield words('{count} answers say that they were "{name}" before; only one can be',
                        count=count, name=f"{owner}.{old}" if owner else old)


def _candidates(way: Way, path: str, gone: Iterable[int]) -> list[str]:
    """The paths in the base that this one may have had: what was answered first, then in the order of identities."""
    base, target = way.base, way.target
    identity, former = target.identities[path], way.former(path)
    chosen = [former] if former is not None and way.answer("rename", path) == former.rpartition(".")[2] else []
    new = former is None and identity not in target.returning and not target.members[path].fresh
    if not new and not chosen:
        return []
    alike = _table_alike if "." not in path else _field_alike
    return chosen + [base.names[one] for one in sorted(gone) if alike(way, base.names[one], path)]


def _field_alike(way: Way, old: str, path: str) -> bool:
    """The same meaning in the same table, with values that would be out of sight."""
    table, _, _ = path.partition(".")
    before, after = way.base.members[old], way.target.members[path]
    return "." in old and old.partition(".")[0] == way.former(table) and bool(before.parts) \
        and way.base.meaning(old) == way.target.meaning(path) and before.parts == after.parts \
        and way.facts.values.get(way.base.identities[old]) != 0


def _table_alike(way: Way, old: str, path: str) -> bool:
    """Under the same base, with records, and half of the fields of the smaller one are in both."""
    if "." in old or way.base.meaning(old) != way.target.meaning(path):
        return False
    ours, theirs = _fields(way.base, old), _fields(way.target, path)
    same = sum(theirs.get(name) == meaning for name, meaning in ours.items())
    return 2 * same >= min(len(ours), len(theirs)) > 0 and way.facts.values.get(way.base.identities[old]) != 0


def _fields(state: State, table: str) -> Mapping[str, str]:
    return {path.partition(".")[2]: one.meaning.split()[0] for path, one in state.members.items()
            if path.startswith(f"{table}.")}


def _question(way: Way, path: str, olds: list[str]) -> Question:
    kind, old = "field" if "." in path else "table", olds[0]
    found = way.facts.finding(FILLED, old)
    count = way.facts.values.get(way.base.identities[old], found.count)
    names = [one.rpartition(".")[2] for one in olds]
    options = [*(Option(name, words('it was "{name}", and keeps its values', name=name)) for name in names),
               Option(NEW, words("it is another one; what the old one holds is kept out of sight"))]
    return Question(
        f"rename {path}", words('"{old}" is gone and "{new}" came: is it the same under a new name?',
                                old='", "'.join(olds), new=path),
        tuple(options), count=count, samples=found.samples or NOTHING.samples,
        place=way.target.place(kind, path), said=f"was: {names[0]} (or fresh: true)")
