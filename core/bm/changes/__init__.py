"""The kinds of changes a definition can make: what each asks, refuses and does to the records."""
