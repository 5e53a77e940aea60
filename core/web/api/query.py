"""The query of a request, read strictly: only known parameters, each once, each well formed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from core.errors import BadRequest, NotFound
from core.types.characters import plain_number
from core.types.link import LARGEST_ID
from core.web.api.strict_json import is_text

DEFAULT_LIMIT = 50
MOST = 200
MOST_FIELDS = 200
MOST_ORDER = 10
LONGEST_SEARCH = 200
_ID = re.compile(r"([1-9]\d{0,18})(?:@([1-9]\d{0,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list is asked for."""

    where: str | None
    fields: tuple[str, ...]
    order: tuple[str, ...]
    limit: int
    after: str | None
    count: bool
    search: str | None = None


def parameters(arguments: MultiDict[str, str], known: Collection[str]) -> Mapping[str, str]:
    """The parameters by name; raises BadRequest for one that is unknown or comes twice."""
    for name, values in arguments.lists():
        if name not in known:
            if not known:
                raise BadRequest('There is no parameter "{name}" here.', name[:60], name=name[:60])
            raise BadRequest('There is no parameter "{name}" here; known are: {known}.', name[:60], name=name[:60],
                             known=", ".join(known))
        if len(values) > 1:
            raise BadRequest("A parameter comes twice.", name)
    return arguments.to_dict()


def list_query(arguments: MultiDict[str, str]) -> ListQuery:
    """Read the query of a list; raises BadRequest."""
    found = parameters(arguments, ("where", "fields", "order", "limit", "after", "count", "q"))
    return ListQuery(
        found.get("where") or None,
        names(found.get("fields"), "fields", MOST_FIELDS),
        names(found.get("order"), "order", MOST_ORDER),
        _limit(found.get("limit")),
        found.get("after") or None,
        _flag(found.get("count"), "count"),
        words(found.get("q")))


def names(text: str | None, parameter: str, most: int) -> tuple[str, ...]:
    """Split a list of names at its commas; raises BadRequest for empty, repeated or too many ones."""
    if not text:
        return ()
    found = tuple(part.strip(" ") for part in text.split(","))
    if not all(found):
        raise BadRequest("A name is missing between two commas.", parameter)
    if len(set(found)) < len(found):
        raise BadRequest("A name comes twice.", parameter)
    if len(found) > most:
        raise BadRequest("At most {most} names are taken here.", parameter, most=most)
    return found


def words(text: str | None) -> str | None:
    """What is searched for; raises BadRequest for what no record holds, or too much of it."""
    if text is None or not text.strip():
        return None
    if len(text) > LONGEST_SEARCH:
        raise BadRequest("Search for at most {most} characters.", "q", most=LONGEST_SEARCH)
    if "\x00" in text or not is_text(text):
        raise BadRequest("This holds a character that text cannot hold.", "q")
    return text.strip()


def ids_in(text: str, most: int) -> dict[int, int | None]:
    """Ids in a parameter, each with the version it was read in if that matters: `12,13@4`; raises BadRequest."""
    parts = text.split(",")
    if len(parts) > most:
        raise BadRequest("At most {most} records can be named at once.", "ids", most=most)
    found: dict[int, int | None] = {}
    for part in parts:
        match = _ID.fullmatch(part)
        if match is None or int(match[1]) > LARGEST_ID:
            raise BadRequest('"{name}" is not the id of a record.', "ids", name=part[:40])
        if int(match[1]) in found:
            raise BadRequest("A record is named twice.", "ids")
        found[int(match[1])] = int(match[2]) if match[2] else None
    return found


def record_id(text: str) -> int:
    """The id in an address: a plain positive number, as we write it ourselves; raises NotFound for all else."""
    found = plain_number(text, 19)
    if found is None or text[0] == "0" or found > LARGEST_ID:
        raise NotFound("There is no such record.")
    return found


def version_in(text: str | None, parameter: str) -> int | None:
    """A record's version in a parameter; raises BadRequest."""
    if text is None:
        return None
    found = plain_number(text)
    if found is None:
        raise BadRequest("A version is a whole number.", parameter)
    return found


def number(text: str | None, parameter: str, default: int, least: int, most: int) -> int:
    """A whole number; raises BadRequest for anything else, or one out of bounds."""
    if text is None:
        return default
    found = plain_number(text, 9)
    if found is None or not least <= found <= most:
        raise BadRequest('"{name}" is a whole number from {least} to {most}.', parameter, name=parameter, least=least,
                         most=most)
    return found


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    found = plain_number(text, 6)
    if found is None or not 1 <= found <= MOST:
        raise BadRequest("The limit is a whole number from 1 to {most}.", "limit", most=MOST)
    return found


def _flag(text: str | None, parameter: str) -> bool:
    if text not in (None, "0", "1"):
        raise BadRequest("This parameter is 1 or 0.", parameter)
    return text == "1"
