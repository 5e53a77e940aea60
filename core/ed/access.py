"""The one gate: grants of roles become rights per table and field, and these become conditions in SQL.

A right on a record is the OR of the grants of all roles, AND what the table's `access` limits. Conditions are paths
beside parameters (`core/ed/paths.py`) and hold for any user of the same roles, so statements are shared. They stand
for themselves (`IN (select ...)`, never a join), so that they fit into WHERE, ON, CASE and the checks of a write alike.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.sql.selectable import FromClause

from core.ed.paths import below_array, concrete, end_of, my_array, path_in, value_of, within
from core.ed.schema import SYSTEM_COLUMNS

if TYPE_CHECKING:
    from core.definition.model import Grant, RecordRole, Restriction, Role, Table
    from core.ed.session import Principals
    from core.ed.system import System
    from core.expression import Expression

T = TypeVar("T")


@dataclass(frozen=True)
class Limited:
    """A right by a grant that holds for some records only: those of the table that meet a condition."""

    table: str
    to: bool | frozenset[str]
    where: Expression


Rule = bool | frozenset[str | Limited]  # always, never, or to those who stand so to the record
Predicate = bool | ColumnElement[bool]
RIGHTS = ("create", "read", "change", "delete", "export", "peek", "unlock")
PARENT_RIGHT = {"create": "change", "read": "read", "change": "change", "delete": "change", "export": "export",
                "peek": "peek", "unlock": "unlock"}


class Gate:
    """What the holders of one set of roles may do; ask it for every use of a table or a field."""

    def __init__(self, system: System, user: Principals) -> None:
        self.system = system
        self.shape = user.shape
        self.open = user.system                 # core's own work
        self.all = user.all
        self.scopes = user.scopes               # of the token by which the user came
        self.roles = tuple(system.model.roles[name] for name in sorted(user.roles))
        self._known: dict[Hashable, object] = {}

    @classmethod
    def of(cls, system: System, user: Principals) -> Gate:
        """The gate of a user, shared with all users of the same roles."""
        return system.cache.get(("gate", user.shape), lambda: cls(system, user))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What follows from the roles and the Model alone, worked out once; there is no more of it than of fields."""
        if key not in self._known:
            self._known[key] = make()
        return cast(T, self._known[key])

    @property
    def known(self) -> int:
        """How much was worked out so far."""
        return len(self._known)

    # Rights as data

    def rule(self, table: str, right: str) -> Rule:
        """To whom the grants on a table give a right, before `access` limits it."""
        return self.once(("rule", table, right), lambda: self._rule(table, right))

    def field_rule(self, table: str, field: str, right: str = "read") -> Rule:
        """To whom the grants give a right on a field: a role's grant on it replaces that role's on the table."""
        return self.once(("field", table, field, right), lambda: self._field_rule(table, field, right))

    def says(self, table: str, field: str, right: str = "read") -> bool:
        """Whether a role of the user grants this very field."""
        return any(self._said(role, table, f".{field}", right) is not None for role in self.roles)

    def may(self, table: str, right: str) -> bool:
        """Whether there can be a record of the table on which the user has the right."""
        return any(self._may(kind, right, frozenset()) for kind in concrete(self.system.model, table))

    # Rights as conditions

    def predicate(self, table: str, right: str, source: FromClause) -> Predicate:
        """The condition that the user has a right on the record of `source`; True or False where none is needed."""
        if self.open:
            return True
        kinds = concrete(self.system.model, table)
        return self._by_kind(table, kinds, source, self._reason(right), lambda kind: self._record(kind, right, source))

    def mask(self, table: str, field: str, source: FromClause, right: str = "read") -> Predicate:
        """The condition that a field of a record that may be read shows its value (or may be changed)."""
        if self.open or field == "id":
            return True
        kinds = [kind for kind in concrete(self.system.model, table) if self._has(kind, field)]
        return self._by_kind(table, kinds, source, lambda kind: self._mask_reason(kind, field, right),
                             lambda kind: self._mask(kind, field, source, right))

    def hidden(self, table: str, field: str, right: str = "read") -> bool:
        """Whether the user may read (or change) the field in no record at all."""
        if self.open or field == "id":
            return False
        kinds = (kind for kind in concrete(self.system.model, table) if self._has(kind, field))
        return not any(self.field_rule(kind, field, right) and not self._shut(kind, right, field)
                       and self._may(kind, "read", frozenset()) for kind in kinds)

    def limit(self, table: str, field: str, right: str, source: FromClause) -> Predicate:
        """What is said of one more right, such as `export`, on a field that may be read; True where nothing is said."""
        if self.open or field == "id":
            return True
        kinds = [kind for kind in concrete(self.system.model, table) if self._has(kind, field)]
        return self._by_kind(table, kinds, source, lambda kind: (self._mask_reason(kind, field, right),
                                                                 self.says(kind, field, right)),
                             lambda kind: self._limit(kind, field, right, source))

    def unrestricted(self, kind: str, right: str, source: FromClause) -> Predicate:
        """The condition that no restriction takes a right on a record."""
        return _and(self.restricted(one, kind, right, source) for one in self.restrictions(kind))

    def given(self, table: str, field: str, source: FromClause) -> Predicate:
        """The condition that a field may be set in a record being created; `source` is the record as it becomes."""
        if self.open:
            return True
        limits = [self.restricted(one, table, "change", source) for one in self.restrictions(table, field)]
        granted = True if self.all else self.stands(
            table, _any(self._role_given(role, table, field) for role in self.roles), source)
        return _and([granted, *limits])

    def placed(self, table: str, source: FromClause) -> Predicate:
        """The condition that a record may be put where it is: into something that the user may change."""
        through = self.system.model.tables[table].access.through
        if self.open or not through:
            return True
        return _or(self._parent(table, path, "change", source, frozenset([table])) for path in through)

    def readable(self, table: str) -> tuple[str, ...]:
        """The fields of a table, in its order, that the user may read in some record."""
        from core.ed.scope import visible  # formulas are as visible as what they read
        fields = self.system.model.tables[table].fields
        return tuple(name for name in fields if visible(self, table, name))

    # How

    def _rule(self, table: str, right: str) -> Rule:
        if self.scopes is not None and not self.scopes.allow(self.system.model, table, right):
            return False
        if self.open or self.all:
            return True
        said = [self._said(role, table, "", right) for role in self.roles]
        if all(one is None for one in said) and self._through_alone(table):
            return True
        return _any(_as_rule(one) for one in said)

    def _field_rule(self, table: str, field: str, right: str) -> Rule:
        if self.open or self.all:
            return True
        return _any(self._role_field(role, table, field, right) for role in self.roles)

    def _role_field(self, role: Role, table: str, field: str, right: str) -> Rule:
        said = self._said(role, table, f".{field}", right)
        if said is not None or role.kind == "portal":       # a portal role names each field it shows
            return _as_rule(said)
        if self._closed(role, table, field):
            return False
        own = self._said(role, table, "", right)
        if own is None and self._through_alone(table):
            return True
        return _as_rule(own)

    def _role_given(self, role: Role, table: str, field: str) -> Rule:
        """A role's own word on creating or changing the field, else its right to create."""
        around = self._said(role, table, "", "create")
        if not (around or (around is None and self._through_alone(table))):
            return False
        for right in ("create", "change"):
            said = self._said(role, table, f".{field}", right)
            if said is not None:
                return _as_rule(said)
        return role.kind != "portal" and not self._closed(role, table, field)

    def _closed(self, role: Role, table: str, field: str) -> bool:
        """Whether a role denies reading the field: then it is not written either, unless the role says so."""
        return self._said(role, table, f".{field}", "read") is False

    def _said(self, role: Role, table: str, ending: str, right: str) -> Any:
        """What a role says of a table or field: of itself, else of its base; None if nothing."""
        current: str | None = table
        while current is not None:
            grant: Grant | None = role.grants.get(current + ending)
            said = None if grant is None else getattr(grant, right)
            if said is not None:
                return said if grant is None or grant.where is None or said is False else Limited(
                    current, said is True or frozenset(said), grant.where.expression)
            current = None if role.kind == "portal" else self.system.model.tables[current].base
        return None

    def _through_alone(self, table: str) -> bool:
        """Whether rights on the table are just those on what it belongs to, because no role mentions it."""
        if not self.system.model.tables[table].access.through:
            return False
        staff = [role for role in self.roles if role.kind != "portal"]
        return bool(staff) and not any(self._mentions(role, table) for role in staff)

    def _mentions(self, role: Role, table: str) -> bool:
        current: str | None = table
        while current is not None:
            if current in role.grants:
                return True
            current = self.system.model.tables[current].base
        return False

    def _may(self, table: str, right: str, seen: frozenset[str]) -> bool:
        if not self.rule(table, right) or self._shut(table, right):
            return False
        through = self.system.model.tables[table].access.through
        if self.open or not through or table in seen:
            return True
        parents = (end_of(self.system.model, table, path) for path in through)
        return any(self._may(kind, PARENT_RIGHT[right], seen | {table})
                   for parent in parents for kind in concrete(self.system.model, parent))

    def _has(self, kind: str, field: str) -> bool:
        return field in SYSTEM_COLUMNS or field in self.system.model.tables[kind].fields

    def _record(self, kind: str, right: str, source: FromClause, seen: frozenset[str] = frozenset()) -> Predicate:
        rule = self.rule(kind, right)
        if rule is False or rule == frozenset():
            return False
        conditions = [self.stands(kind, rule, source)]
        access = self.system.model.tables[kind].access
        if access.only:
            conditions.append(self.stands(kind, frozenset([access.only]), source))
        conditions += [self.restricted(one, kind, right, source) for one in self.restrictions(kind)]
        if access.through and kind not in seen:
            conditions.append(_or(self._parent(kind, path, right, source, seen | {kind}) for path in access.through))
        return _and(conditions)

    def _parent(self, kind: str, path: str, right: str, source: FromClause, seen: frozenset[str]) -> Predicate:
        """The condition that the user has the parent's right on the record that a path leads to."""
        model = self.system.model
        parent = end_of(model, kind, path)
        stored = self.system.stored(parent)
        inner = stored.table.alias()
        kinds = concrete(model, parent)
        allowed = self._by_kind(parent, kinds, inner, self._reason(PARENT_RIGHT[right]),
                                lambda one: self._record(one, PARENT_RIGHT[right], inner, seen))
        link = value_of(self.system, kind, path, source)
        if isinstance(allowed, bool):
            return link.is_not(None) if allowed else False
        return link.in_(select(inner.c.id).where(allowed).correlate_except(inner))

    def _mask(self, kind: str, field: str, source: FromClause, right: str) -> Predicate:
        rule = self.field_rule(kind, field, right)
        limits = [self.restricted(one, kind, right, source) for one in self.restrictions(kind, field)]
        return _and([self._granted_mask(kind, rule, self.rule(kind, right), source), *limits])

    def _limit(self, kind: str, field: str, right: str, source: FromClause) -> Predicate:
        if self.says(kind, field, right):
            return self._mask(kind, field, source, right)
        return _and(self.restricted(one, kind, right, source) for one in self.restrictions(kind, field))

    def _granted_mask(self, kind: str, rule: Rule, around: Rule, source: FromClause) -> Predicate:
        if rule is True:
            return True
        if not isinstance(around, bool) and not isinstance(rule, bool) and around and around <= rule:
            return True                     # whoever has the right on the record has it on the field
        return self.stands(kind, rule, source)

    def stands(self, kind: str, rule: Rule, source: FromClause) -> Predicate:
        """The condition that the user stands to the record in one of the ways that a rule names."""
        if isinstance(rule, bool):
            return rule
        roles = self.system.model.tables[kind].roles
        found: list[Predicate] = [self.limited(kind, one, source) for one in rule if isinstance(one, Limited)]
        for name in sorted(roles.keys() & rule):
            found += [condition for _, condition in self.ways(kind, roles[name], source)]
        return _or(found)

    def ways(self, kind: str, role: RecordRole, source: FromClause) -> list[tuple[str, ColumnElement[bool]]]:
        """The paths by which a record role is held, each with its condition."""
        found = [(path, path_in(self.system, kind, path, source, my_array)) for path in role.is_]
        if role.above is not None:
            found.append((role.above, path_in(self.system, kind, role.above, source, below_array)))
        if role.within is not None and role.of is not None:
            found.append((role.within, within(self.system, kind, role.within, role.of, source)))
        return found

    def restrictions(self, kind: str, field: str = "") -> tuple[Restriction, ...]:
        """What is restricted of a table for everybody: its records, or one of its fields; that of its bases too."""
        def find() -> tuple[Restriction, ...]:
            names = self.system.model.names
            return tuple(one for one in self.system.model.restrictions.values()
                         if names.is_kind_of(kind, one.of) and (field in one.fields if field else not one.fields))
        return () if self.open else self.once(("restrictions", kind, field), find)

    def restricted(self, one: Restriction, kind: str, right: str, source: FromClause) -> Predicate:
        """The condition that a restriction leaves the user a right on the record of `source`."""
        who = self._who(one, right)
        if who is True:
            return True
        stands = self.stands(kind, who, source)
        if one.where is None:
            return stands
        return _or([stands, source.c["id"].not_in(self._met(one.of, one.where))])

    def _who(self, one: Restriction, right: str) -> Rule:
        """To whom a restriction leaves a right: everybody, if it does not speak of it."""
        allowed = one.rights.get(right)
        if allowed is None and right not in ("create", "read", "unlock"):
            allowed = one.rights.get("read")        # who may not see a record does nothing else with it
        if allowed is None or allowed is True or any(role.name in (allowed or ()) for role in self.roles):
            return True
        return frozenset(allowed) if allowed else False

    def _shut(self, kind: str, right: str, field: str = "") -> bool:
        """Whether a restriction leaves the user nothing of a right on a table or a field."""
        return any(one.where is None and self._who(one, right) is False for one in self.restrictions(kind, field))

    def _met(self, table: str, where: Expression) -> Any:
        """The ids of the records that meet a condition, asked without any gate: it decides, and shows nothing."""
        from core.ed.columns import RecordColumns  # columns stands on this module
        columns = RecordColumns(self.system, None, table)
        met = where.where(columns)
        return select(columns.root.id).select_from(columns.source).where(met).correlate_except(*columns.tables)

    def limited(self, kind: str, rule: Limited, source: FromClause) -> Predicate:
        """The condition of a grant with `where`: asked without any gate, so that it reads what the user may not."""
        return _and([self.stands(kind, rule.to, source), source.c["id"].in_(self._met(rule.table, rule.where))])

    def _reason(self, right: str) -> Callable[[str], object]:
        """What a kind's condition follows from: kinds of equal reasons share one condition."""
        def reason(kind: str) -> object:
            table = self.system.model.tables[kind]
            return self.rule(kind, right), table.access, self._paths(table), self.restrictions(kind)
        return reason

    def _mask_reason(self, kind: str, field: str, right: str) -> object:
        return (self.field_rule(kind, field, right), self.rule(kind, right),
                self._paths(self.system.model.tables[kind]), self.restrictions(kind, field))

    def _paths(self, table: Table) -> object:
        return tuple(role for _, role in sorted(table.roles.items()))

    def _by_kind(self, table: str, kinds: Iterable[str], source: FromClause, reason: Callable[[str], object],
                 condition: Callable[[str], Predicate]) -> Predicate:
        """OR over the kinds of a table, each within its own rows; one condition where all kinds agree."""
        groups: dict[object, list[str]] = {}
        for kind in kinds:
            groups.setdefault(reason(kind), []).append(kind)
        if len(groups) == 1:
            return condition(next(iter(groups.values()))[0])
        found: list[Predicate] = []
        for members in groups.values():
            types = [self.system.identities[kind] for kind in members]
            one = condition(members[0])
            if one is not False:
                found.append(_and([source.c["_type"].in_(types), one]))
        return _or(found)


def _as_rule(right: Any) -> Rule:
    if right is None or isinstance(right, bool):
        return bool(right)
    return frozenset([right]) if isinstance(right, Limited) else frozenset(right)


def _any(rules: Iterable[Rule]) -> Rule:
    names: frozenset[str | Limited] = frozenset()
    for rule in rules:
        if rule is True:
            return True
        if not isinstance(rule, bool):
            names |= rule
    return names or False


def _or(conditions: Iterable[Predicate]) -> Predicate:
    found = list(conditions)
    if any(one is True for one in found):
        return True
    rest = [one for one in found if not isinstance(one, bool)]
    return or_(*rest) if rest else False


def _and(conditions: Iterable[Predicate]) -> Predicate:
    found = list(conditions)
    if any(one is False for one in found):
        return False
    rest = [one for one in found if not isinstance(one, bool)]
    return and_(*rest) if rest else True


def as_condition(predicate: Predicate) -> ColumnElement[bool]:
    """A predicate as SQL, where SQL is needed whatever it is."""
    if isinstance(predicate, bool):
        return true() if predicate else false()
    return predicate
