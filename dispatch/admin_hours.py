"""Needed hours in Django admin: the plain table that agents book from."""

from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agents.admin_parts import LabelledDateTime
from dispatch.models import Booking, NeededHour
from tickets.admin_readonly import ReadOnly


class NeededHourForm(forms.ModelForm[NeededHour]):
    def clean_begins_at(self) -> Any:
        begins = self.cleaned_data["begins_at"]
        if begins.minute or begins.second or begins.microsecond:
            raise forms.ValidationError(_("Hours begin on the full hour."))
        return begins

    def clean_seats(self) -> int:
        """Nobody's seat is taken away."""
        seats: int = self.cleaned_data["seats"]
        if seats < self.instance.taken:
            raise forms.ValidationError(_("More people have booked this hour. Nobody’s seat is taken away."))
        return seats


class BookingInline(ReadOnly, admin.TabularInline[Booking, NeededHour]):
    model = Booking
    fields = ("agent", "booked_at", "ended_at", "missed")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        return super().get_queryset(request).select_related("agent")


@admin.register(NeededHour)
class NeededHourAdmin(admin.ModelAdmin[NeededHour]):
    """The number of people is edited in the list itself. Times are those of the house (TIME_ZONE)."""

    form = NeededHourForm
    formfield_overrides: ClassVar = {DateTimeField: {"widget": LabelledDateTime}}
    list_display = ("begins_at", "pool", "seats", "taken")
    list_editable = ("seats",)
    list_filter = ("pool",)
    list_select_related = ("pool",)
    date_hierarchy = "begins_at"
    ordering = ("begins_at", "pool")
    actions = ("again_next_week",)
    inlines = (BookingInline,)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{"form": NeededHourForm} | kwargs)

    def save_model(self, request: HttpRequest, obj: NeededHour, form: Any, change: bool) -> None:
        """Of a row that is there only the seats, and not below what has been booked since: `taken` moves all the time."""
        if not change:
            super().save_model(request, obj, form, change)
        elif not NeededHour.objects.filter(pk=obj.pk, taken__lte=obj.seats).update(seats=obj.seats):
            text = _("More people have booked this hour. Nobody’s seat is taken away.")
            self.message_user(request, text, messages.ERROR)

    def get_readonly_fields(self, request: HttpRequest, obj: NeededHour | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """Where and when it is stays as it was booked."""
        return ("pool", "begins_at", "taken") if obj else ()

    @admin.action(description=_("The same a week later"), permissions=["add"])
    def again_next_week(self, request: HttpRequest, hours: QuerySet[NeededHour]) -> None:
        """By the house's clock, also over a change of it. What is there already stays as it is."""
        house = ZoneInfo(settings.TIME_ZONE)
        fresh = [
            NeededHour(
                pool_id=hour.pool_id,
                begins_at=hour.begins_at.astimezone(house) + timedelta(days=7),
                seats=hour.seats,
            )
            for hour in hours
        ]
        before = NeededHour.objects.count()
        NeededHour.objects.bulk_create(fresh, ignore_conflicts=True)
        made = NeededHour.objects.count() - before
        self.message_user(
            request, ngettext("%d hour was made.", "%d hours were made.", made) % made, messages.SUCCESS
        )
