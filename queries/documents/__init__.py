"""Shapes of the read models and of the bookkeeping beside them."""
