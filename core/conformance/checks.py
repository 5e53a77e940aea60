"""The checks themselves: each gives what is wrong in lines, with places where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.bm.inputs.facts import Facts
from core.bm.planning.plan import plan
from core.bm.versions.identities import assign
from core.bm.versions.state import EMPTY, state_of
from core.conformance.pages import visit
from core.conformance.subject import Subject
from core.definition import references
from core.definition.catalogue import missing, units, written_in
from core.definition.layers import SITE
from core.ed.schema import name_all
from core.errors import TesseraError


@dataclass(frozen=True)
class Check:
    """One thing that has to hold: its name, a sentence, and what finds where it does not."""

    name: str
    says: str
    find: Callable[[Subject], Iterator[str]]

    def run(self, subject: Subject) -> list[str]:
        """What is wrong, in lines."""
        try:
            return list(self.find(subject))
        except TesseraError as error:
            return str(error).splitlines()


def _definitions(subject: Subject) -> Iterator[str]:
    yield from map(str, subject.loaded.problems)


def _places(subject: Subject) -> Iterator[str]:
    for layer in subject.loaded.layers:
        for one in layer.definitions if subject.is_own(layer.name) else ():
            kind = subject.plugins.kinds[one.kind]
            mark = one.mark()
            stem = mark.file.rpartition("/")[2].rpartition(".")[0]
            if one.kind in ("system", "addon", "translation"):
                continue
            if one.name not in (stem, kind.name_of(stem, layer.name)):
                yield f"{mark}: {one.kind} {one.name} is looked for in {one.name}{kind.suffix}"


def _references(subject: Subject) -> Iterator[str]:
    model = subject.model
    for one in references(model, subject.plugins):
        name = one.to_name.partition(".")[0]
        kinds = (one.to_kind, "mixin") if one.to_kind == "table" else (one.to_kind,)
        if one.to_kind in subject.plugins.kinds and not any(name in model.values.get(kind, {}) for kind in kinds):
            mark = model.definitions[one.kind, one.name].mark(one.path)
            yield f"{mark}: {one.kind} {one.name} names {one.to_kind} {one.to_name}: it is not there"


def _translations(subject: Subject) -> Iterator[str]:
    model = subject.model
    found = units(model, subject.plugins.kinds)
    for gap in missing(model, found, written_in(model, subject.loaded.layers)):
        if subject.is_own(gap.unit.layer) or gap.unit.layer == SITE:
            yield f"{gap.unit.mark}: {gap.unit.path} has no words in {gap.language}: {gap.unit.short}"


def _demo(subject: Subject) -> Iterator[str]:
    if subject.scratch.problem:
        yield subject.scratch.problem


def _pages(subject: Subject) -> Iterator[str]:
    yield from visit(subject)


def _upgrade(subject: Subject) -> Iterator[str]:
    if subject.earlier is None:
        return
    if subject.earlier.problems:
        yield from (f"the earlier release: {problem}" for problem in subject.earlier.problems)
        return
    old, new = subject.earlier.must(), subject.model
    base = assign(EMPTY, state_of(old, old.hash), (), 1)
    target = assign(base, state_of(new, new.hash), (), max(base.identities.values(), default=0) + 1)
    facts = Facts(physical=name_all(old, base.identities))
    yield from map(str, plan(base, target, facts).problems)


CHECKS = (
    Check("definitions", "the definitions have no problem", _definitions),
    Check("places", "each definition stands in the file that has its name", _places),
    Check("references", "whatever is named is there", _references),
    Check("translations", "every text has its words in every language", _translations),
    Check("demo", "the demo records load", _demo),
    Check("pages", "lists and forms render for each role and language", _pages),
    Check("upgrade", "a system on the earlier release can be brought up to this one", _upgrade),
)
