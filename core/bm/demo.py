"""Demo records: files of addons loaded through the record service; never part of a version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.bm.changes.seeds import finder
from core.bm.changes.values import Unresolved, record_values
from core.definition.layers import addon_folders
from core.definition.yaml import read
from core.ed.records import Records
from core.errors import DefinitionError, Refused

if TYPE_CHECKING:
    from core.definition.model import Model
    from core.ed.session import Session


def demo_folders(model: Model, folders: Iterable[Path]) -> list[Path]:
    """The folder of each installed addon, in the order in which they build on each other."""
    order = {addon.name: number for number, addon in enumerate(model.addons)}
    return sorted((folder for folder in addon_folders(folders) if folder.name in order),
                  key=lambda folder: order[folder.name])


class Demo:
    """Loads files in order; each record has a handle by which later ones link to it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.made: dict[tuple[str, str], int] = {}      # (table, handle) -> record
        self._seeded = finder(session)

    def load(self, folders: Iterable[Path]) -> int:
        """Load `demo/*.yaml` of each addon folder, by name; gives the number of records. Raises Refused."""
        for path, body in _files(folders):
            table = str(body.get("table"))
            if table not in self.session.system.model.tables:
                raise Refused(f'{path}: there is no table "{table}"')
            self._load(path, table, dict(body.get("records") or {}))
        return len(set(self.made.values()))

    def find(self, table: str, handle: str) -> int | None:
        """The record with a handle or shipped key, in a table or one under it."""
        return self.made.get((table, handle)) or self._seeded(table, handle)

    def _load(self, path: Path, table: str, waiting: dict[str, Mapping[str, Any]]) -> None:
        """Create what links nowhere unknown, again and again: records of a file may link to each other."""
        while waiting:
            ready = {}
            missing = Refused(f"{path}: no record can be made")
            for handle, written in waiting.items():
                try:
                    ready[handle] = record_values(self.session, table, written, self.find)
                except Unresolved as error:
                    missing = Refused(f"{path}: {handle}: {error}")
                except Refused as error:
                    raise Refused(f"{path}: {handle}: {error}") from None
            if not ready:
                raise missing
            ids = Records(self.session).create(table, list(ready.values()))
            for handle, record in zip(ready, ids, strict=True):
                del waiting[handle]
                for name in self._names(table):
                    self.made.setdefault((name, handle), record)

    def _names(self, table: str) -> Iterator[str]:
        """The tables through which a record of this one can be linked: itself and its bases."""
        name: str | None = table
        while name is not None:
            yield name
            name = self.session.system.model.tables[name].base


def _files(folders: Iterable[Path]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for folder in folders:
        for path in sorted((folder / "demo").glob("*.yaml")):
            body, _, problems = read(path.read_bytes(), str(path))
            if problems:
                raise DefinitionError(problems)
            if not isinstance(body, Mapping):
                raise Refused(f"{path}: must be a map with table and records")
            yield path, body
