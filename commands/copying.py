"""Inserting rows with PostgreSQL's COPY: a fraction of what INSERT costs by the thousand, half the Python for five."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Appends rows to the model's table; ``columns`` are its column names in the order of each row's values.

    Values are what psycopg adapts (text for JSON). Defaults of Django do not apply, those of PostgreSQL do; constraints
    and triggers count as always and raise Django's errors.
    """
    quote = connection.ops.quote_name
    into = f"{quote(model._meta.db_table)} ({', '.join(quote(column) for column in columns)})"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
