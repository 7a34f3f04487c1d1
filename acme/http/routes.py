"""`Route`: one address and method under /api/v1/ and the view that answers it; both sides list theirs as ROUTES."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpResponseBase
from django.urls.converters import get_converters

from acme.http.fields import has_control_characters

PREFIX = "api/v1/"
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """``path`` below /api/v1/ in Django's notation (``products/<uuid:id>``), ``method`` in capitals.

    ``view`` is a view class, or what ``ViewSet.as_view({...})`` gives. A path parameter fills one segment.
    """

    path: str
    method: str
    view: Any

    @cached_property
    def callback(self) -> Callable[..., HttpResponseBase]:
        view: Callable[..., HttpResponseBase] = self.view.as_view() if isinstance(self.view, type) else self.view
        return view

    @cached_property
    def shape(self) -> str:
        """The address with numbered parameters, the same for both sides however they name and type them."""
        count = iter(range(100))
        return _PARAMETER.sub(lambda _: f"<str:p{next(count)}>", self.path)

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """(name, converter) of each parameter in the path, in order."""
        return [(name, converter or "str") for converter, name in _PARAMETER.findall(self.path)]

    def convert(self, segments: dict[str, str]) -> dict[str, Any] | None:
        """The view's keyword arguments from the segments p0, p1, …; None where one is not of the declared type."""
        values = {}
        for index, (name, kind) in enumerate(self.parameters):
            text, converter = segments[f"p{index}"], get_converters()[kind]
            if has_control_characters(text):
                return None
            if kind == "uuid":
                text = text.lower()
            if not re.fullmatch(converter.regex, text):
                return None
            try:
                values[name] = converter.to_python(text)
            except ValueError:
                return None
        return values
