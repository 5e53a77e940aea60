"""Definitions: files become layers, layers become one checked, immutable Model."""

from core.definition.load import Loaded, build, load
from core.definition.model import Model
from core.definition.values import Definition, Layer, Merged

__all__ = ["Definition", "Layer", "Loaded", "Merged", "Model", "build", "load"]
