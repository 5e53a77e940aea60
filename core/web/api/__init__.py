"""The REST API: records as JSON under /api/v1, the same rights and rules as on pages."""
