"""Pages of a listing as answers: ``{"results", "next", "previous"}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework.request import Request

from queries.api.problems import parameter_invalid
from queries.paging import CursorInvalid, Listing
from queries.reading import Stored

DEFAULT_LIMIT, MAX_LIMIT = 24, 100
#: Parameters that say where in the listing, not what is asked.
_POSITION = {"cursor", "limit"}


def paginated(
    request: Request, listing: Listing, parameters: Mapping[str, Any], show: Callable[[Stored], dict[str, Any]]
) -> dict[str, Any]:
    """``{"results", "next", "previous"}``; the links are addresses on this host. Raises a 400 for a foreign cursor."""
    question = repr((request.path, sorted(item for item in parameters.items() if item[0] not in _POSITION)))
    try:
        page = listing.page(parameters.get("cursor"), parameters["limit"], question)
    except CursorInvalid as error:
        raise parameter_invalid("cursor", f"This cursor cannot be used here: {error}.") from error
    return {
        "results": [show(document) for document in page.documents],
        "next": _link(request, page.next),
        "previous": _link(request, page.previous),
    }


def _link(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    parameters = request.query_params.copy()
    parameters["cursor"] = cursor
    return f"{request.path}?{parameters.urlencode()}"
