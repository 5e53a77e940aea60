"""Definitions: files become layers, layers become one checked, immutable Model."""

from core.definition.building import Reference
from core.definition.load import Loaded, Sources, build, load, references
from core.definition.model import Model
from core.definition.values import Definition, Layer, Merged

__all__ = ["Definition", "Layer", "Loaded", "Merged", "Model", "Reference", "Sources", "build", "load", "references"]
