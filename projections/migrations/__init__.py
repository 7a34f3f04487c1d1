"""Tables of this room in PostgreSQL: none; see 0001."""
