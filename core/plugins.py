"""What addons add to core in Python: their plugin.py files, loaded once and asked through the hooks."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import pluggy

from core import hookspecs
from core.errors import DefinitionError, Problem

if TYPE_CHECKING:
    from core.types.base import FieldType


class Plugins:
    """The loaded plugin.py files; `code` names each by addon and hash, so that a version can say what it needs."""

    def __init__(self, code: Mapping[str, str] | None = None) -> None:
        self.code: Mapping[str, str] = MappingProxyType(dict(code or {}))
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    @classmethod
    def load(cls, folders: Iterable[Path], installed: Collection[str] | None = None) -> Plugins:
        """Load plugin.py of every addon in those folders, or of the named ones; raises DefinitionError."""
        paths = _plugin_files(folders, installed)
        plugins = cls({name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()})
        for name, path in paths.items():
            plugins.add(name, _import(name, path))
        return plugins

    def add(self, name: str, plugin: object) -> None:
        """Register an object with hook functions under a name; raises DefinitionError for an unknown hook."""
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            file = getattr(plugin, "__file__", None) or name
            raise DefinitionError([Problem(str(file), 1, 1, str(error))]) from None

    @cached_property
    def field_types(self) -> Mapping[str, FieldType[Any]]:
        """All types of fields by name, the built-in ones first."""
        from core.types.registry import registry
        return self._named("field_types", registry())

    @cached_property
    def kinds(self) -> Mapping[str, Any]:
        """All kinds of definitions by name, the built-in ones first."""
        return self._named("kinds", {kind.name: kind for kind in _built_in_kinds()})

    @cached_property
    def functions(self) -> Mapping[str, Any]:
        """The expression functions that addons add, by name."""
        return self._named("functions", {})

    @cached_property
    def widgets(self) -> Mapping[str, Any]:
        """The widgets that addons add, by name."""
        return self._named("widgets", {})

    @cached_property
    def verbs(self) -> Mapping[str, Any]:
        """All verbs of steps by name, the built-in ones first."""
        return self._named("verbs", importlib.import_module("core.definition.kinds.verbs").VERBS)

    @cached_property
    def export_formats(self) -> Mapping[str, Any]:
        """The export formats that addons add, by name."""
        return self._named("export_formats", {})

    def _named(self, hook: str, built_in: Mapping[str, Any]) -> Mapping[str, Any]:
        found = dict(built_in)
        for caller in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            for thing in caller.function():
                if thing.name in found:
                    raise DefinitionError([_clash(caller, hook, thing.name)])
                found[thing.name] = thing
        return MappingProxyType(found)


def _clash(caller: Any, hook: str, name: str) -> Problem:
    code = caller.function.__code__
    return Problem(code.co_filename, code.co_firstlineno, 1, f'{hook}: "{name}" exists already; choose another name')


def _built_in_kinds() -> Sequence[Any]:
    # Named, not imported: this module lies below definition, and only the caller's use of kinds pulls it in.
    kinds: Sequence[Any] = importlib.import_module("core.definition.kinds").BUILT_IN
    return kinds


def _plugin_files(folders: Iterable[Path], installed: Collection[str] | None) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/plugin.py")):
            if installed is None or path.parent.name in installed:
                found.setdefault(path.parent.name, path)
    return dict(sorted(found.items()))


class _Source(SourceFileLoader):
    """Reads the source each time: by a compiled file an edit within the second, of the same size, is not seen."""

    def path_stats(self, path: str) -> NoReturn:
        raise OSError("nothing compiled is kept")


def _import(name: str, path: Path) -> ModuleType:
    name = f"tessera_addon_{name}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_Source(name, str(path)))
    if spec is None or spec.loader is None:
        raise DefinitionError([Problem(str(path), 1, 1, "is no Python module")])
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise DefinitionError([Problem(str(path), error.lineno or 1, error.offset or 1, error.msg)]) from None
    except Exception as error:
        raise DefinitionError([Problem(str(path), _line(error, path), 1,
                                       f"{type(error).__name__}: {error}")]) from error
    return module


def _line(error: Exception, path: Path) -> int:
    """The last line of that file on the way to the error."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] or 1 if lines else 1
