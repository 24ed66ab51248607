"""Shapes of the agents' API."""

from datetime import UTC
from typing import Any

from rest_framework import serializers

from agents.models import EntryKind, LedgerEntry, Payout, PayoutStage

Fields = serializers.Serializer[Any]


class TokenInput(Fields):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, style={"input_type": "password"})


class TokenData(Fields):
    token = serializers.CharField(help_text="Goes into “Authorization: Token <token>”.")


class SkillData(Fields):
    key = serializers.CharField()
    name = serializers.CharField(help_text="In the language of Accept-Language.")
    level = serializers.IntegerField(min_value=1, max_value=5)
    certified_until = serializers.DateField(
        allow_null=True, help_text="Last day on which the certificate is valid; null when there is none."
    )


class MeData(Fields):
    id = serializers.IntegerField()
    name = serializers.CharField(help_text="As customers see it.")
    email = serializers.EmailField()
    languages = serializers.ListField(child=serializers.CharField())
    skills = SkillData(many=True)
    pools = serializers.ListField(child=serializers.CharField())
    auto_accept = serializers.BooleanField(help_text="Whether fitting tickets are accepted for them at once.")
    stream = serializers.CharField(help_text="Name of the agent's own stream on the socket.")


class EarningData(serializers.ModelSerializer[LedgerEntry]):
    """A line of the ledger."""

    at = serializers.DateTimeField(source="created_at", default_timezone=UTC, read_only=True)
    kind = serializers.ChoiceField(choices=EntryKind.choices, read_only=True)

    class Meta:
        model = LedgerEntry
        fields = ("at", "kind", "amount_cents", "currency", "reference", "memo")
        read_only_fields = fields


class StandingData(Fields):
    currency = serializers.CharField()
    pending_cents = serializers.IntegerField(help_text="Owed: the sum of all lines.")
    paid_cents = serializers.IntegerField(help_text="Paid out, less what banks returned.")


class StandingAnswer(Fields):
    sums = StandingData(many=True)


class PayoutData(serializers.ModelSerializer[Payout]):
    """Money on its way to the agent's bank, or there."""

    at = serializers.DateTimeField(source="run.approved_at", default_timezone=UTC, read_only=True)
    currency = serializers.CharField(source="run.currency", read_only=True)
    account = serializers.CharField(source="hint", read_only=True, help_text="The IBAN, masked.")
    state = serializers.ChoiceField(source="stage", choices=PayoutStage.choices, read_only=True)

    class Meta:
        model = Payout
        fields = ("id", "number", "at", "amount_cents", "currency", "holder", "account", "state", "reason")
        read_only_fields = fields
