"""The business model: versions of the definitions, and how the live system goes from one to the next."""
