"""The pages, one module each; every one lists its ROUTES."""
