"""Writing some columns of several rows in one statement, from arrays: the same text for any number of rows, so that
PostgreSQL plans it once, and no CASE for each value as in Django's `bulk_update`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def update_rows(model: type[Row], rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Sets these fields of these rows to what they are in memory; each row once. Raises `LookupError` when one is gone.

    The names are those of fields; expressions are no values here. The caller holds the rows' locks.
    """
    if not rows:
        return
    quote = connection.ops.quote_name
    key = model._meta.pk
    fields = [key, *(model._meta.get_field(name) for name in columns)]
    names = [quote(field.column) for field in fields]
    table, sets = quote(model._meta.db_table), ", ".join(f"{name} = changed.{name}" for name in names[1:])
    arrays = ", ".join(f"%s::{field.cast_db_type(connection)}[]" for field in fields)
    statement = (
        f"UPDATE {table} SET {sets} FROM unnest({arrays}) AS changed ({', '.join(names)}) "  # noqa: S608 (names of models)
        f"WHERE {table}.{names[0]} = changed.{names[0]}"
    )
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.rowcount != len(rows):
            raise LookupError(
                f"{cursor.rowcount} of {len(rows)} rows of {model._meta.db_table} were there to be changed"
            )
