"""Is it the same under another name? Asked of what is gone, where something like it came, and nothing says.

Answered with its name of now, the identity stays as if the definition said `was`; answered with `new`, what came is
another. Answers about what came, with the former name or `new`, are taken as well.
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
    from core.bm.versions.state import Member, State

FILLED = "filled"               # the finding: records that have a value in a field, or a table's records


def answered(base: State, target: State, answers: Answers) -> State:
    """The target, with what was answered as if its definitions said it with `was`; a name counts once."""
    members, used = dict(target.members), set[str]()
    for key, answer in sorted(answers.items(), key=lambda one: "." in one[0]):      # tables first: fields are theirs
        word, _, path = key.partition(" ")
        if word != "rename" or answer == NEW:
            continue
        owner, dot, name = path.rpartition(".")
        gone = path in base.identities
        new, old = (f"{_now(owner, base, members)}{dot}{answer}", name) if gone else (path, answer)
        before = path if gone else f"{owner}{dot}{answer}"
        if new in members and new not in base.identities and not used & {new, f"was {before}"}:
            members[new] = replace(members[new], was=(old,))
            used |= {new, f"was {before}"}
    return replace(target, members=members)


def _now(table: str, base: State, members: Mapping[str, Member]) -> str:
    """What a table of the base is called in the target."""
    return table if not table or table in members else next(
        (path for path, one in members.items() if "." not in path and table in one.was), table)


def questions(way: Way) -> Iterator[Question]:
    """A question for each table or field that is gone and could be one that came, or one of several."""
    if way.back:
        return
    gone = set(way.base.identities.values()) - set(way.target.identities.values())
    gone -= {way.base.identities[path] for path in migrations.used_up(way.base, way.target)}
    gone |= {way.base.identities[path] for path in way.base.identities if way.answer("rename", path) is not None}
    filled = {one.field for one in migrations.fills(way.base, way.target, {})}
    came = {path: olds for path in way.target.members
            if path not in filled and (olds := _candidates(way, path, gone))}
    asked: dict[str, list[str]] = {}
    for path, olds in came.items():
        if way.answer("rename", path) is not None and path not in way.base.identities:
            yield _of_what_came(way, path, olds)
            continue
        for old in olds:
            if way.former(path) in (None, old):             # else it is said to be another one
                asked.setdefault(old, []).append(path)
    for old in sorted(asked, key=way.base.identities.__getitem__):
        yield _of_what_went(way, old, asked[old])


def problems(way: Way) -> Iterator[Words]:
    """Two that are said to be the same one."""
    was, now = Counter[str](), Counter[str]()
    for key, answer in way.answers.items():
        word, _, path = key.partition(" ")
        if word == "rename" and answer != NEW:
            owner, dot, _ = path.rpartition(".")
            (now if path in way.base.identities else was)[f"{owner}{dot}{answer}"] += 1
    for name, count in sorted(was.items()):
        if count > 1:
            yield words('{count} answers say that they were "{name}" before; only one can be', count=count, name=name)
    for name, count in sorted(now.items()):
        if count > 1:
            yield words('{count} answers say that they are "{name}" now; only one can be', count=count, name=name)


def _candidates(way: Way, path: str, gone: Iterable[int]) -> list[str]:
    """The paths in the base that this one may have had: what was answered first, then in the order of identities."""
    base, target = way.base, way.target
    identity, former = target.identities[path], way.former(path)
    chosen = [former] if former is not None and (
        way.answer("rename", path) == former.rpartition(".")[2]
        or way.answer("rename", former) == path.rpartition(".")[2]) else []
    new = former is None and identity not in target.returning and not target.members[path].fresh
    if not new and not chosen:
        return []
    alike = _table_alike if "." not in path else _field_alike
    return chosen + [old for one in sorted(gone) if (old := base.names[one]) not in chosen and alike(way, old, path)]


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


def _of_what_came(way: Way, path: str, olds: list[str]) -> Question:
    """The question turned round, for an answer about what came."""
    names = [one.rpartition(".")[2] for one in olds]
    options = [Option(name, words('it was "{name}", and keeps its values', name=name)) for name in names]
    return _question(way, olds, [path], f"rename {path}", options)


def _of_what_went(way: Way, old: str, news: list[str]) -> Question:
    names = [one.rpartition(".")[2] for one in news]
    options = [Option(name, words('it is "{name}" now, and keeps its values', name=name)) for name in names]
    return _question(way, [old], news, f"rename {old}", options)


def _question(way: Way, olds: list[str], news: list[str], key: str, options: list[Option]) -> Question:
    kind, old = "field" if "." in olds[0] else "table", olds[0]
    found = way.facts.finding(FILLED, old)
    count = way.facts.values.get(way.base.identities[old], found.count)
    another = Option(NEW, words("it is another one; what the old one holds is kept out of sight"))
    return Question(
        key, words('"{old}" is gone and "{new}" came: is it the same under a new name?', old='", "'.join(olds),
                   new='", "'.join(news)),
        (*options, another), count=count, samples=found.samples or NOTHING.samples, came=tuple(news),
        place=way.target.place(kind, news[0]), said=f"was: {old.rpartition('.')[2]} (or fresh: true)")
