"""GET categories and categories/{id or slug}: both from the cached tree."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from acme.errors import NotFound
from acme.http.parameters import refuse_parameters
from queries.api.answers.categories import category_detail, category_trees
from queries.api.base import QueryViewSet, answer, answer_document
from queries.api.schema import documented
from queries.api.serializers.catalog import CategoryDetail, CategoryTree


class Categories(QueryViewSet):
    read_models = ("categories",)
    permission_classes = [AllowAny]

    @documented(CategoryTree)
    def list(self, request: Request) -> HttpResponse:
        """The whole tree; siblings by name."""
        refuse_parameters(request)
        return answer({"results": category_trees(self.tree)})

    @documented(CategoryDetail, etag=True, problems=(404,))
    def retrieve(self, request: Request, id: str) -> HttpResponse:  # noqa: A002
        """One category with the way down to it and its children."""
        refuse_parameters(request)
        category = self.tree.find(id)
        if category is None:
            raise NotFound("There is no such category.")
        return answer_document(request, category.version, category_detail(category, self.tree))
