"""Enterprise data: the records of one system, reached only through the record service (records.py)."""
