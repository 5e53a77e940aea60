"""How long a search may take: what people type can match anything, and nobody else is to wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from core.database.engine import sqlstate
from core.errors import BadRequest

if TYPE_CHECKING:
    from core.ed.session import Session
    from core.ed.statement import Row, Statement

SECONDS = 1
STOPPED = "57014"                           # query_canceled
ASKED = frozenset(("page", "api"))          # jobs and commands may take their time
LIMIT = f"set local statement_timeout = {SECONDS * 1000}"


def rows(session: Session, statement: Statement, parameters: Mapping[str, Any], *,
         typed: bool = True) -> Sequence[Row]:
    """The rows of a statement; where people typed what it looks for, it is stopped after a second, with advice.

    The limit holds for the rest of the transaction. Raises BadRequest.
    """
    if not typed or session.how not in ASKED:
        return statement.rows(session.connection, parameters)
    first = "" if session.hurried else LIMIT
    session.hurried = True
    try:
        return statement.rows(session.connection, parameters, first)
    except DBAPIError as error:
        if sqlstate(error) != STOPPED:
            raise
        raise BadRequest("This takes longer than {seconds} s, so it was stopped. Look for a longer word, or narrow "
                         "the list by a filter first.", "search", seconds=SECONDS) from None
