"""From what differs to a plan: a pure function over the kinds of changes, and how the plan reads."""
