"""Pages of dead letters: the list with its groups, one letter whole, and what can be asked for them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from acme.ports import subject_keys
from projections.admin.forms import ActionForm, DiscardForm, FilterForm, ResyncForm
from projections.admin.letters import LetterList, behind, counted, readable
from projections.admin.pages import StorePages, may, page
from projections.models import DeadLetter, OperatorRequest
from projections.registry import PROJECTIONS
from projections.runtime.dry_run import dry_run
from projections.runtime.letterbox import DISCARDED, PARKED, Selection, Store, count_letters, get_letter, statistics
from projections.runtime.requests import Asked, Refused, ask_canary, ask_discard, ask_resync, ask_retry
from queries.documents.connection import live_generation

PER_PAGE = 50
TRIED = 500  # letters of a dry run
LIST = "admin:projections_deadletter_changelist"


@admin.register(DeadLetter)
class DeadLetterAdmin(StorePages):
    """Dead letters of the live generations."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.list_page), name="projections_deadletter_changelist"),
            path("do/retry/", view(self.retry_page), name="projections_deadletter_retry"),
            path("do/dry-run/", view(self.dry_run_page), name="projections_deadletter_dry_run"),
            path("do/discard/", view(self.discard_page), name="projections_deadletter_discard"),
            path("do/resync/", view(self.resync_page), name="projections_deadletter_resync"),
            path("<path:letter_id>/change/", view(self.one_page), name="projections_deadletter_change"),
        ]

    @page()
    def list_page(self, request: HttpRequest, store: Store) -> HttpResponse:
        form = FilterForm(request.GET)
        letters: Any = []
        groups: list[dict[str, Any]] = []
        if form.is_valid():
            found = statistics(store, form.names)
            letters = LetterList(store, counted(store, found, form), form.selection, form.wanted_state)
            groups = [group for group in found if _belongs(group, form)]
        paginator = Paginator(letters, PER_PAGE)
        current = paginator.get_page(request.GET.get("page"))
        return self.shown(
            request,
            "letters",
            title="Dead letters",
            form=form,
            groups=groups,
            current=current,
            pages=list(paginator.get_elided_page_range(current.number, on_each_side=2, on_ends=1)),
            discarded=form.is_valid() and form.wanted_state == DISCARDED,
            **_permissions(request),
        )

    @page()
    def one_page(self, request: HttpRequest, store: Store, letter_id: str) -> HttpResponse:
        key = unquote(letter_id)
        letter = get_letter(store, key)
        if letter is None or letter["projection"] not in PROJECTIONS:
            messages.warning(request, f"There is no dead letter {key[:200]}: it was retried, or never there.")
            return HttpResponseRedirect(reverse(LIST))
        name = letter["projection"]
        live = letter["generation"] == live_generation(name, fresh=True)
        waiting, later = behind(store, letter) if live else (0, [])
        data = readable(letter)
        return self.shown(
            request,
            "letter",
            title=f"{letter.get('event_type') or 'A record that is no event'} in {name}",
            letter=letter,
            data=json.dumps(data["shown"], indent=2, ensure_ascii=False) if letter["raw"] is None else None,
            subject=data["subject"],
            live=live,
            parked=letter["state"] == PARKED,
            waiting=waiting,
            later=later,
            scopes=_scopes(store, letter) if live and letter["state"] == PARKED else [],
            can_resync=live and letter["state"] == DISCARDED and bool(letter["aggregate"]),
            **_permissions(request),
        )

    @page(change="retry_deadletter", methods=("POST",))
    def retry_page(self, request: HttpRequest, store: Store) -> HttpResponse:
        form = ActionForm(request.POST)
        if not form.is_valid():
            return self._refused(request, form)
        name, selection = form.cleaned_data["projection"], form.cleaned_data["selection"]
        ask = ask_canary if form.cleaned_data["canary"] else ask_retry
        try:
            asked = ask(store, name, selection, by=request.user.get_username())
        except Refused as error:
            return self._not_asked(request, error, selection, name)
        first = "first letter of " if form.cleaned_data["canary"] else ""
        return self._asked(request, asked, f"Retry of {first}{selection} ({name})")

    @page(change="retry_deadletter")
    def dry_run_page(self, request: HttpRequest, store: Store) -> HttpResponse:
        """Tries a retry on copies in memory. Of the documents only ids are shown: what is in them may be personal."""
        form = ActionForm(request.GET)
        if not form.is_valid():
            return self._refused(request, form)
        name, selection = form.cleaned_data["projection"], form.cleaned_data["selection"]
        rows = dry_run(store, PROJECTIONS[name], subject_keys().unseal, selection, limit=TRIED)
        return self.shown(
            request,
            "dry_run",
            title=f"Dry run of a retry of {name}",
            what=str(selection),
            total=count_letters(store, name, selection),
            tried=len(rows),
            good=sum(row.ok for row in rows),
            bad=[row for row in rows if not row.ok][:PER_PAGE],
            documents=len({key for row in rows for key in row.changed}),
            projection=name,
            back_url=_back(selection, name),
        )

    @page(change="discard_deadletter", methods=("GET", "HEAD", "POST"))
    def discard_page(self, request: HttpRequest, store: Store) -> HttpResponse:
        named = ActionForm(request.GET if request.method != "POST" else request.POST)
        if not named.is_valid():
            return self._refused(request, named)
        name, selection = named.cleaned_data["projection"], named.cleaned_data["selection"]
        initial = {field: named.cleaned_data[field] for field in ("projection", "letter", "aggregate", "fingerprint")}
        form = DiscardForm(request.POST if request.method == "POST" else None, initial=initial)
        if not form.is_valid():
            return self._confirm_discard(request, form, count_letters(store, name, selection), selection, name)
        reason = form.cleaned_data["reason"]
        try:
            asked = ask_discard(store, name, selection, by=request.user.get_username(), reason=reason)
        except Refused as error:
            return self._not_asked(request, error, selection, name)
        return self._asked(request, asked, f"Discard of {selection} ({name}): {reason}")

    @page(change="retry_deadletter", methods=("POST",))
    def resync_page(self, request: HttpRequest, store: Store) -> HttpResponse:
        form = ResyncForm(request.POST)
        if not form.is_valid():
            return self._refused(request, form)
        name, aggregate = form.cleaned_data["projection"], form.cleaned_data["aggregate"]
        try:
            asked = ask_resync(store, PROJECTIONS[name], aggregate, by=request.user.get_username())
        except Refused as error:
            return self._not_asked(request, error, Selection(aggregate=aggregate), name)
        return self._asked(request, asked, f"Resync of {aggregate} ({name})")

    def _confirm_discard(
        self, request: HttpRequest, form: forms.Form, letters: int, selection: Selection, name: str
    ) -> HttpResponse:
        return self.shown(
            request,
            "confirm",
            title=f"Discard {letters} dead letter{'' if letters == 1 else 's'} of {name}",
            button="Discard",
            destructive=True,
            form=form,
            what=str(selection),
            description="The events are passed over for good. Each aggregate goes on without them and is marked as "
            "gapped: what it shows may be wrong until it is resynced.",
            back_url=_back(selection, name),
        )

    def _asked(self, request: HttpRequest, asked: Asked, words: str) -> HttpResponse:
        self.note(request, OperatorRequest(id=asked.id, words=words[:200]), f"{words}: {asked.total} in all.")
        address = reverse("admin:projections_operatorrequest_change", args=[quote(asked.id)])
        return HttpResponseRedirect(f"{address}?follow=1")

    def _not_asked(self, request: HttpRequest, error: Refused, selection: Selection, name: str) -> HttpResponse:
        messages.error(request, f"Not done: {error}.")
        return HttpResponseRedirect(_back(selection, name))

    def _refused(self, request: HttpRequest, form: forms.Form) -> HttpResponse:
        """Nothing that a page of ours sends."""
        said = " ".join(text for texts in form.errors.values() for text in texts)
        messages.error(request, f"Not done: {said}")
        return HttpResponseRedirect(reverse(LIST))


