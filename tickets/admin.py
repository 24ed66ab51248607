"""Tickets in Django admin. What services write is read-only here; configuration can be edited.

What is personal of customers is masked; who has the right has it shown on the team leads' page (ADR 23).
"""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from tickets import admin_assistant, admin_doors, admin_triage, calendars, masking
from tickets.admin_finding import EventTypeFilter, LanguageFilter, find
from tickets.admin_readonly import ReadOnly
from tickets.assistant import measures
from tickets.attachments import FileNotScanned
from tickets.inbox import taking
from tickets.models import (
    Attachment,
    Author,
    AwayMail,
    Calendar,
    CannedReply,
    ClosedDay,
    Customer,
    MailIn,
    Message,
    OpeningHours,
    Outcome,
    Rating,
    Ticket,
    TicketEvent,
    Topic,
)
from tickets.redacting import redacted

assert admin_assistant  # importing it registers its pages
assert admin_doors
assert admin_triage  # importing it registers its pages


def _said(text: str, ticket: Ticket) -> str:
    """Whoever reads the row has read ticket and customer too."""
    return masking.mask(text, masking.surnames(ticket.customer.name)).text


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin[Topic]):
    list_display = (
        "name",
        "key",
        "position",
        "priority",
        "calendar",
        "assistant",
        "assistant_paused_at",
        "active",
    )
    list_editable = ("position", "active")
    list_filter = ("active", "assistant", "calendar")
    list_select_related = ("calendar",)
    search_fields = ("key", "name_en", "name_de")
    readonly_fields = ("assistant_since", "assistant_paused_at")
    actions = ("assistant_resume",)

    @admin.action(description=_("Let a paused assistant go on"), permissions=["change"])
    def assistant_resume(self, request: HttpRequest, chosen: models.QuerySet[Topic]) -> None:
        done = measures.resume(chosen.values_list("pk", flat=True))
        self.message_user(
            request,
            ngettext("It goes on in %(count)d topic.", "It goes on in %(count)d topics.", done)
            % {"count": done},
        )


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


def _writer(message: Message) -> str:
    name = message.author_name
    return masking.mask_name(name).text if message.author == Author.CUSTOMER else name


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
    fields = ("seq", "author", "writer", "said", "internal", "created_at")
    readonly_fields = fields
    ordering = ("seq",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Message]:
        return super().get_queryset(request).select_related("ticket__customer")

    @admin.display(description=_("name"))
    def writer(self, message: Message) -> str:
        return _writer(message)

    @admin.display(description=_("text"))
    def said(self, message: Message) -> str:
        return _said(message.body, message.ticket)


class RatingInline(ReadOnly, admin.TabularInline[Rating, Ticket]):
    model = Rating
    fields = ("score", "solved", "said", "created_at")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Rating]:
        return super().get_queryset(request).select_related("ticket__customer")

    @admin.display(description=_("comment"))
    def said(self, rating: Rating) -> str:
        return _said(rating.comment, rating.ticket)


@admin.register(Ticket)
class TicketAdmin(ReadOnly, admin.ModelAdmin[Ticket]):
    list_display = (
        "number",
        "about",
        "topic",
        "language",
        "state",
        "served_by",
        "created_at",
        "waiting_since",
    )
    # A date hierarchy would walk through all tickets, twice, for each page; so would the values of a text.
    list_filter = (
        "state",
        "topic",
        LanguageFilter,
        "channel",
        ("created_at", admin.DateFieldListFilter),
        ("flagged_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("public_id",)  # that there is a search; what it finds is get_search_results()
    search_help_text = _(
        "Number, public id, a customer’s whole address, or words of the summaries of the newest 20,000"
    )
    list_select_related = ("topic", "customer")
    list_per_page = 50
    sortable_by = ("number", "created_at", "waiting_since")
    inlines: ClassVar = [MessageInline, RatingInline, TimelineInline]
    exclude = ("intake_key", "intake_digest", "summary")
    readonly_fields = ("about", "personal_data")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Ticket]:
        return super().get_queryset(request).filter(Ticket.REAL)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002  Django's signature
        queryset: models.QuerySet[Ticket],
        search_term: str,
    ) -> tuple[models.QuerySet[Ticket], bool]:
        return find(queryset, search_term), False

    @admin.display(description=_("summary"))
    def about(self, ticket: Ticket) -> str:
        return _said(ticket.summary, ticket)

    @admin.display(description=_("personal data"))
    def personal_data(self, ticket: Ticket) -> str:
        # A page of the room above, so by its name only; it asks for its own right.
        return format_html(
            '<a href="{}">{}</a>', reverse("lead_personal", args=[ticket.public_id]), _("Show, for a reason")
        )

    @admin.display(description=_("number"), ordering="id")
    def number(self, ticket: Ticket) -> str:
        return ticket.number


