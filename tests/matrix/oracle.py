"""Who may do what, read off the definitions and the records by walking them one by one: no SQL, no gate.

It is written as the reference says rights are (docs/definitions/role.md, table.md, restrict.md), for one user, one
record and one field at a time, so that it shares no thought with what it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from core.definition.model import Grant, Model, Role
from tests.matrix.house import Caller, Record

PARENT = {"create": "change", "delete": "change"}
SCOPES = {"read": {"read", "peek"}, "write": {"read", "peek", "create", "change", "delete"},
          "export": {"read", "peek", "export"}}
# The conditions of grants and restrictions, by hand.
CONDITIONS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "guarded": lambda values: values.get("guarded") is True,
    "level == 'high'": lambda values: values.get("level") == "high",
    "rank > 71000040": lambda values: (values.get("rank") or 0) > 71000040,
    "not archived": lambda values: values.get("archived") is not True}


class Oracle:
    """What one caller may, in a world of records."""

    def __init__(self, model: Model, records: Mapping[int, Record], caller: Caller, today: date) -> None:
        self.model, self.records, self.caller, self.today = model, records, caller, today
        self.roles = [model.roles[name] for name in sorted(self._held(caller.roles))]
        self.all = any(role.all for role in self.roles)
        self.mine = {one.id for one in records.values() if caller.user in self._people(one)} if caller.user else set()
        self.below = {one.id for one in records.values() if self._chief(one.id) & self.mine}

    # Rights

    def may(self, right: str, record: Record, seen: frozenset[str] = frozenset()) -> bool:
        """Whether the caller has a right on a record."""
        kind = self.model.tables[record.table]
        if not self.in_scope(record.table, right) or not self._granted(record, right):
            return False
        if kind.access.only and not self._stands(record, kind.access.only):
            return False
        if not all(self._left(one, record, right) for one in self._restrictions(record.table)):
            return False
        if not kind.access.through or record.table in seen:
            return True
        parents = [self.records[id] for path in kind.access.through for id in self._walk(record, path)
                   if id in self.records]
        return any(self.may(PARENT.get(right, right), parent, seen | {record.table}) for parent in parents)

    def reads(self, record: Record, field: str) -> bool:
        """Whether the caller reads a field of a record."""
        return self.may("read", record) and self.field(record, field, "read")

    def field(self, record: Record, field: str, right: str) -> bool:
        """Whether a right on a record is one on a field of it, too."""
        if field in ("id", ""):
            return True
        granted = self.all or any(self._one(role, record, field, right) for role in self.roles)
        return granted and all(self._left(one, record, right) for one in self._restrictions(record.table, field))

    def shows(self, record: Record, field: str) -> bool:
        """Whether a field may be seen somewhere: by reading, or by peeking at a record."""
        if self.reads(record, field):
            return True
        return field in self.model.tables[record.table].peek and self.may("peek", record)

    def hidden(self, table: str, field: str) -> bool:
        """Whether the caller can read a field in no record there could be."""
        return not any(self._could(kind, field) for kind in self.kinds(table)
                       if field in self.model.tables[kind].fields or field.startswith(("created", "changed")))

    def closed(self, table: str, right: str = "read") -> bool:
        """Whether the caller has a right on no record of a table there could be."""
        return not any(self._could(kind, "", right) for kind in self.kinds(table))

    def gives(self, table: str, field: str) -> bool:
        """Whether the caller may set a field in some record that is made."""
        if any(one.where is None and self._who(one, "change") is False for one in self._restrictions(table, field)):
            return False
        return self.all or any(self._sets(role, table, field) for role in self.roles)

    def _sets(self, role: Role, table: str, field: str) -> bool:
        around = self._said(role, table, "", "create")
        if not (around[0] if around is not None else self._by_parent(table)):
            return False
        for right in ("create", "change"):
            said = self._said(role, table, f".{field}", right)
            if said is not None:
                return bool(said[0])
        denied = self._said(role, table, f".{field}", "read")
        return role.kind != "portal" and (denied is None or denied[0] is not False)

    def kinds(self, table: str) -> list[str]:
        """The tables whose records a table has."""
        definition = self.model.tables[table]
        return [*(() if definition.abstract else (table,)), *definition.kinds]

    # What roles say

    def _held(self, names: tuple[str, ...]) -> set[str]:
        found: set[str] = set()
        for name in names:
            role = self.model.roles[name]
            found |= {name} | (self._held(role.includes) if role.kind != "portal" else set())
        return found

    def _said(self, role: Role, table: str, ending: str, right: str) -> tuple[Any, Grant] | None:
        """What the nearest grant says: of the table, else its base, but for portals."""
        current: str | None = table
        while current is not None:
            grant = role.grants.get(current + ending)
            if grant is not None and getattr(grant, right) is not None:
                return getattr(grant, right), grant
            current = None if role.kind == "portal" else self.model.tables[current].base
        return None

    def _granted(self, record: Record, right: str) -> bool:
        if self.all:
            return True
        said = [self._said(role, record.table, "", right) for role in self.roles]
        if all(one is None for one in said) and self._by_parent(record.table):
            return True
        return any(self._holds(one, record) for one in said)

    def _one(self, role: Role, record: Record, field: str, right: str) -> bool:
        """Whether one role gives a right on a field of a record."""
        said = self._said(role, record.table, f".{field}", right)
        if said is not None or role.kind == "portal":
            return self._holds(said, record)
        denied = self._said(role, record.table, f".{field}", "read")
        if denied is not None and denied[0] is False:
            return False
        around = self._said(role, record.table, "", right)
        return self._by_parent(record.table) if around is None else self._holds(around, record)

    def _by_parent(self, table: str) -> bool:
        """Whether the rights are those on what the record belongs to: no role speaks of its table."""
        staff = [role for role in self.roles if role.kind != "portal"]
        line: list[str] = []
        current: str | None = table
        while current is not None:
            line.append(current)
            current = self.model.tables[current].base
        return bool(self.model.tables[table].access.through and staff) and not any(
            name in role.grants for role in staff for name in line)

    def _holds(self, said: tuple[Any, Grant] | None, record: Record) -> bool:
        if said is None or said[0] is False:
            return False
        right, grant = said
        if grant.where is not None and not CONDITIONS[grant.where.source](record.values):
            return False
        return right is True or any(self._stands(record, name) for name in right)

    def _restrictions(self, table: str, field: str = "") -> Iterator[Any]:
        for one in self.model.restrictions.values():
            if one.of in self._line(table) and (field in one.fields if field else not one.fields):
                yield one

    def _left(self, one: Any, record: Record, right: str) -> bool:
        """Whether a restriction leaves the caller a right on a record."""
        who = self._who(one, right)
        if who is True:
            return True
        if any(self._stands(record, name) for name in who or ()):
            return True
        return one.where is not None and not CONDITIONS[one.where.source](record.values)

    def _who(self, one: Any, right: str) -> Any:
        who = one.rights.get(right)
        if who is None and right not in ("create", "read", "unlock"):
            who = one.rights.get("read")
        if who is None or who is True or any(role.name in (who or ()) for role in self.roles):
            return True
        return who

    def in_scope(self, table: str, right: str) -> bool:
        """Whether the token by which the caller came is for a right on a table."""
        if self.caller.scopes is None:
            return True
        around, waiting = set[str](), [table]
        while waiting:
            name = waiting.pop()
            around.add(name)
            definition = self.model.tables[name]
            waiting += [definition.base] if definition.base else []
            waiting += [str(self.model.tables[name].fields[path].target) for path in definition.access.through]
        words = [scope.partition(":") for scope in self.caller.scopes]
        return any(right in SCOPES[word] and (not of or of in around) for word, _, of in words)

    def _could(self, kind: str, field: str, right: str = "read", seen: frozenset[str] = frozenset()) -> bool:
        """Whether there can be a record of a kind on which the caller has a right, or reads a field."""
        if not self.in_scope(kind, right) or kind in seen:
            return False
        if any(one.where is None and self._who(one, right) is False for one in (
                *self._restrictions(kind), *(self._restrictions(kind, field) if field else ()))):
            return False
        said = [self._said(role, kind, "", right) for role in self.roles]
        by_parent = self._by_parent(kind)
        granted = self.all or any(one is not None and bool(one[0]) for one in said) or (
            by_parent and all(one is None for one in said))
        if field and not self.all:
            granted = granted and any(self._could_role(role, kind, field, right) for role in self.roles)
        through = self.model.tables[kind].access.through
        parents = [str(self.model.tables[kind].fields[path].target) for path in through]
        return granted and (not through or any(
            self._could(one, "", PARENT.get(right, right), seen | {kind})
            for parent in parents for one in self.kinds(parent)))

    def _could_role(self, role: Role, kind: str, field: str, right: str) -> bool:
        said = self._said(role, kind, f".{field}", right)
        if said is not None or role.kind == "portal":
            return said is not None and bool(said[0])
        around = self._said(role, kind, "", right)
        return self._by_parent(kind) if around is None else bool(around[0])

    # How the caller stands to a record

    def _stands(self, record: Record, name: str) -> bool:
        role = self.model.tables[record.table].roles.get(name)
        if role is None:
            return False
        if any(set(self._walk(record, path)) & self.mine for path in role.is_):
            return True
        if role.above is not None and set(self._walk(record, role.above)) & self.below:
            return True
        if role.within is None or role.of is None:
            return False
        places = self._beneath(set(self._walk(self.records[self.caller.user], role.of)))
        return bool(set(self._walk(record, role.within)) & places)

    def _people(self, record: Record) -> set[int]:
        """The users that a record stands for."""
        path = self.model.tables[record.table].people
        return set(self._walk(record, path)) if path is not None and not record.trashed else set()

    def _chief(self, id: int) -> set[int]:
        """Everything that stands above a record, however high."""
        found, waiting = set[int](), [id]
        while waiting:
            one = self.records.get(waiting.pop())
            above = self.model.tables[one.table].above if one is not None else None
            for higher in self._walk(one, above) if one is not None and above is not None else ():
                if higher not in found:
                    found.add(higher)
                    waiting.append(higher)
        return found

    def _beneath(self, places: set[int]) -> set[int]:
        """Places in a tree and all beneath them."""
        found = set(places)
        while True:
            more = {one.id for one in self.records.values() if one.id not in found and one.table == "department"
                    and one.values.get("parent") in found and not one.trashed}
            if not more:
                return found
            found |= more

    def _walk(self, record: Record, path: str) -> list[int]:
        """The records at the end of a path of links and lines; `id` is the record itself."""
        name, _, rest = path.partition(".")
        if name == "id":
            return [record.id]
        if name == "created_by":
            found = [record.values.get(name)]
        else:
            field = self.model.tables[record.table].fields[name]
            if field.type.name == "lines":
                by = str(getattr(field.properties, "by", ""))
                found = [one.id for one in self.records.values() if one.table in self.kinds(str(field.target))
                         and one.values.get(by) == record.id and not one.trashed and self._now(one)]
            else:
                value = record.values.get(name)
                found = list(value) if isinstance(value, (list, tuple)) else [value]
        ends = [id for id in found if isinstance(id, int)]
        if not rest:
            return ends
        return [end for id in ends if id in self.records for end in self._walk(self.records[id], rest)]

    def _now(self, record: Record) -> bool:
        during = self.model.tables[record.table].during
        since, until = (record.values.get(name) for name in during) if during is not None else (None, None)
        return (since is None or since <= self.today) and (until is None or until >= self.today)

    def _line(self, table: str) -> list[str]:
        found = [table]
        while self.model.tables[found[-1]].base is not None:
            found.append(str(self.model.tables[found[-1]].base))
        return found
