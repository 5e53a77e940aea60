"""What people and programs send, in the names of now: for a while after a rename those of before are taken too.

This is the one place that translates, where what is sent is read; all behind it knows the names of now only. What has a
name now is never looked for among former ones, and what somebody may not see is not found by its former name either.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from core.ed.former_names import Used
from core.ed.scope import GatedScope, gated_scope, peekable, visible
from core.expression import ExpressionError, check
from core.types.base import Type
from core.types.link import ANY, BETWEEN

if TYPE_CHECKING:
    from core.ed.session import Session


class Translation:
    """What somebody says, in the names of now; `used` are the former ones among it, by what they are called now."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.model = session.system.model
        self.known = session.system.former
        self.used: dict[tuple[str, str], Used] = {}         # (table, field now), with ":value" of a value of choices;
                                                            # (table now, "") for a table

    @property
    def needed(self) -> bool:
        """Whether anything has a former name."""
        return bool(self.known.all)

    def table(self, name: str) -> str:
        """The name of a table."""
        found = self._alive(self.known.table(name))
        if found is None or not self._may_know(found.new):
            return name
        self.used[found.new, ""] = found
        return found.new

    def field(self, table: str, name: str, home: str | None = None) -> str:
        """The name of a field of a table; `home` is the table that the path to it begins at."""
        found = self._alive(self.known.field(table, name))
        if found is None:
            return name
        new = found.new.partition(".")[2]
        if not self._sees(table, new, home or table):
            return name
        self._say(table, new, found)
        return new

    def path(self, table: str, path: str) -> str:
        """A path from a table through links; of links to several tables it names the table."""
        if not self.needed:
            return path
        names: list[str] = []
        current: str | None = table
        naming = False
        for step in path.split("."):
            if naming:
                name = self.table(step)
                current, naming = name, False
            elif current is not None and current in self.model.tables:
                name = self.field(current, step, table)
                found = self.model.field(current, name)
                naming = found is not None and (len(found.targets) > 1 or found.type.name == "any_link")
                current = found.target if found is not None and not naming else None
            else:
                name = step
            names.append(name)
        return ".".join(names)

    def value(self, table: str, name: str, value: Any) -> Any:
        """What is said of a field, by its name of now: values of choices that are called otherwise by then."""
        field = self.model.field(table, name) if table in self.model.tables else None
        choices = field.expression_type.of if field is not None and field.expression_type.name == "choice" else None
        if choices is None or not self.known.values(choices) or not self._sees(table, name, table):
            return value
        if isinstance(value, list | tuple):
            return list(dict.fromkeys(self._chosen(table, name, choices, one) for one in value)) \
                if all(isinstance(one, str) for one in value) else value
        return self._chosen(table, name, choices, value)

    def _chosen(self, table: str, name: str, choices: str, value: Any) -> Any:
        found = self._alive(self.known.value(choices, value)) if isinstance(value, str) else None
        if found is None:
            return value
        self.used[self._owner(table, name), f"{name}:{value}"] = Used(
            f"{table}.{name}:{found.old}", f"{table}.{name}:{found.new}", found.since)
        return found.new

    def choice(self, choices: str, value: str) -> str:
        """What a value of choices is called now."""
        found = self._alive(self.known.value(choices, value))
        if found is None:
            return value
        self.used[choices, f":{value}"] = Used(f"{choices}:{found.old}", f"{choices}:{found.new}", found.since)
        return found.new

    def entry(self, table: str, entry: str) -> str:
        """A path with a minus before it or a unit behind it: `-sold`, `sold:month`."""
        path, colon, unit = entry.removeprefix("-").partition(":")
        return f"{'-' if entry.startswith('-') else ''}{self.path(table, path)}{colon}{unit}"

    def condition(self, table: str, source: str) -> str:
        """An expression about a record of a table; one that is wrong stays as it is, to be told where it is."""
        if not any(name in source for name in self.known.all):
            return source
        scope = _FormerScope(self, gated_scope(self.session.gate, table))
        before = dict(self.used)
        try:
            mentions = check(source, scope, "boolean").mentions
        except ExpressionError:
            self.used = before
            return source
        changed = source
        for one in sorted(mentions, key=lambda mention: -mention.column):
            new = scope.now(one.owner, one.name) if one.kind == "field" else scope.table_now(one.name) \
                if one.kind == "table" else self.choice(one.owner, one.name) if one.kind == "choice" else one.name
            start = one.column - 1
            if new != one.name and changed[start:start + len(one.name)] == one.name:
                changed = changed[:start] + new + changed[start + len(one.name):]
        return changed

    def said(self, table: str, name: str) -> str:
        """What its sender calls a field, given by its name of now."""
        found = self.used.get((self._owner(table, name), name))
        return found.old.partition(".")[2] if found is not None else name

    def said_path(self, table: str, path: str) -> str:
        """A path in the names of its sender; numbers of lines and what follows no link stay as they are."""
        names: list[str] = []
        current: str | None = table
        for step in path.split("."):
            if step.isdigit() or current is None or current not in self.model.tables:
                names.append(step)
                continue
            names.append(self._said_key(current, step))
            found = self.model.field(current, step)
            current = found.target if found is not None else None
        return ".".join(names)

    def _said_key(self, table: str, name: str) -> str:
        """A key of an answer: a field, or what goes with one (`owner_title`)."""
        if self.model.field(table, name) is not None:
            return self.said(table, name)
        for ending in ("_title", "_table"):
            field = name.removesuffix(ending)
            if field != name and self.model.field(table, field) is not None:
                return self.said(table, field) + ending
        return name

    def _say(self, table: str, new: str, found: Used) -> None:
        self.used[self._owner(table, new), new] = found

    def _owner(self, table: str, name: str) -> str:
        """The table that declares a field."""
        found = self.model.field(table, name)
        return found.table if found is not None else table

    def _alive(self, found: Used | None) -> Used | None:
        return found if found is not None and self.session.environment.now < found.until else None

    def _may_know(self, table: str) -> bool:
        gate = self.session.gate
        return gate.open or any(gate.may(table, right) for right in ("read", "create", "change", "peek"))

    def _sees(self, table: str, name: str, home: str) -> bool:
        gate = self.session.gate
        if gate.open or visible(gate, table, name) or not gate.hidden(table, name, "change"):
            return True
        return table != home and peekable(gate, table, name)


