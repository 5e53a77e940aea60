"""A version of the definitions: identities of members, where their values stand, how two differ."""
