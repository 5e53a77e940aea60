"""The record service: the only way to records, for pages, API, imports and agents alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.ed import history, read, search, write
from core.ed.batch import Written
from core.ed.history import Change
from core.ed.read import Page, Record
from core.ed.session import Session

if TYPE_CHECKING:
    from core.expression import Expression

Where = "str | Expression | Sequence[str | Expression] | None"


class Records:
    """The records that one session may see and change. Everything works in bulk and within its transaction.

    A record is a dict by field names and paths (`"company.city"`), with `id` and `_version`; links add
    `<field>_title` (and `<field>_trashed` where they lead into the trash), tables with kinds add `_type`.
    Values are in normal form (core/types), not in wire form.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    # Reading

    def read(self, table: str, ids: Sequence[int], fields: Sequence[str] | None = None, *,
             trash: bool = False, most_lines: int | None = None) -> list[Record]:
        """Records by id, in the order of `ids`; those that may not be read or are not there are left out.

        `fields` are names and paths, `None` all that may be read; "lines" are all fields of lines, "lines.price" is
        one of them. Of a single record no more than `most_lines` are read. Raises BadRequest, NotFound for the table.
        """
        return read.read(self.session, table, ids, fields, trash=trash, most_lines=most_lines)

    def page(self, table: str, fields: Sequence[str], where: Any = None, *,
             filters: Mapping[str, object] | None = None, order: Sequence[str] = (), limit: int = 80,
             after: str | None = None, before: str | None = None, offset: int = 0, search: str | None = None,
             trash: bool = False) -> Page:
        """One page of a list, in one statement. Raises BadRequest, NotFound, Denied.

        `where` is a condition or several (text from a user, or an Expression of the Model); `filters` are values
        that fields must equal; `order` names paths, "-path" from high to low. `after` and `before` are cursors.
        """
        return read.page(self.session, table, fields, where, filters=filters or {}, order=order, limit=limit,
                         after=after, offset=offset, search=search, trash=trash, before=before)

    def count(self, table: str, where: Any = None, *, filters: Mapping[str, object] | None = None,
              search: str | None = None, trash: bool = False, cap: int = 10_000) -> tuple[int, bool]:
        """How many records there are, counted up to `cap`, and whether there are more."""
        return read.count(self.session, table, where, filters=filters or {}, search=search, trash=trash, cap=cap)

    def lookup(self, table: str, text: str, among: Expression | str | None = None,
               limit: int = 20) -> list[tuple[int, str]]:
        """Records whose title holds the text, for choosing one: (id, title)."""
        return search.lookup(self.session, table, text, among, limit)

    def search(self, text: str, limit: int = 50) -> list[search.Found]:
        """Records of all tables that hold the words, as far as this user may read them."""
        return search.search(self.session, text, limit)

    def history(self, table: str, id: int) -> list[Change]:
        """The changes of a record, newest first, without what this user may not read. Raises NotFound."""
        return history.history(self.session, table, id)

    def may(self, table: str, right: str, id: int | None = None) -> bool:
        """Whether the user has a right (create read change delete export): on a record, or on any of a table."""
        return read.may(self.session, table, right, id)

    def rights(self, table: str, id: int) -> frozenset[str]:
        """Which of `change` and `delete` the user has on a record that they read: no statement, or one for both."""
        return read.rights(self.session, table, id)

    def readable(self, table: str) -> tuple[str, ...]:
        """The fields of a table that this user may read in some record, in the table's order."""
        return self.session.gate.readable(table)

    # Writing

    def new(self, table: str, values: Mapping[str, object] | None = None) -> Record:
        """What a new record begins with: the given values and the defaults."""
        return write.new(self.session, table, values or {})

    def create(self, table: str, rows: Sequence[Mapping[str, object]]) -> Written:
        """Create records; gives their ids, in order, with the warnings of rules. Raises Invalid, Denied."""
        return write.create(self.session, table, rows)

    def update(self, table: str, rows: Sequence[Mapping[str, object]]) -> Written:
        """Change records; rows have `id`, `_version` and what changes. Raises Invalid, Denied, Conflict, NotFound."""
        return write.update(self.session, table, rows)

    def add(self, table: str, rows: Sequence[Mapping[str, object]]) -> Written:
        """Add to numbers, for counters and balances: rows have `id` and the amounts, `{"stock": -1}`.

        No change of anybody else is lost, and rules hold for the sum. Raises as `update` does, and BadRequest.
        """
        return write.add(self.session, table, rows)

    def delete(self, table: str, ids: Mapping[int, int | None] | Iterable[int]) -> None:
        """Move records to the trash; a mapping gives the version each was read in. Raises Denied, Conflict, Invalid."""
        write.delete(self.session, table, ids)

    def restore(self, table: str, ids: Iterable[int]) -> None:
        """Bring records back from the trash. Raises Denied, Invalid, NotFound."""
        write.restore(self.session, table, ids)
