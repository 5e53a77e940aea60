"""Definitions: files become layers, layers become one checked, immutable Model."""
