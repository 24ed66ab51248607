"""The customers' doors in Django admin: the block list, and who asked for lost links."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from tickets import blocking, kept
from tickets.admin_readonly import ReadOnly
from tickets.models import Block, LinkRequest


class BlockForm(forms.ModelForm[Block]):
    class Meta:
        model = Block
        fields = ("kind", "value", "reason", "until")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        try:
            data["value"] = blocking.cleaned(data.get("kind", ""), data.get("value", ""))
        except ValidationError as error:
            self.add_error("value", error)
        else:
            self.instance.digest = blocking.digest_of(data["kind"], data["value"])
            if Block.objects.filter(kind=data["kind"], digest=self.instance.digest).exclude(
                pk=self.instance.pk
            ):
                self.add_error("value", blocking.ALREADY)
        return data


@admin.register(Block)
class BlockAdmin(admin.ModelAdmin[Block]):
    form = BlockForm
    list_display = ("__str__", "kind", "reason", "made_by", "made_at", "until", "hits", "hit_at")
    list_filter = ("kind",)
    list_select_related = ("made_by",)
    search_fields = ("value", "reason")
    readonly_fields = ("made_by", "made_at", "hits", "hit_at")
    saved_along = ("digest",)  # of kind and value, by the form

    def save_model(self, request: HttpRequest, obj: Block, form: Any, change: bool) -> None:
        if not change:
            assert request.user.is_authenticated
            obj.made_by = request.user
        super().save_model(request, obj, form, change)
        kept.forget("blocks")


@admin.register(LinkRequest)
class LinkRequestAdmin(ReadOnly, admin.ModelAdmin[LinkRequest]):
    list_display = ("__str__", "language", "asked_at", "sent_at")
    fields: ClassVar = ("language", "asked_at", "sent_at")
