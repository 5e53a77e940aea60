"""What a list's URL says: search, filters, condition, order and place; so a link shows another person the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlencode

from core.web.request import Request, natural, once

LONGEST_VALUES = 2000           # of the group that is looked into
DEEPEST_GROUP = 3
MOST_COLUMNS = 30
PAGE = 80
DEEPEST = 10_000
PATHS = ("columns", "sort", "group")      # what names fields in the address of a list


@lru_cache(500)
def _encoded(key: str, value: str) -> str:
    """One pair of a query: a page has dozens of addresses that differ in one of them."""
    return urlencode(((key, value),))


@dataclass(frozen=True, slots=True)
class ListState:
    """The state of one list page, as its URL has it."""

    path: str
    search: str = ""
    filters: tuple[str, ...] | None = None      # None: nothing said, the defaults hold
    where: str = ""
    sort: tuple[str, ...] = ()
    list: str = ""
    after: str = ""
    start: int = 0
    trash: bool = False
    limit: int = PAGE
    given: tuple[tuple[str, str], ...] = ()     # the parameters of a query: ("p.city", "Ulm")
    before: str = ""
    exact: bool = False                         # counted and added up to the end
    columns: tuple[str, ...] = ()               # paths; none: those of the list
    group: tuple[str, ...] = ()                 # paths, of dates with a unit: "stage", "ends:month"
    inside: tuple[object, ...] | None = None    # the values of the group that is looked into, as JSON has them
    mode: str = ""                              # "kanban"; "": rows
    view: int = 0                               # the saved view that this began as

    @classmethod
    def of(cls, request: Request, path: str) -> ListState:
        """Read the state from a request. Raises BadRequest for a value that comes twice."""
        given = tuple((key, value) for key, value in request.args.items(multi=True) if key.startswith("p."))[:100]
        values = once(request.args, ("f", "columns", "group", *(key for key, _ in given)))
        filters = request.args.getlist("f")[:30] if "f" in request.args else None
        sort = tuple(part for part in values.get("sort", "")[:300].split(",") if part.strip("-"))[:4]
        columns = _listed(request.args.getlist("columns"))[:MOST_COLUMNS]
        group = _listed(request.args.getlist("group"))[:DEEPEST_GROUP]
        return cls(path, values.get("q", "").strip()[:200], None if filters is None else tuple(filter(None, filters)),
                   values.get("where", "").strip()[:4000], sort, values.get("list", "")[:60],
                   values.get("after", "")[:2000], natural(values.get("start"), 0, 10**9),
                   values.get("trash") == "1", max(1, natural(values.get("limit"), PAGE, 200)),
                   given, values.get("before", "")[:2000], values.get("exact") == "1", columns, group,
                   _values(values.get("in", "")), values.get("mode", "")[:20], natural(values.get("view"), 0, 2**62))

    def url(self) -> str:
        """The address of this state; what is as usual is left out."""
        pairs: list[tuple[str, str]] = []
        for key, value in (("list", self.list), ("q", self.search), ("where", self.where),
                           ("sort", ",".join(self.sort)), ("columns", ",".join(self.columns)),
                           ("group", ",".join(self.group)), ("mode", self.mode), ("after", self.after),
                           ("before", self.before), ("start", str(self.start) if self.start else ""),
                           ("trash", "1" if self.trash else ""), ("exact", "1" if self.exact else ""),
                           ("limit", str(self.limit) if self.limit != PAGE else ""),
                           ("in", json.dumps(self.inside, ensure_ascii=False) if self.inside is not None else ""),
                           ("view", str(self.view) if self.view else "")):
            if value:
                pairs.append((key, value))
        if self.filters is not None:
            pairs += [("f", name) for name in self.filters or ("",)]
        pairs += self.given
        if self.view:                   # the address says all, so that the view's own state is not taken again
            pairs.append(("now", "1"))
        return f"{self.path}?{'&'.join(_encoded(*pair) for pair in pairs)}" if pairs else self.path

    def at_start(self) -> ListState:
        """The first page of the same list."""
        return replace(self, after="", before="", start=0, inside=None)

    def sorted_by(self, path: str) -> ListState:
        """What a click on a column header asks for: up, then down, then as the list says."""
        if self.sort[:1] == (path,):
            sort: tuple[str, ...] = (f"-{path}",)
        elif self.sort[:1] == (f"-{path}",):
            sort = ()
        else:
            sort = (path,)
        return replace(self.at_start(), sort=sort)

    def toggled(self, name: str, active: frozenset[str]) -> ListState:
        """What a click on a filter chip asks for."""
        return replace(self.at_start(), filters=tuple(sorted(active ^ {name})))

    def next(self, cursor: str) -> ListState:
        """The page after this one."""
        return replace(self, after=cursor, before="", start=self.start + self.limit)

    def previous(self, cursor: str | None = None) -> ListState | None:
        """The page before this one: the first one, the one before a cursor, or as far as offsets reach."""
        if not self.start or (cursor is None and self.start - self.limit > DEEPEST):
            return None
        start = max(0, self.start - self.limit)
        return replace(self, after="", before=cursor if cursor is not None and start else "", start=start)

    def opened(self, values: tuple[object, ...]) -> ListState:
        """What is in a group."""
        return replace(self.at_start(), inside=values)


def _listed(values: list[str]) -> tuple[str, ...]:
    """What stands between commas, or in several boxes of a form, each once."""
    return tuple(dict.fromkeys(filter(None, ",".join(values)[:2000].split(","))))


def _values(text: str) -> tuple[object, ...] | None:
    """The values of a group as an address has them; anything else is none."""
    if not text or len(text) > LONGEST_VALUES:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(found, list) and len(found) <= DEEPEST_GROUP and all(
        one is None or isinstance(one, (str, bool, int)) for one in found)
    return tuple(found) if plain else None
