"""The event kernel: what is said between the sides. Pure: no Django, no I/O."""
