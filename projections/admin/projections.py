"""Pages of projections: how all of them stand, one of them with its last hour, pause and resume."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.widgets import AdminTextInputWidget
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from projections.admin.chart import line_chart
from projections.admin.pages import StorePages, may, page
from projections.admin.state import overview
from projections.history.samples import Sample, read_samples
from projections.models import Projection
from projections.registry import PROJECTIONS
from projections.runtime.control import NotDone, pause, resume
from projections.runtime.letterbox import Store, statistics

HOUR = timedelta(hours=1)


class PauseForm(forms.Form):
    reason = forms.CharField(
        max_length=200, widget=AdminTextInputWidget, help_text="The others see it beside your name."
    )


@admin.register(Projection)
class ProjectionAdmin(StorePages):
    """All declared projections."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.list_page), name="projections_projection_changelist"),
            path("<path:name>/pause/", view(self.pause_page), name="projections_projection_pause"),
            path("<path:name>/resume/", view(self.resume_page), name="projections_projection_resume"),
            path("<path:name>/change/", view(self.one_page), name="projections_projection_change"),
        ]

    @page()
    def list_page(self, request: HttpRequest, store: Store) -> HttpResponse:
        rows = overview(store, PROJECTIONS)
        return self.shown(request, "projections", title="Projections", rows=rows)

    @page()
    def one_page(self, request: HttpRequest, store: Store, name: str) -> HttpResponse:
        name = _known(name)
        end = timezone.now()
        samples = read_samples(store, name, end - HOUR)
        return self.shown(
            request,
            "projection",
            title=name,
            row=overview(store, [name])[0],
            charts=charts(samples, end),
            samples=len(samples),
            groups=[group for group in statistics(store, [name]) if group["letters"]],
            may_control=may(request, "control_projection"),
        )

    @page(change="control_projection", methods=("GET", "HEAD", "POST"))
    def pause_page(self, request: HttpRequest, store: Store, name: str) -> HttpResponse:
        name = _known(name)
        form = PauseForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self.shown(
                request,
                "confirm",
                title=f"Pause {name}",
                button="Pause",
                form=form,
                description="Its workers finish their batch and apply nothing more, wherever they run, until somebody "
                "resumes it. Nothing is lost: they go on where they stopped.",
                back_url=_address(name),
            )
        reason = form.cleaned_data["reason"]
        try:
            before = pause(store, name, by=request.user.get_username(), reason=reason)
        except NotDone as error:
            messages.error(request, str(error))
        else:
            if before is not None:
                since = f"{before['at']:%Y-%m-%d %H:%M} UTC"
                messages.warning(request, f"{name} is paused already, by {before.get('by')} since {since}.")
                return HttpResponseRedirect(_address(name))
            self.note(request, Projection(name=name), f"Paused: {reason}")
            messages.success(request, f"{name} is paused.")
        return HttpResponseRedirect(_address(name))

    @page(change="control_projection", methods=("POST",))
    def resume_page(self, request: HttpRequest, store: Store, name: str) -> HttpResponse:
        name = _known(name)
        try:
            resume(store, name)
        except NotDone as error:
            messages.error(request, str(error))
        else:
            self.note(request, Projection(name=name), "Resumed.")
            messages.success(request, f"{name} goes on.")
        return HttpResponseRedirect(_address(name))


def charts(samples: list[Sample], end: datetime) -> list[tuple[str, SafeString]]:
    """Heading and picture of each."""
    begin = end - HOUR
    lag = [(sample.at, sample.seconds) for sample in samples]
    waiting = [(sample.at, None if sample.waiting is None else float(sample.waiting)) for sample in samples]
    return [
        ("Lag", line_chart(lag, label="Lag", unit="seconds", begin=begin, end=end)),
        ("Events waiting", line_chart(waiting, label="Events waiting", unit="events", begin=begin, end=end)),
    ]


def _known(name: str) -> str:
    found = unquote(name)
    if found not in PROJECTIONS:
        raise Http404(f"there is no projection {found}")
    return found


def _address(name: str) -> str:
    return reverse("admin:projections_projection_change", args=[quote(name)])
