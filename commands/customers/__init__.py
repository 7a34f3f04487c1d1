"""Customers and the users who log in."""
