"""Carrying out a plan step by step, journalled, whatever its steps do."""
