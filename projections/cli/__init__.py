"""`manage.py projector`: one module per subcommand or small group of them, and what they share.

A subcommand parses, asks the functions of `projections.runtime`, and shows what they answer; it decides nothing about
the stream. Shown are tables for people (80 columns are enough) or, with ``--json``, one JSON object.
"""