@admin.register(Customer)
class CustomerAdmin(ReadOnly, admin.ModelAdmin[Customer]):
    list_display = ("masked_name", "masked_email", "language", "created_at")
    search_fields = ("=name", "=email")  # whole ones: parts would tell what is masked
    exclude = ("name", "email")
    readonly_fields = ("masked_name", "masked_email")

    @admin.display(description=_("name"), empty_value="-")
    def masked_name(self, customer: Customer) -> str:
        return masking.mask_name(customer.name).text

    @admin.display(description=_("e-mail"))
    def masked_email(self, customer: Customer) -> str:
        return masking.mask_email(customer.email).text

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Customer]:
        played = Ticket.objects.filter(~Ticket.REAL, customer=models.OuterRef("pk"))
        return super().get_queryset(request).filter(~models.Exists(played))


@admin.register(AwayMail)
class AwayMailAdmin(ReadOnly, admin.ModelAdmin[AwayMail]):
    list_display = ("ticket", "after", "up_to", "made_at", "tries", "sent_at", "failed_at")
    list_filter: ClassVar = [
        ("sent_at", admin.EmptyFieldListFilter),
        ("failed_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ("ticket",)
    search_fields = ("=ticket__id",)


@admin.register(MailIn)
class MailInAdmin(ReadOnly, admin.ModelAdmin[MailIn]):
    """What is held is let in or dropped here; mails that failed lie in the mailbox, flagged."""

    list_display = (
        "masked_sender",
        "masked_subject",
        "received_at",
        "outcome",
        "reason",
        "ticket",
        "settled_at",
    )
    list_filter: ClassVar = ["outcome", ("settled_at", admin.EmptyFieldListFilter)]
    list_select_related = ("ticket__customer",)
    search_fields = ("=sender", "=ticket__id")  # whole addresses: parts would tell what is masked
    exclude = ("left_out",)  # names of files
    readonly_fields = ("masked_sender", "masked_subject")
    actions = ("let_in", "drop")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[MailIn]:
        return super().get_queryset(request).defer("raw")

    @admin.display(description=pgettext_lazy("mail", "from"), empty_value="-")
    def masked_sender(self, mail: MailIn) -> str:
        return masking.mask_email(mail.sender).text

    @admin.display(description=_("subject"))
    def masked_subject(self, mail: MailIn) -> str:
        subject = redacted(mail.subject).text  # kept as it came, unlike a ticket's words
        return _said(subject, mail.ticket) if mail.ticket else masking.mask(subject).text

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tickets.change_mailin")

    @admin.action(description=_("Let in what is held"), permissions=["decide"])
    def let_in(self, request: HttpRequest, rows: models.QuerySet[MailIn]) -> None:
        held = rows.filter(outcome=Outcome.HELD, settled_at__isnull=True, raw__isnull=False)
        for mail_id in held.values_list("pk", flat=True):
            try:
                taking.mail_let_in(mail_id=mail_id)
            except FileNotScanned as refusal:  # it stays held, and so do those after it
                self.message_user(request, str(refusal.detail), messages.ERROR)
                return

    @admin.action(description=_("Seen; drop what is held"), permissions=["decide"])
    def drop(self, request: HttpRequest, rows: models.QuerySet[MailIn]) -> None:  # noqa: ARG002  Django's signature
        for mail_id in rows.values_list("pk", flat=True):
            taking.mail_drop(mail_id=mail_id)

    drop.asks = _("Drop these mails? What is held of them is deleted.")  # type: ignore[attr-defined]  # dispatch/backoffice/guard.py


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin[Message]):
    list_display = ("ticket", "seq", "author", "writer", "internal", "created_at")
    list_filter = ("author", "internal")
    ordering = ("-id",)
    list_select_related = ("ticket__customer",)
    search_fields = ("=ticket__id",)
    exclude = ("author_name", "body")
    readonly_fields = ("writer", "said")

    @admin.display(description=_("name"))
    def writer(self, message: Message) -> str:
        return _writer(message)

    @admin.display(description=_("text"))
    def said(self, message: Message) -> str:
        return _said(message.body, message.ticket)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnly, admin.ModelAdmin[Attachment]):
    list_display = ("__str__", "content_type", "size", "message", "created_at")
    list_select_related = ("message",)
    fields = (
        "message",
        "masked_name",
        "content_type",
        "size",
        "sha256",
        "created_at",
    )  # no link: files go by checked views
    readonly_fields = ("masked_name",)

    @admin.display(description=_("name"))
    def masked_name(self, attachment: Attachment) -> str:
        return str(attachment)


@admin.register(TicketEvent)
class TicketEventAdmin(ReadOnly, admin.ModelAdmin[TicketEvent]):
    list_display = ("ticket", "seq", "type", "actor", "public", "created_at")
    list_filter = (EventTypeFilter, "public")
    ordering = ("-id",)
    list_select_related = ("ticket", "actor")
    search_fields = ("=ticket__id",)
    exclude = ("key", "digest")


@admin.register(Rating)
class RatingAdmin(ReadOnly, admin.ModelAdmin[Rating]):
    list_display = ("ticket", "score", "solved", "said", "created_at")
    list_filter = ("score", "solved")
    list_select_related = ("ticket__customer",)
    exclude = ("comment",)
    readonly_fields = ("said",)

    @admin.display(description=_("comment"))
    def said(self, rating: Rating) -> str:
        return _said(rating.comment, rating.ticket)
