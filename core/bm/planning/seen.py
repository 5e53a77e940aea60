"""Plans as one person may see them: samples of records behind the gate, and expressions that read no more than they.

Looks at the records and fills run as the system. So what a page shows of them, and what its reader may have them work
out, is asked here: a right to plan or to promote is no right to read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from core.bm.inputs.facts import Finding, Sample
from core.ed.access import Gate
from core.ed.relations import locate, titles
from core.ed.scope import gated_scope, visible
from core.errors import Words, words
from core.expression import ExpressionError, check

if TYPE_CHECKING:
    from core.bm.versions.state import State
    from core.definition.model import Model
    from core.ed.session import Session

Findings = Mapping[tuple[str, str], Finding]
Shown = Callable[[Findings], Findings]
Paths = Collection[tuple[str, ...]]


def everything(findings: Findings) -> Findings:
    """What the command line shows: who runs it owns the machine."""
    return findings


def as_read_by(session: Session, findings: Findings) -> Findings:
    """The findings with those samples that somebody may read, under the titles that they see; counts stay."""
    ids = {one.id for found in findings.values() for sample in found.samples for one in (sample, *sample.sharing)}
    tables: dict[str, list[int]] = {}
    for identity, table in locate(session, ids).items():
        tables.setdefault(table, []).append(identity)
    known = titles(session, tables)

    def seen(one: Sample) -> Sample:
        sharing = tuple(map(seen, (each for each in one.sharing if each.id in known)))
        if one.reads and whole(session.gate, one.table, one.reads):
            return replace(one, sharing=sharing)
        return replace(one, title="" if one.sharing else known[one.id][0] or "", sharing=sharing)

    def named(found: Finding) -> tuple[Sample, ...]:
        return tuple(seen(one) for one in found.samples if any(each.id in known for each in (one, *one.sharing)))
    return {key: replace(found, samples=named(found)) for key, found in findings.items()}


def beyond(session: Session, base: State, target: State, answers: Mapping[str, str]) -> dict[str, Words]:
    """The answers that are expressions and read more than somebody may, by key: a hidden name is as unknown as none."""
    found = {}
    for key, answer in answers.items():
        before = base.names.get(target.identities.get(key.partition(" ")[2].partition(".")[0], 0))
        if not answer.startswith("=") or before is None:
            continue
        try:
            expression = check(answer[1:], gated_scope(session.gate, before))
        except ExpressionError as error:
            found[key] = error.words
            continue
        if not whole(session.gate, before, expression.reads):
            found[key] = words("It reads what you may not read in all records.")
    return found


def whole(gate: Gate, table: str, paths: Paths) -> bool:
    """Whether somebody may read all that some paths from a table lead through, in every record."""
    return all(_every(gate, path[1] if path[:1] == ("all",) else table) for path in paths) and all(
        _field(gate, *one) for path in paths for one in fields_on(gate.system.model, table, path))


def fields_on(model: Model, table: str, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The fields that a path from a table leads through, each with the table that it is asked of."""
    if path[:1] == ("all",):
        table, path = path[1], path[2:]
    current: str | None = table
    for step in path:
        if current is None:                     # after a link to several tables the table is named
            current = step
            continue
        yield current, step
        field = model.field(current, step)
        current = field.target if field is not None and len(field.targets) < 2 else None
        if field is None:
            return


def _field(gate: Gate, table: str, name: str) -> bool:
    """Whether a field shows its value in every record of its table; of a set, whether it shows all its records."""
    if not _every(gate, table) or not visible(gate, table, name):
        return False
    field = gate.system.model.field(table, name)
    if field is not None and field.formula is not None:
        return whole(gate, table, field.formula.reads)
    if field is not None and field.virtual:
        return field.target is not None and _every(gate, field.target)
    return gate.mask(table, name, gate.system.stored(table).table) is True


def _every(gate: Gate, table: str) -> bool:
    return gate.may(table, "read") and gate.predicate(table, "read", gate.system.stored(table).table) is True
