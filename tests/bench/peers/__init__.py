"""Other ways to the same end, each in an environment of its own under build/peers.

What runs there (`cqrs_shop`, `eventsourced.py`) imports nothing of ours, and tells what it took as one line of JSON.
"""
