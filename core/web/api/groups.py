"""Groups through the API: GET /api/v1/<table>?group=stage,close_date:month&aggregate=count(),sum(amount)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from core.ed import grouping
from core.errors import BadRequest
from core.web.api.exchange import json_answer
from core.web.api.query import MOST_ORDER, names, number, parameters, words

if TYPE_CHECKING:
    from core.web.context import Context

PARAMETERS = ("group", "aggregate", "where", "q", "having", "order", "limit", "offset")
LIMIT = 100
AGGREGATE = re.compile(r"(?:([a-z][a-z0-9_]{0,48}):)?([a-z_]{1,20})\(([a-z_0-9.]{0,300})\)", re.ASCII)
HAVING = re.compile(r"([a-z][a-z0-9_]{0,48}) ?(>=|<=|!=|=|>|<) ?(-?\d{1,18}(?:\.\d{1,10})?)", re.ASCII)
_OF_PARAMETERS = {"aggregates": "aggregate"}        # where the record service has another word


def asked(arguments: MultiDict[str, str]) -> bool:
    """Whether a list is asked for groups of records instead of records."""
    return "group" in arguments or "aggregate" in arguments


def answer(context: Context, table: str) -> Response:
    """The groups of a table's records with what is worked out for each. Raises BadRequest, NotFound."""
    found = parameters(context.request.args, PARAMETERS)
    by = [_key(key) for key in names(found.get("group"), "group", grouping.MOST_KEYS)]
    aggregates = _aggregates(found.get("aggregate") or "count()")
    try:
        groups = grouping.group(
            context.session, table, by, aggregates, where=found.get("where") or None, search=words(found.get("q")),
            order=names(found.get("order"), "order", MOST_ORDER), having=_having(found.get("having")),
            limit=number(found.get("limit"), "limit", LIMIT, 1, grouping.MOST_GROUPS),
            offset=number(found.get("offset"), "offset", 0, 0, grouping.LARGEST_OFFSET))
    except BadRequest as error:
        error.at = _OF_PARAMETERS.get(error.at, error.at)
        raise
    return json_answer({"groups": [groups.wire(row) for row in groups.rows], "more": groups.more})


def _key(text: str) -> grouping.By:
    path, colon, unit = text.partition(":")
    return (path, unit) if colon else path


def _aggregates(text: str) -> Mapping[str, grouping.Aggregate]:
    """`count(),sum(amount),mean:avg(amount)` by the names of their values: count, sum_amount, mean."""
    found: dict[str, grouping.Aggregate] = {}
    for part in text.split(","):
        match = AGGREGATE.fullmatch(part.strip())
        if match is None:
            raise BadRequest('"{name}" is not understood; write it as sum(amount) or total:sum(amount).', "aggregate",
                             name=part.strip()[:60])
        operation, path = match[2], match[3] or None
        name = match[1] or "_".join([operation, *(path or "").split(".")]).rstrip("_")
        if name in found:
            raise BadRequest("A name comes twice.", "aggregate")
        found[name] = (operation, path)
    return found


def _having(text: str | None) -> list[grouping.Having]:
    found: list[Any] = []
    for part in (text or "").split(",") if text else ():
        match = HAVING.fullmatch(part.strip())
        if match is None:
            raise BadRequest('"{name}" is not understood; write it as sum_amount>=1000.', "having",
                             name=part.strip()[:60])
        found.append((match[1], match[2], Decimal(match[3])))
    if len(found) > grouping.MOST_AGGREGATES:
        raise BadRequest("At most {most} names are taken here.", "having", most=grouping.MOST_AGGREGATES)
    return found
