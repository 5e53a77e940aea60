"""A site's folder that is no folder: files held in memory, read by the loader as if they stood on disk.

What comes from outside (a bundle) or is only tried (files merged with live's) is never written anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, cast


class _Held(PurePosixPath):
    """A path in a set of files; a class of its own for each set, as pathlib makes paths of paths by their class."""

    _contents: ClassVar[Mapping[str, bytes]] = {}
    _folders: ClassVar[Mapping[str, tuple[str, ...]]] = {}          # the names in each folder

    def is_file(self) -> bool:
        """Whether such a file is held."""
        return str(self) in self._contents

    def is_dir(self) -> bool:
        """Whether a file is held below it."""
        return str(self) in self._folders

    def is_symlink(self) -> bool:
        """Never: what is held leads nowhere."""
        return False

    def read_bytes(self) -> bytes:
        """The content of a file; raises FileNotFoundError."""
        if str(self) not in self._contents:
            raise FileNotFoundError(str(self))
        return self._contents[str(self)]

    def iterdir(self) -> Iterator[Any]:
        """What stands in a folder."""
        return (self / name for name in self._folders.get(str(self), ()))

    def rglob(self, pattern: str) -> Iterator[Any]:
        """All files below it; only the pattern "*" is known."""
        if pattern != "*":
            raise ValueError(f"held files are listed as a whole, not by {pattern!r}")
        return (type(self)(name) for name in self._contents if name.startswith(f"{self}/"))

    def resolve(self) -> Any:
        """Itself: there are no links."""
        return self


def held(files: Mapping[str, bytes], name: str = "site") -> Path:
    """A folder of that name with these files, for `load`; paths in messages begin with the name."""
    contents = {f"{name}/{path}": data for path, data in sorted(files.items())}
    folders: dict[str, dict[str, None]] = {name: {}}
    for path in contents:
        for child in (PurePosixPath(path), *PurePosixPath(path).parents):
            if str(child) in (name, "."):
                break
            folders.setdefault(str(child.parent), {})[child.name] = None
    kept = {folder: tuple(names) for folder, names in folders.items()}
    return cast(Path, type("Held", (_Held,), {"_contents": contents, "_folders": kept})(name))
