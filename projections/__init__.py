"""Turns events into documents."""
