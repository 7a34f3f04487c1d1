"""What comes in with the pages of dead letters, checked: filters of the list, and which letters an action means."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget

from projections.registry import PROJECTIONS
from projections.runtime.letterbox import DISCARDED, PARKED, Selection

TEXT = 1000  # characters of an id; the longest real ones have 120


def _names() -> list[tuple[str, str]]:
    return [(name, name) for name in PROJECTIONS]


class FilterForm(forms.Form):
    """All are optional; fingerprint and aggregate exclude each other."""

    projection = forms.ChoiceField(choices=lambda: [("", "all"), *_names()], required=False)
    state = forms.ChoiceField(choices=[("", PARKED), (DISCARDED, DISCARDED)], required=False)
    fingerprint = forms.CharField(max_length=TEXT, required=False)
    aggregate = forms.CharField(max_length=TEXT, required=False, help_text="type:id")

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("fingerprint") and self.cleaned_data.get("aggregate"):
            raise forms.ValidationError("Filter by fingerprint or by aggregate, not by both.")
        return self.cleaned_data

    @property
    def selection(self) -> Selection:
        """Of a valid form."""
        if self.cleaned_data["fingerprint"]:
            return Selection(fingerprint=self.cleaned_data["fingerprint"])
        if self.cleaned_data["aggregate"]:
            return Selection(aggregate=self.cleaned_data["aggregate"])
        return Selection(everything=True)

    @property
    def wanted_state(self) -> str:
        return self.cleaned_data["state"] or PARKED

    @property
    def names(self) -> list[str]:
        """The projections that are meant."""
        return [self.cleaned_data["projection"]] if self.cleaned_data["projection"] else list(PROJECTIONS)


class ActionForm(forms.Form):
    """Which letters of one projection: one letter, one aggregate or one fingerprint."""

    projection = forms.ChoiceField(choices=_names, widget=forms.HiddenInput)
    letter = forms.CharField(max_length=TEXT, required=False, widget=forms.HiddenInput)
    aggregate = forms.CharField(max_length=TEXT, required=False, widget=forms.HiddenInput)
    fingerprint = forms.CharField(max_length=TEXT, required=False, widget=forms.HiddenInput)
    canary = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        named = {name: self.cleaned_data.get(name) or None for name in ("letter", "aggregate", "fingerprint")}
        try:
            self.cleaned_data["selection"] = Selection(**named)
        except ValueError as error:
            raise forms.ValidationError("Name one letter, one aggregate or one fingerprint.") from error
        return self.cleaned_data


class DiscardForm(ActionForm):
    reason = forms.CharField(
        max_length=500,
        widget=AdminTextInputWidget,
        help_text="It is kept with the letters and in the list of requests.",
    )


class ResyncForm(forms.Form):
    projection = forms.ChoiceField(choices=_names, widget=forms.HiddenInput)
    aggregate = forms.CharField(max_length=TEXT, widget=forms.HiddenInput)
