"""Writing some columns of several rows in one statement, from arrays: no CASE for each value, and no expressions that
Django builds for them, as in `bulk_update`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def update_rows(model: type[Row], rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Sets these fields of these rows to what they are in memory. Raises `LookupError` when one is gone: the others are
    written then, so the transaction must be rolled back.

    The names are those of fields of plain values: no expressions, no arrays; a text that is longer than its column is
    cut. The caller holds the rows' locks, and names each row once.
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
