"""How long a search may take: what people type can match anything, and nobody else is to wait for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from core.errors import BadRequest

if TYPE_CHECKING:
    from core.ed.session import Session
    from core.ed.statement import Row, Statement

SECONDS = 1
STOPPED = "57014"                           # query_canceled
ASKED = frozenset(("page", "api"))          # jobs and commands may take their time


@contextmanager
def of(session: Session) -> Iterator[None]:
    """Stop what is searched for in this block after a second; raises BadRequest with advice.

    The limit stays for the rest of the transaction, and costs its first search a statement.
    """
    if session.how not in ASKED:
        yield
        return
    if not session.hurried:
        session.connection.exec_driver_sql(f"set local statement_timeout = {SECONDS * 1000}")
        session.hurried = True
    try:
        yield
    except DBAPIError as error:
        if str(getattr(error.orig, "pgcode", "") or "") != STOPPED:
            raise
        raise BadRequest("This takes longer than {seconds} s, so it was stopped. Look for a longer word, or narrow "
                         "the list by a filter first.", "search", seconds=SECONDS) from None


def rows(session: Session, statement: Statement, parameters: Mapping[str, Any], *, typed: bool) -> Sequence[Row]:
    """The rows of a statement, within the limit where people typed what it looks for."""
    if not typed:
        return statement.rows(session.connection, parameters)
    with of(session):
        return statement.rows(session.connection, parameters)
