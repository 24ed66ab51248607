"""Forms of the team leads. They check shape; what is refused for its meaning, the services refuse."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.models import Pool
from dispatch.simulations import policy_choices
from dispatch.staffing import Case

SOURCES = [
    ("model", _("A model: so many people, so much load")),
    ("file", _("A file of arrivals")),
    ("day", _("A day of this installation")),
]
MOST_BYTES = 2_000_000


class SimulationForm(forms.Form):
    """What a simulation plays. `inputs()` is what dispatch.simulations.simulation_start takes."""

    source = forms.ChoiceField(
        label=_("What comes"), choices=SOURCES, initial="model", widget=forms.RadioSelect
    )
    people = forms.IntegerField(label=_("People online"), min_value=2, max_value=300, initial=60)
    load = forms.IntegerField(label=_("Load in percent"), min_value=20, max_value=130, initial=95)
    hours = forms.FloatField(label=_("Hours measured"), min_value=0.25, max_value=8, initial=1)
    handling_minutes = forms.FloatField(
        label=_("Minutes of work a ticket, on average"), min_value=0.5, max_value=120, initial=5
    )
    accept = forms.IntegerField(
        label=_("Percent of offers accepted"), min_value=10, max_value=100, initial=80
    )
    answer_seconds = forms.IntegerField(
        label=_("Seconds to answer an offer, on average"), min_value=0, max_value=60, initial=8
    )
    patience_minutes = forms.FloatField(
        label=_("Minutes that customers wait, on average"),
        help_text=_("Empty: nobody leaves."),
        min_value=0.5,
        max_value=600,
        required=False,
    )
    faster = forms.BooleanField(label=_("Skilled people are faster"), initial=True, required=False)
    file = forms.FileField(
        label=_("File of arrivals"),
        help_text=_(
            "CSV with a header: at (seconds, or date and time), and if you have them topic and handling (seconds)."
        ),
        required=False,
    )
    day = forms.DateField(
        label=_("Day"),
        help_text=_(
            "Its tickets, answers and patience, and its people for as long as they were online. Left out: preferred skills, "
            "people whom a customer knows, certificates that ended that day, further pools of a route."
        ),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    pool = forms.ModelChoiceField(
        label=_("Pool"), queryset=Pool.objects.all(), to_field_name="key", required=False
    )
    policies = forms.MultipleChoiceField(
        label=_("Who plays"),
        choices=policy_choices,
        initial=("assignment", "longest idle"),
        widget=forms.CheckboxSelectMultiple,
    )
    seeds = forms.IntegerField(
        label=_("Worlds"),
        help_text=_(
            "Each with other chance, the same for all who play. Five give a first idea, twenty narrow intervals."
        ),
        min_value=2,
        max_value=20,
        initial=5,
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        source = data.get("source")
        if source == "file":
            self._read_file(data)
        if source == "day":
            if not data.get("day"):
                self.add_error("day", _("Which day?"))
            elif data["day"] > timezone.localdate():
                self.add_error("day", _("This day is still to come."))
            if not data.get("pool"):
                self.add_error("pool", _("Which pool?"))
        return data

    def _read_file(self, data: dict[str, Any]) -> None:
        upload = data.get("file")
        if upload is None:
            if "file" not in self.errors:
                self.add_error("file", _("Which file?"))
        elif upload.size > MOST_BYTES:
            self.add_error("file", _("The file is too large: 2 MB at most."))
        else:
            try:
                data["arrivals"] = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", _("The file is not text in UTF-8."))

    def inputs(self) -> dict[str, Any]:
        """Plain values, of a valid form."""
        data = self.cleaned_data
        plain = {
            name: data[name]
            for name in (
                "source", "people", "load", "hours", "handling_minutes", "accept", "answer_seconds", "patience_minutes",
                "faster", "policies", "seeds",
            )
        }  # fmt: skip
        return plain | {
            "file_name": data["file"].name[:100] if data["file"] else "",
            "day": data["day"].isoformat() if data["day"] else "",
            "pool": data["pool"].key if data["pool"] else "",
        }


def given(query: Mapping[str, str]) -> dict[str, str]:
    """Of an address those numbers that the simulator's form begins with. What is wrong, the form says when it is sent."""
    names = ("people", "load", "hours", "handling_minutes", "accept", "answer_seconds", "patience_minutes")
    return {name: query[name][:12] for name in names if query.get(name)}


class WhatIfForm(forms.Form):
    """What would be needed if. Empty: as it is."""

    demand = forms.IntegerField(
        label=_("Demand, percent more or less"), min_value=-90, max_value=400, required=False
    )
    handling = forms.FloatField(
        label=_("Minutes of work a ticket, on average"), min_value=0.5, max_value=240, required=False
    )
    target = forms.IntegerField(
        label=_("Seconds within which somebody comes"), min_value=1, max_value=86_400, required=False
    )
    share = forms.IntegerField(
        label=_("For so many percent of tickets"), min_value=50, max_value=99, required=False
    )
    people = forms.IntegerField(label=_("People online"), min_value=0, max_value=2000, required=False)

    def case(self) -> Case:
        """Of a valid form."""
        data = self.cleaned_data
        return Case(
            demand_percent=data["demand"] or 0,
            handling_minutes=data["handling"],
            target_seconds=data["target"],
            share_percent=data["share"] or Case.share_percent,
            people=data["people"],
        )
