"""Pages: a request's journey from the socket to HTML."""
