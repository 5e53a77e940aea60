"""Why somebody can or cannot do a thing: the verdict of the gate itself, and each step that led to it.

The verdict is asked as the user would ask; the steps name the definition, its file and line. What stands in records is
said only as far as whoever asks the question may read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core.ed import locked, messages
from core.ed.access import PARENT_RIGHT, RIGHTS, Gate, Limited, Predicate
from core.ed.paths import end_of, value_of
from core.ed.read import with_right
from core.ed.records import Records
from core.ed.session import Session, counted, reach
from core.errors import BadRequest, NotFound, Words, words

if TYPE_CHECKING:
    from core.definition.model import RecordRole, Restriction, Role

Place = Callable[[str, str, tuple[str, ...]], str]
FIELD_RIGHTS = ("read", "change")
NAMED = 5                       # so many records at the end of a path are named


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that counts: whether it speaks for the right (None: it only explains), and where it is written."""

    holds: bool | None
    says: Words
    place: str = ""             # file:line
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether somebody may, why, and what would be needed."""

    allowed: bool
    steps: tuple[Step, ...]
    missing: tuple[Words, ...] = ()


def why(session: Session, user: int, right: str, table: str, id: int | None = None,
        field: str | None = None, place: Place | None = None) -> Answer:
    """Explain the right of a user on a table, a record, or a field. Raises BadRequest, NotFound.

    `place` says where a definition is written at a path; without it, as the Model knows.
    """
    model = session.system.model
    if right not in RIGHTS or (field and right not in FIELD_RIGHTS):
        raise BadRequest("There is no such action here; one of {actions} is expected.", "action",
                         actions=", ".join(FIELD_RIGHTS if field else RIGHTS))
    if table not in model.tables:
        raise NotFound('There is no table "{table}".', table=table[:60])
    if field and field not in model.tables[table].fields:
        raise NotFound('There is no field "{name}" on "{table}".', name=field[:60], table=table)
    return _Question(session, user, right, table, id, field, place).answer()


class Asked:
    """A question about a user, while its steps are gathered."""

    def __init__(self, session: Session, user: int, place: Place | None) -> None:
        """Raises NotFound."""
        if not Records(Session.system_session(session.system, session.connection)).read("user", [user], ["id"]):
            raise NotFound("There is no such user.")
        self.place = place
        self.asker = session
        self.system = session.system
        self.user = user
        self.today: date = session.environment.today
        principals = counted(session.connection, session.system, user, self.today)
        environment = session.environment
        self.session = Session.open(session.system, session.connection, principals, how=session.how,
                                    zone=environment.zone, language=session.language, now=environment.now)
        self.gate: Gate = Gate.of(session.system, principals)

    def roles(self) -> Iterator[Step]:
        """The roles of the user, by which assignment, and what they include."""
        stored = self.system.stored("role_assignment")
        during = self.system.model.tables["role_assignment"].during
        days = [stored.column(name) for name in during or ()]
        rows = self.asker.connection.execute(select(stored.column("id"), stored.column("role"), *days).where(
            stored.column("user") == self.user, stored.column("_deleted_on").is_(None)).order_by(stored.column("id")))
        found = False
        for id, role, *when in rows.all():
            since, until = when or (None, None)
            holds = role in self.system.model.roles and not (
                (since is not None and since > self.today) or (until is not None and until < self.today))
            found = found or holds
            values = {"role": self.role_title(role) if role in self.system.model.roles else role, "id": id}
            said = words("Holds the role {role}, by role assignment {id}.", **values) if holds else \
                words("Does not hold the role {role} today: role assignment {id} is for other days.", **values)
            yield Step(holds, said, self.written("role", role))
            yield from self._included(role, 1) if holds else ()
        if not found:
            yield Step(False, words("Holds no role."))

    def _included(self, name: str, indent: int) -> Iterator[Step]:
        role = self.system.model.roles[name]
        for other in role.includes if role.kind != "portal" and indent < 10 else ():
            if other in self.gate.system.model.roles:
                yield Step(True, words("The role {role} includes the role {other}.", role=self.role_title(name),
                                       other=self.role_title(other)), self.written("role", name, "includes"), indent)
                yield from self._included(other, indent + 1)

    def role_title(self, role: str) -> str:
        """What a role is called, in the language of whoever asks."""
        return self.system.model.text(f"role {role}.title", self.asker.language) or role

    def written(self, kind: str, name: str, *path: str) -> str:
        """Where a definition says it: `file:line`."""
        if self.place is not None:
            return self.place(kind, name, path)
        merged = self.system.model.definitions.get((kind, name))
        if merged is None:
            return ""
        mark = merged.mark(path)
        return f"{mark.file}:{mark.line}" if mark.file else f"{kind} {name}"


class _Question(Asked):
    """A question about records."""

    def __init__(self, session: Session, user: int, right: str, table: str, id: int | None, field: str | None,
                 place: Place | None) -> None:
        super().__init__(session, user, place)
        self.right = right
        self.id = id
        self.field = field
        self.table = self._kind(table)
        self.source = self.system.stored(self.table).table

    def answer(self) -> Answer:
        """The verdict and its steps."""
        steps = [*self.roles(), *self._grants(), *self._ways(), *self._limits(), *self._field(), *self._lock()]
        allowed = self._verdict()
        return Answer(allowed, tuple(steps), () if allowed else tuple(self._missing(steps)))

    # The verdict, as the user would meet it

    def _verdict(self) -> bool:
        if self.id is None:
            allowed = self.gate.may(self.table, self.right)
            return allowed and (not self.field or not self.gate.hidden(self.table, self.field, self.right))
        needed = {"read", self.right} - ({"read"} if self.right == "peek" else set())
        if not all(with_right(self.session, self.table, one, [self.id]) for one in needed):
            return False
        if self.field and not self._met(self.gate.mask(self.table, self.field, self.source, self.right)):
            return False
        return not self._closed()

    def _closed(self) -> bool:
        """Whether the record's own state stands against it: a lock, or a field that is read-only now."""
        if self.right not in ("change", "delete") or self.id is None:
            return False
        standing = locked.standing(self.session, self.table, self.id)
        if standing is not None and standing.by is not None and self.field not in standing.fields:
            return True
        return self.field is not None and self._readonly()

    def _readonly(self) -> bool:
        from core.ed.columns import RecordColumns
        condition = self.system.model.tables[self.table].fields[self.field or ""].readonly
        if isinstance(condition, bool):
            return condition
        columns = RecordColumns(self.system, None, self.table)
        met = select(condition.sql(columns).is_(True)).select_from(columns.source).where(columns.root.id == self.id)
        return self.asker.connection.scalar(met, self.session.parameters) is True

    def _kind(self, table: str) -> str:
        """The table that the record is really of. Raises NotFound."""
        if self.id is None:
            return table
        stored = self.system.stored(table)
        kind = self.asker.connection.scalar(select(stored.table.c["_type"]).where(stored.table.c["id"] == self.id))
        found = self.system.name_of(kind) if kind is not None else None
        if found is None or not self.system.model.names.is_kind_of(found, table):
            raise NotFound("There is no such record.")
        return found

    def _met(self, predicate: Predicate, source: Any = None, id: int | None = None) -> bool:
        if isinstance(predicate, bool):
            return predicate
        source = self.source if source is None else source
        statement = select(predicate).select_from(source).where(source.c["id"] == (self.id if id is None else id))
        return self.asker.connection.scalar(statement, self.session.parameters) is True

    # Steps

    def _grants(self) -> Iterator[Step]:
        for role in self.gate.roles:
            if role.all:
                yield Step(True, words("The role {role} may do everything.", role=self.role_title(role.name)),
                           self.written("role", role.name, "all"))
                continue
            if role.kind == "portal":
                yield Step(None, words("The role {role} is for outsiders: only what it names itself is allowed.",
                                       role=self.role_title(role.name)), self.written("role", role.name, "kind"))
            yield self._said(role, "")
        access = self.system.model.tables[self.table].access
        if access.through and not any(self._key(role, "") for role in self.gate.roles if role.kind != "portal"):
            yield Step(None, words("No role speaks of it, so that the right is that on what it belongs to."),
                       self.written("table", self.table, "access", "through"))

    def _said(self, role: Role, ending: str) -> Step:
        """What a role says of the table, or of the field."""
        key = self._key(role, ending)
        values: dict[str, object] = {"role": self.role_title(role.name), "right": self.right,
                                     "what": self.table + ending, "named": key or ""}
        if key is None:
            return Step(None, words("The role {role} says nothing of {right} on {what}.", **values),
                        self.written("role", role.name))
        grant = role.grants[key]
        said = getattr(grant, self.right)
        place = self.written("role", role.name, "grants", key, self.right)
        if said is False:
            return Step(False, words("The role {role} denies {right} on {named}.", **values), place)
        where = words(", where {condition}", condition=grant.where.source) if grant.where is not None else ""
        if said is True:
            return Step(True if grant.where is None else None,
                        words("The role {role} grants {right} on {named}{where}.", **values, where=where), place)
        return Step(None, words("The role {role} grants {right} on {named} to: {people}{where}.", **values, where=where,
                                people=", ".join(said)), place)

    def _key(self, role: Role, ending: str) -> str | None:
        """The name under which a role grants or denies the right: the table's own, or a base's."""
        current: str | None = self.table
        while current is not None:
            grant = role.grants.get(current + ending)
            if grant is not None and getattr(grant, self.right) is not None:
                return current + ending
            current = None if role.kind == "portal" else self.system.model.tables[current].base
        return None

    def _ways(self) -> Iterator[Step]:
        """How the user stands to the record, for each record role that a grant names."""
        rule = self.gate.field_rule(self.table, self.field, self.right) if self.field else \
            self.gate.rule(self.table, self.right)
        if isinstance(rule, bool) or self.id is None:
            return
        names = {name for one in rule for name in _names(one)}
        yield from self._stands(sorted(names))
        for one in rule:
            if isinstance(one, Limited):
                met = self._met(self.gate.limited(self.table, Limited(one.table, True, one.where), self.source))
                yield Step(met, words("The record meets the condition of the grant.") if met
                           else words("The record does not meet the condition of the grant."))

    def _stands(self, names: Sequence[str], indent: int = 0) -> Iterator[Step]:
        roles = self.system.model.tables[self.table].roles
        for name in names:
            for path, condition in self.gate.ways(self.table, roles[name], self.source) if name in roles else ():
                holds = self._met(condition)
                values = {"role": name, "path": path, "found": self._ends(path)}
                kind = self._form(roles[name])
                said = words("Is {role} of this record: {path} is {found}{kind}.", **values, kind=kind) if holds else \
                    words("Is not {role} of this record: {path} is {found}{kind}.", **values, kind=kind)
                yield Step(holds, said, self._declared(name), indent)

    def _form(self, role: RecordRole) -> Words | str:
        if role.above is not None:
            return words(", and those above count")
        return words(", compared with the user's {of} and all beneath", of=role.of) if role.of else ""

    def _limits(self) -> Iterator[Step]:
        access = self.system.model.tables[self.table].access
        if access.only:
            yield Step(None, words("Only its {role} has any right on such a record.", role=access.only),
                       self.written("table", self.table, "access", "only"))
            yield from self._stands([access.only], 1) if self.id is not None else ()
        for one in (*self.gate.restrictions(self.table),
                    *(self.gate.restrictions(self.table, self.field) if self.field else ())):
            yield from self._restricted(one)
        for path in access.through if self.id is not None else ():
            yield self._through(path)

    def _restricted(self, one: Restriction) -> Iterator[Step]:
        said = one.rights.get(self.right, one.rights.get("read") if self.right not in ("create", "unlock") else None)
        if said is None:
            return
        who = ", ".join(said) if isinstance(said, tuple) and said else "–"
        values: dict[str, object] = {"name": one.name, "right": self.right, "people": who}
        place = self.written("restrict", one.name, "only", self.right)
        if self.id is None:
            yield Step(None, words("The restriction {name} leaves {right} to: {people}.", **values), place)
            return
        if self._met(self.gate.restricted(one, self.table, self.right, self.source)):
            said_so = words("The restriction {name}, which leaves {right} to {people}, does not stand in the way.",
                            **values)
            yield Step(True, said_so, place)
            return
        yield Step(False, words("The restriction {name} leaves {right} to: {people}.", **values), place)
        yield from self._stands(said if isinstance(said, tuple) else (), 1)

    def _through(self, path: str) -> Step:
        """Whether the user has the right on what the record belongs to."""
        place = self.written("table", self.table, "access", "through")
        right = PARENT_RIGHT[self.right]
        values: dict[str, object] = {"path": path, "right": right, "found": self._ends(path)}
        parent = end_of(self.system.model, self.table, path)
        link = value_of(self.system, self.table, path, self.source)
        id = self.asker.connection.scalar(select(link).where(self.source.c["id"] == self.id))
        if id is not None and with_right(self.session, parent, right, [id]):
            said = words("It belongs to {found} ({path}), on which the user has the right {right}.", **values)
            return Step(True, said, place)
        return Step(False, words("It belongs to {found} ({path}), on which the user has no right {right}.", **values),
                    place)

    def _field(self) -> Iterator[Step]:
        if not self.field:
            return
        for role in self.gate.roles:
            if not role.all:
                yield self._said(role, f".{self.field}")
        definition = self.system.model.tables[self.table].fields[self.field]
        if self.right == "change" and self.id is not None and self._readonly():
            kind, _, rest = definition.path.partition(" ")
            yield Step(False, words("The field is read-only in this record."),
                       self.written(kind, rest.partition(".")[0], "fields", self.field, "readonly"))

    def _lock(self) -> Iterator[Step]:
        if self.id is None or self.right not in ("change", "delete"):
            return
        standing = locked.standing(self.session, self.table, self.id)
        if standing is None or (standing.by is None and standing.until is None):
            return
        if standing.by is None:
            yield Step(True, words("It is locked, but this user has unlocked it."),
                       self.written("table", self.table, "lock"))
        elif self.field is None or self.field not in standing.fields:
            yield Step(False, locked.told(self.asker, standing.by, belongs=standing.by.id != self.id),
                       self.written("table", standing.by.table, "lock"))

    def _missing(self, steps: Sequence[Step]) -> Iterator[Words]:
        """What would be needed: a role that grants it, a place at the record, or that nothing stands against it."""
        granted = self.gate.field_rule(self.table, self.field, self.right) if self.field else \
            self.gate.rule(self.table, self.right)
        roles = messages.who_may(self.asker, self.table, self.right) or "–"
        if not granted:
            yield words("A role that grants it: {roles}.", roles=roles)
        elif not isinstance(granted, bool) and self.id is not None and not self._met(
                self.gate.stands(self.table, granted, self.source)):
            yield words("To be one of these to the record: {people}; or a role that grants it to others: {roles}.",
                        people=", ".join(sorted({name for one in granted for name in _names(one)})) or "–", roles=roles)
        if any(step.holds is False and "restriction" in step.says.message for step in steps):
            yield words("To be named by the restriction; no role helps.")
        if any(step.holds is False and step.says.message.startswith("It belongs to") for step in steps):
            yield words("A right on what it belongs to.")
        if self._closed():
            yield words("That the record is unlocked, or the field not read-only in it.")
        if self.right not in ("read", "peek", "create") and self.id is not None and not with_right(
                self.session, self.table, "read", [self.id]):
            yield words("The right to read the record: who may not see it does nothing with it.")

    # Words

    def _ends(self, path: str) -> str:
        """The records at the end of a path, named as far as whoever asks may read them."""
        table, ids = reach(self.asker.connection, self.system, self.table, path, (self.id or 0,), self.today)
        named = [messages.title_of(self.asker, table, id) or f"{table} {id}" for id in ids[:NAMED]]
        return ", ".join([*named, "…"] if len(ids) > NAMED else named) or "–"

    def _declared(self, role: str) -> str:
        """Where a record role is written: in the table, a mixin of it, or its base."""
        current: str | None = self.table
        while current is not None:
            table = self.system.model.tables[current]
            for kind, name in (("table", current), *(("mixin", mixin) for mixin in reversed(table.uses))):
                merged = self.system.model.definitions.get((kind, name))
                roles = merged.body.get("roles") if merged is not None else None
                if isinstance(roles, dict) and role in roles:
                    return self.written(kind, name, "roles", role)
            current = table.base
        return ""


def _names(one: str | Limited) -> frozenset[str]:
    if isinstance(one, str):
        return frozenset([one])
    return frozenset() if isinstance(one.to, bool) else one.to
