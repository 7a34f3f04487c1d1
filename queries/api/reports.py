"""GET reports/sales and reports/best-sellers, for the staff."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from acme.http.parameters import ChoiceParameter, IntegerParameter
from queries.api.base import QueryViewSet, answer
from queries.api.pagination import MAX_LIMIT
from queries.api.parameters import RangeParameters
from queries.api.permissions import IsStaff
from queries.api.problems import parameter_invalid
from queries.api.schema import documented
from queries.api.serializers.staff import BestSellers, SalesReport
from queries.documents.connection import live_collection
from queries.documents.sales import SalesDayDocument
from queries.reports.best_sellers import MEASURES, BestSellersQuestion, best_sellers
from queries.reports.sales import DIMENSIONS, INTERVALS, ReportTooLarge, SalesQuestion, sales_report


class SalesParameters(RangeParameters):
    interval = ChoiceParameter(INTERVALS, required=False, default="day", help_text="Weeks begin on Monday.")
    by = ChoiceParameter(tuple(DIMENSIONS), required=False, default="none")


class BestSellersParameters(RangeParameters):
    by = ChoiceParameter(MEASURES, required=False, default="units")
    limit = IntegerParameter(required=False, min_value=1, max_value=MAX_LIMIT, default=10)


class Sales(QueryViewSet):
    read_models = (SalesDayDocument.projection, "categories")
    permission_classes = [IsStaff]

    @documented(SalesReport, parameters=SalesParameters, problems=(401, 403), operation_id="reports_sales")
    def report(self, request: Request) -> HttpResponse:
        """Sales and returns of a range of days, by interval and dimension; for the staff.

        `totals.orders` counts every order once, also where it contains several keys.
        """
        parameters = SalesParameters.read(request)
        question = SalesQuestion(
            first=parameters["from"],
            last=parameters["to"],
            interval=parameters["interval"],
            by=parameters["by"],
            currency=parameters["currency"],
        )
        key_of = self._category_slug if question.by == "category" else str
        try:
            report = sales_report(question, live_collection(SalesDayDocument.projection), key_of)
        except ReportTooLarge as error:
            raise parameter_invalid("interval", f"Choose a longer interval or fewer days: {error}.") from error
        return answer({**report, "as_of": self.known_as_of})

    def _category_slug(self, category_id: str) -> str:
        """What is not in the tree (yet), UNCATEGORISED included, stays as it is."""
        category = self.tree.by_id.get(category_id)
        return category.slug if category else category_id


class BestSelling(QueryViewSet):
    read_models = (SalesDayDocument.projection, "products")
    permission_classes = [IsStaff]

    @documented(BestSellers, parameters=BestSellersParameters, problems=(401, 403), operation_id="reports_best_sellers")
    def report(self, request: Request) -> HttpResponse:
        """The products that sold best in a range of days; for the staff. Returns are shown beside, not taken off."""
        parameters = BestSellersParameters.read(request)
        question = BestSellersQuestion(
            first=parameters["from"],
            last=parameters["to"],
            by=parameters["by"],
            limit=parameters["limit"],
            currency=parameters["currency"],
        )
        report: dict[str, Any] = best_sellers(question, live_collection(SalesDayDocument.projection))
        return answer({**report, "as_of": self.known_as_of})
