"""Where a live system is not as its version says, and the way out of it."""
