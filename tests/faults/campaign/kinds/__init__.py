"""The kinds of faults. Each is a function of the running campaign that strikes once and returns when it has."""
