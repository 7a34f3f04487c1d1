"""The read side: may only read, and only MongoDB."""
