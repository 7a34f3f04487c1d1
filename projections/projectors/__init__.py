"""One read model per file; projectors know nothing of one another."""