class _FormerScope(GatedScope):
    """The names of one user, and former ones beside them: what is found by one of those is remembered."""

    def __init__(self, translation: Translation, scope: GatedScope) -> None:
        super().__init__(translation.session.gate, scope._scope, scope._home)
        self._translation = translation

    def member(self, table: str, name: str) -> Type | None:
        """The type of a field, by its name of now or a former one."""
        if table == ANY or BETWEEN in table:
            return super().member(table, self._translation.table(name))
        now = self.table_now(table)
        return super().member(now, self.now(now, name))

    def has_table(self, name: str) -> bool:
        """True if there is such a table, or was."""
        return super().has_table(self.table_now(name))

    def is_kind_of(self, table: str, base: str) -> bool:
        """True if the table is the base or stands under it, whatever they were called."""
        return super().is_kind_of(self.table_now(table), self.table_now(base))

    def choice_values(self, name: str) -> Collection[str] | None:
        """The values of choices with the former ones; None if any value may come."""
        found = super().choice_values(name)
        return found if found is None else (*found, *self._translation.known.values(name))

    def table_now(self, name: str) -> str:
        """The name of a table now."""
        return name if name in self._translation.model.tables else self._translation.table(name)

    def now(self, table: str, name: str) -> str:
        """The name of a field now."""
        table = self.table_now(table)
        if table not in self._translation.model.tables or super().member(table, name) is not None:
            return name
        return self._translation.field(table, name, self._home)
