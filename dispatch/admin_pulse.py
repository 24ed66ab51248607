"""Which kinds of processes were heard of when, in the admin."""

from django.contrib import admin

from dispatch.models import Pulse
from tickets.admin_readonly import ReadOnly


@admin.register(Pulse)
class PulseAdmin(ReadOnly, admin.ModelAdmin[Pulse]):
    list_display = ("kind", "heard_at")
    readonly_fields = ("heard_at",)
