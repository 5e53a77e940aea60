"""The samples of the reference: small complete sets of files, one a kind, which its page prints and a test loads.

`samples/<kind>/` holds addons (folders with an addon.yaml) and, if it needs one, the site's folder `metadata`; they
stand on the addon `base`. `about.md` beside them is what the page says in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.definition.files import Reading, definition_files, read_file
from core.definition.kinds.base import Kind
from core.definition.values import Definition

FOLDER = Path(__file__).resolve().parent / "samples"
ABOUT = "about.md"
SITE = "metadata"


@dataclass(frozen=True)
class SampleFile:
    """One file of a sample: its path, its text, and the definition in it."""

    path: str
    text: str
    definition: Definition | None


@dataclass(frozen=True)
class Sample:
    """The files of a kind's sample, and what is said of the kind in words."""

    name: str
    folder: Path
    about: str
    files: tuple[SampleFile, ...]

    @property
    def site(self) -> Path | None:
        """The site's folder, if the sample has one."""
        return self.folder / SITE if (self.folder / SITE).is_dir() else None

    def of(self, kind: str) -> tuple[SampleFile, ...]:
        """The files that define, or change, something of a kind."""
        return tuple(one for one in self.files if one.definition is not None and one.definition.kind == kind)


def sample(name: str, kinds: Mapping[str, Kind]) -> Sample:
    """The sample of a kind, or of the pages `types` and `elements`; without files if nobody wrote one."""
    folder = FOLDER / name
    about = folder / ABOUT
    files = _files(folder, kinds) if folder.is_dir() else ()
    return Sample(name, folder, about.read_text(encoding="utf-8").strip() if about.is_file() else "", files)


def _files(folder: Path, kinds: Mapping[str, Kind]) -> tuple[SampleFile, ...]:
    reading = Reading(kinds)
    return tuple(
        SampleFile(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8"),
                   read_file(path, path.relative_to(folder).as_posix(), path.relative_to(folder).parts[0], reading))
        for path in definition_files(folder, None))
