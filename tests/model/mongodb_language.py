"""What filters, updates and expressions mean to MongoDB, as far as the runtime uses them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
MISSING = object()

COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "$exists": lambda found, wanted: (found is not MISSING) == wanted,
    "$in": lambda found, wanted: any(_equal(found, value) for value in wanted),
    "$ne": lambda found, wanted: not _equal(found, wanted),
    "$gt": lambda found, wanted: _comparable(found, wanted) and found > wanted,
    "$gte": lambda found, wanted: _comparable(found, wanted) and found >= wanted,
    "$lt": lambda found, wanted: _comparable(found, wanted) and found < wanted,
    "$lte": lambda found, wanted: _comparable(found, wanted) and found <= wanted,
}


def matches(document: Document, filter_: Document) -> bool:
    """Whether a document fits; values are compared, or operators like ``{"$gte": 3}`` are asked."""
    for path, wanted in filter_.items():
        found = at(document, path)
        if isinstance(wanted, dict) and wanted and all(name.startswith("$") for name in wanted):
            if not all(COMPARED[name](found, value) for name, value in wanted.items()):
                return False
        elif not _equal(found, wanted):
            return False
    return True


def _equal(found: Any, wanted: Any) -> bool:
    """A field that is missing counts as null."""
    return (found is MISSING or found is None) if wanted is None else bool(found == wanted)


def _comparable(found: Any, wanted: Any) -> bool:
    return found is not MISSING and found is not None and type(found) is type(wanted)


def at(document: Any, path: str) -> Any:
    """The value at a dotted path; a number names an element of a list."""
    found = document
    for part in path.split("."):
        if isinstance(found, list) and part.isdigit():
            found = found[int(part)] if int(part) < len(found) else MISSING
        else:
            found = found.get(part, MISSING) if isinstance(found, dict) else MISSING
        if found is MISSING:
            break
    return found


def updated(document: Document, change: Any, *, inserted: bool) -> Document:
    """The document after update operators, or after the stages of a pipeline.

    ``document`` is changed too, and shares values with ``change``: encode it before anything else is done.
    """
    if isinstance(change, list):
        for stage in change:
            values = {path: evaluate(value, document, {}) for path, value in stage["$set"].items()}
            for path, value in values.items():
                _set(document, path, value)
        return document
    for operator, values in change.items():
        if operator == "$setOnInsert" and not inserted:
            continue
        for path, value in values.items():
            OPERATORS[operator](document, path, value)
    return document


def _set(document: Document, path: str, value: Any) -> None:
    place, last = _place(document, path)
    place[last] = value


def _place(document: Document, path: str) -> tuple[Document, str]:
    *parents, last = path.split(".")
    for part in parents:
        document = document.setdefault(part, {})
    return document, last


def _change(combine: Callable[[Any, Any], Any]) -> Callable[[Document, str, Any], None]:
    """An operator that sets a missing field to its value, and combines the two where there is one."""

    def apply(document: Document, path: str, value: Any) -> None:
        place, last = _place(document, path)
        place[last] = combine(place[last], value) if last in place else value

    return apply


def _unset(document: Document, path: str, _: Any) -> None:
    *parents, last = path.split(".")
    found = at(document, ".".join(parents)) if parents else document
    if isinstance(found, dict):
        found.pop(last, None)


def _push(document: Document, path: str, value: Any) -> None:
    place, last = _place(document, path)
    place.setdefault(last, []).extend(value["$each"])


def _add_to_set(document: Document, path: str, value: Any) -> None:
    place, last = _place(document, path)
    if value not in place.setdefault(last, []):
        place[last].append(value)


OPERATORS: dict[str, Callable[[Document, str, Any], None]] = {
    "$set": _set,
    "$setOnInsert": _set,
    "$unset": _unset,
    "$inc": _change(lambda found, value: found + value),
    "$min": _change(min),
    "$max": _change(max),
    "$push": _push,
    "$addToSet": _add_to_set,
}


def evaluate(expression: Any, document: Document, variables: Document) -> Any:
    """The value of an aggregation expression; None for a missing field."""
    if isinstance(expression, str) and expression.startswith("$$"):
        return _known(at(variables, expression[2:]))
    if isinstance(expression, str) and expression.startswith("$"):
        return _known(at(document, expression[1:]))
    if isinstance(expression, list):
        return [evaluate(item, document, variables) for item in expression]
    if not isinstance(expression, dict) or not any(name.startswith("$") for name in expression):
        return expression
    ((operator, of),) = expression.items()
    if operator == "$literal":
        return of
    if operator == "$map":
        items = evaluate(of["input"], document, variables)
        return [evaluate(of["in"], document, {**variables, of["as"]: item}) for item in items]
    return EXPRESSIONS[operator](evaluate(of, document, variables))


def _known(found: Any) -> Any:
    return None if found is MISSING else found


EXPRESSIONS: dict[str, Callable[[Any], Any]] = {
    "$ifNull": lambda values: next((value for value in values if value is not None), None),
    "$objectToArray": lambda value: [{"k": name, "v": of} for name, of in value.items()],
    "$cond": lambda values: values[1] if values[0] else values[2],
    "$in": lambda values: values[0] in values[1],
    "$gt": lambda values: values[0] > values[1],
    "$sum": lambda values: sum(value for value in values if isinstance(value, (int, float))),
}
