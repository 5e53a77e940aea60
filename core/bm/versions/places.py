"""Where what is live is written: versions keep no places, so they are looked up in the files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.definition.files import Reading, definition_files, read_file
from core.definition.layers import addon_folders, shown
from core.definition.model import Model
from core.definition.values import BodyPath, Definition, value_at
from core.plugins import Plugins
from core.settings import ROOT, Settings


class Written:
    """The files of addons and site; asked for one place after the other, each file is read once."""

    def __init__(self, settings: Settings, model: Model) -> None:
        self.model = model
        self._reading = Reading(Plugins().kinds)
        self._folders = [*addon_folders(settings.addon_folders), settings.metadata]
        self._heads: list[tuple[Path, str, str]] = []
        self._found: dict[tuple[str, str], list[Definition]] = {}

    def __call__(self, kind: str, name: str, path: BodyPath) -> str:
        """`file:line` of what a definition says at a path; its kind and name where no file says it so any more."""
        merged = self.model.definitions.get((kind, name))
        if merged is None:
            return ""
        mark = merged.mark(path)
        if mark.file:
            return f"{mark.file}:{mark.line}"
        for length in range(len(path), -1, -1):
            said = value_at(merged.body, path[:length])
            for one in reversed(self._definitions(kind, name)):
                if value_at(one.body, path[:length]) == said or not path[:length]:
                    place = one.positions.get(path[:length]) or one.mark()
                    return f"{place.file}:{place.line}"
        return f"{kind} {name}"

    def _definitions(self, kind: str, name: str) -> list[Definition]:
        """What the layers say of a definition, lowest first."""
        if (kind, name) not in self._found:
            head = re.compile(rf"^(?:{kind}:\s*{name}|change:\s*{kind}\s+{name})\s*(?:#.*)?$", re.MULTILINE)
            files = [(path, said) for path, said, text in self._texts() if head.search(text)]
            found = (read_file(path, said, "", self._reading) for path, said in files)
            self._found[kind, name] = [one for one in found if one is not None and (one.kind, one.name) == (kind, name)]
        return self._found[kind, name]

    def _texts(self) -> Iterable[tuple[Path, str, str]]:
        if not self._heads:
            self._heads = list(self._read())
        return self._heads

    def _read(self) -> Iterator[tuple[Path, str, str]]:
        for folder in self._folders:
            for path in definition_files(folder, None) if folder.is_dir() else ():
                if path.suffix == ".yaml" and path.is_file():
                    # paths as people know them, without the machine's own folders before them
                    root = ROOT if path.is_relative_to(ROOT) else folder.parent
                    yield path, shown(path, root), path.read_text(encoding="utf-8", errors="replace")[:2000]
