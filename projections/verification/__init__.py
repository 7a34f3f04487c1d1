"""Do the read models say what the log says? Two oracles: a replay of the log in memory, and the state tables."""
