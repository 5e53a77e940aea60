"""Every table, field, action and role at every entry point, against an independent reading of the grants."""
