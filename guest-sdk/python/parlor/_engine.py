"""The engine of `parlor dev`: one component for all plugins. The source of a plugin is in its configuration, and is run when
an instance begins, so that a save needs no build.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec
from typing import Any, cast

from . import _component, _errors, _host, _library, _stdlib  # noqa: F401

SOURCE = "parlor.source"
"""The key of the configuration with the source: `{"entry": "plugin", "files": {"plugin.py": "..."}}`."""


class _Sources:
    """Finds the author's modules in the configuration."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        place = name.replace(".", "/")
        for file, is_package in ((f"{place}/__init__.py", True), (f"{place}.py", False)):
            if file in self._files:
                spec = ModuleSpec(name, cast(Any, self), origin=file, is_package=is_package)
                spec.has_location = True
                return spec
        # A folder without an `__init__.py` is a package too.
        if any(file.startswith(f"{place}/") for file in self._files):
            return ModuleSpec(name, None, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        file = module.__spec__.origin
        exec(compile(self._files[file], file, "exec", dont_inherit=True), module.__dict__)


class Guest(_component.Guest):
    """What the host calls."""

    def init(self) -> Any:
        try:
            text = _host.config.get(SOURCE)
            if text is None:
                raise _errors.RoomError("invalid", "this is the engine of `parlor dev`, and its configuration has no source")
            source = json.loads(text)
            sys.meta_path[:] = [BuiltinImporter, FrozenImporter, _Sources(source["files"]), _stdlib._Imports]
            importlib.import_module(source["entry"])
            _component.seal()
        except BaseException as error:
            raise _host.Err(_errors.in_a_line(error)) from None
        return super().init()