def _belongs(group: dict[str, Any], form: FilterForm) -> bool:
    wanted = form.cleaned_data["fingerprint"]
    count = group["discarded"] if form.wanted_state == DISCARDED else group["letters"]
    return count > 0 and wanted in {"", group["fingerprint"]}


def _permissions(request: HttpRequest) -> dict[str, bool]:
    return {"may_retry": may(request, "retry_deadletter"), "may_discard": may(request, "discard_deadletter")}


def _scopes(store: Store, letter: dict[str, Any]) -> list[dict[str, Any]]:
    """What an action on this letter can mean: label, how many letters, and the form's values."""
    name, found = letter["projection"], []
    if not letter["held"]:
        found.append({"label": "this letter", "count_text": "1", "field": "letter", "value": letter["id"]})
    for field in ("aggregate", "fingerprint"):
        value = letter[field]
        if value:
            count = count_letters(store, name, Selection(**{field: value}))
            found.append({"label": f"its {field}", "count_text": str(count), "field": field, "value": value})
    return found


def _back(selection: Selection, name: str) -> str:
    """The page that an action came from."""
    if selection.letter:
        return reverse("admin:projections_deadletter_change", args=[quote(selection.letter)])
    field = "aggregate" if selection.aggregate else "fingerprint"
    return f"{reverse(LIST)}?{urlencode({'projection': name, field: getattr(selection, field)})}"
