"""The database layer: the server, engines, transactions, our own tables' steps, safe DDL, and jobs."""
