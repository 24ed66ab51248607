"""Tickets in Django admin. What services write is read-only here; configuration can be edited."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tickets import calendars
from tickets.models import (
    Attachment,
    Calendar,
    CannedReply,
    ClosedDay,
    Customer,
    Message,
    OpeningHours,
    Rating,
    Ticket,
    TicketEvent,
    Topic,
)


class ReadOnly:
    """Written by services only: an admin looks, and changes nothing."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin[Topic]):
    list_display = ("name", "key", "position", "priority", "calendar", "active")
    list_editable = ("position", "active")
    list_filter = ("active", "calendar")
    list_select_related = ("calendar",)
    search_fields = ("key", "name_en", "name_de")


class OpeningHoursInline(admin.TabularInline[OpeningHours, Calendar]):
    model = OpeningHours
    extra = 0


class ClosedDayInline(admin.TabularInline[ClosedDay, Calendar]):
    model = ClosedDay
    extra = 0


@admin.register(Calendar)
class CalendarAdmin(admin.ModelAdmin[Calendar]):
    """One without opening hours counts as always open, so that nothing waits for a day that never comes."""

    list_display = ("name", "time_zone", "week", "without_topic", "of_topics")
    search_fields = ("name",)
    inlines: ClassVar = [OpeningHoursInline, ClosedDayInline]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Calendar]:
        return super().get_queryset(request).annotate(of_topics=models.Count("topics"))

    @admin.display(description=_("opening hours"))
    def week(self, calendar: Calendar) -> str:
        hours = calendars.calendars().by_id.get(calendar.pk)
        rows = calendars.week_in_words(hours) if hours else []
        return " · ".join(f"{days} {times}" for days, times in rows) or str(_("always open"))

    @admin.display(description=_("topics"), ordering="of_topics")
    def of_topics(self, calendar: Any) -> int:
        return int(calendar.of_topics)


@admin.register(CannedReply)
class CannedReplyAdmin(admin.ModelAdmin[CannedReply]):
    list_display = ("title", "language", "topic", "active")
    list_editable = ("active",)
    list_filter = ("language", "topic", "active")
    list_select_related = ("topic",)
    search_fields = ("title", "body")


class TimelineInline(ReadOnly, admin.TabularInline[TicketEvent, Ticket]):
    model = TicketEvent
    fields = ("seq", "type", "data", "actor", "public", "created_at")
    readonly_fields = fields
    ordering = ("seq",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[TicketEvent]:
        return super().get_queryset(request).select_related("actor")


class MessageInline(ReadOnly, admin.TabularInline[Message, Ticket]):
    model = Message
    fields = ("seq", "author", "author_name", "body", "internal", "created_at")
    readonly_fields = fields
    ordering = ("seq",)
    extra = 0


class RatingInline(ReadOnly, admin.TabularInline[Rating, Ticket]):
    model = Rating
    fields = ("score", "solved", "comment", "created_at")
    readonly_fields = fields
    extra = 0


@admin.register(Ticket)
class TicketAdmin(ReadOnly, admin.ModelAdmin[Ticket]):
    list_display = (
        "number",
        "summary",
        "topic",
        "language",
        "state",
        "served_by",
        "created_at",
        "waiting_since",
    )
    list_filter = ("state", "topic", "language", "channel", ("flagged_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "=public_id", "summary")
    search_help_text = _("Number without S-, public id, or words of the summary")
    list_select_related = ("topic",)
    date_hierarchy = "created_at"
    inlines: ClassVar = [MessageInline, RatingInline, TimelineInline]
    exclude = ("intake_key", "intake_digest")

    @admin.display(description=_("number"), ordering="id")
    def number(self, ticket: Ticket) -> str:
        return ticket.number


@admin.register(Customer)
class CustomerAdmin(ReadOnly, admin.ModelAdmin[Customer]):
    list_display = ("name", "email", "language", "created_at")
    search_fields = ("name", "email")


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin[Message]):
    list_display = ("ticket", "seq", "author", "author_name", "internal", "created_at")
    list_filter = ("author", "internal")
    list_select_related = ("ticket",)
    search_fields = ("=ticket__id", "body")


@admin.register(Attachment)
class AttachmentAdmin(ReadOnly, admin.ModelAdmin[Attachment]):
    list_display = ("name", "content_type", "size", "message", "created_at")
    list_filter = ("content_type",)
    list_select_related = ("message",)
    fields = (
        "message",
        "name",
        "content_type",
        "size",
        "sha256",
        "created_at",
    )  # no link: files go by checked views


@admin.register(TicketEvent)
class TicketEventAdmin(ReadOnly, admin.ModelAdmin[TicketEvent]):
    list_display = ("ticket", "seq", "type", "actor", "public", "created_at")
    list_filter = ("type", "public")
    list_select_related = ("ticket", "actor")
    search_fields = ("=ticket__id",)
    exclude = ("key", "digest")


@admin.register(Rating)
class RatingAdmin(ReadOnly, admin.ModelAdmin[Rating]):
    list_display = ("ticket", "score", "solved", "comment", "created_at")
    list_filter = ("score", "solved")
    list_select_related = ("ticket",)
