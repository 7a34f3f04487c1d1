"""Addresses and answers of the read side."""
