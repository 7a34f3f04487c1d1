"""The write side: everything that may change PostgreSQL, and nothing else may."""
