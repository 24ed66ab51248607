"""Shapes of the API of shifts, offers and the desk. Outputs come as data from dispatch/cards.py and are only shown."""

from rest_framework import serializers

from agents.models import ShiftState
from dispatch.models import DraftKind, OfferState, RevealReason
from tickets.models import MISUSE_CHOICES, TicketState
from tickets.serializers import Fields, TicketData
from tickets.wire import Text, Whole, Written, YesNo

EPOCH_HELP = "That of the agent's shift: what a shift that is over says is refused."
OPEN_SHIFT = [choice for choice in ShiftState.choices if choice[0] != ShiftState.ENDED]

# --- In ---------------------------------------------------------------------------------------------------------------


class EpochInput(Fields):
    epoch = Whole(help_text=EPOCH_HELP)


class ReasonInput(EpochInput):
    reason = Text(required=False, default="", help_text="40 characters are kept.")


class AutoAcceptInput(Fields):
    auto_accept = YesNo()


class TransferInput(EpochInput):
    note = Text(required=False, default="", help_text="What was done and what is needed; must not be empty.")
    pool = Whole(
        required=False, default=None, allow_null=True, help_text="Its number, from /desk/{id}/targets."
    )
    to_agent = Whole(
        required=False, default=None, allow_null=True, help_text="A colleague's number, likewise."
    )


class EscalateInput(EpochInput):
    reason = Text(required=False, default="", help_text="Must not be empty; it becomes a note.")


class SnoozeInput(EpochInput):
    until = serializers.DateTimeField(
        help_text="With its offset from UTC. How far away it may be, the route says."
    )
    seen = Whole(
        required=False,
        default=None,
        allow_null=True,
        help_text="Number of the last event that was read; refused when the customer has written since.",
    )


class SnoozedAnswer(Fields):
    state = serializers.ChoiceField(choices=TicketState.choices)
    wakes_at = serializers.DateTimeField(allow_null=True)


class EndInput(EpochInput):
    kind = serializers.ChoiceField(choices=MISUSE_CHOICES)
    note = Text(required=False, default="", help_text="For team leads; the customer never sees it.")


class MergeInput(EpochInput):
    ticket = Text(help_text="Id of the other ticket, which is closed and goes on as this one.")


class DuplicateData(Fields):
    id = serializers.CharField()
    number = serializers.CharField()
    topic = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=TicketState.choices)
    created_at = serializers.DateTimeField()
    summary = serializers.CharField(help_text="Personal data in it is masked.")


class MergedAnswer(Fields):
    merged = serializers.CharField(help_text="Id of the ticket that was closed.")
    into = serializers.CharField()


class RevealInput(EpochInput):
    place = Text(help_text="“name”, “email”, or “message-” and the number of a message that has `masked`.")
    reason = Text(help_text=", ".join(f"“{value}”" for value in RevealReason.values))
    words = Text(required=False, default="", help_text="Needed with “other”; 200 characters are kept.")


class KeysShape(Fields):
    keys = serializers.DictField(child=serializers.CharField(allow_blank=True, max_length=8))


class DraftInput(Fields):
    kind = serializers.ChoiceField(choices=DraftKind.choices)
    body = Text(required=False, default="")


class WriteInput(EpochInput):
    body = Written()


class WriteFormInput(EpochInput):
    body = Text(required=False, default="")
    files = serializers.ListField(child=serializers.FileField(), required=False, max_length=5)


class ReplyInput(WriteInput):
    then_resolve = YesNo(required=False, default=False)


class ReplyFormInput(WriteFormInput):
    then_resolve = serializers.BooleanField(required=False, default=False)


# --- Out --------------------------------------------------------------------------------------------------------------


class ShiftData(Fields):
    epoch = serializers.IntegerField()
    state = serializers.ChoiceField(choices=OPEN_SHIFT)
    reason = serializers.CharField(allow_blank=True)
    lost = serializers.BooleanField(help_text="No beat came in time; grace time runs.")
    units = serializers.IntegerField(help_text="Capacity, in units of attention.")
    units_taken = serializers.IntegerField()


class ShiftAnswer(Fields):
    shift = ShiftData(allow_null=True, help_text="null: offline.")


class AutoAcceptAnswer(Fields):
    auto_accept = serializers.BooleanField()


class NeedData(Fields):
    name = serializers.CharField()
    level = serializers.IntegerField(
        help_text="least level, at the step of the route that the wait had reached"
    )
    certificate = serializers.BooleanField(help_text="whether a valid certificate is asked for too")


class CardData(Fields):
    """An offer as the agent sees it; the same as `data` of the event offer.made."""

    offer = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    seconds_left = serializers.FloatField(help_text="By the server's clock, at this look.")
    pay_cents = serializers.IntegerField(help_text="For resolving it.")
    surge_cents = serializers.IntegerField(help_text="On top, because many wait.")
    bonus_cents = serializers.IntegerField(
        help_text="On top, when the customer rates it `bonus_score` or better."
    )
    bonus_score = serializers.IntegerField(min_value=1, max_value=5)
    waiting_cents = serializers.IntegerField(
        help_text="For each minute from the agent's message to the customer's answer, if one comes, or to their closing it."
    )
    waiting_minutes = serializers.IntegerField(help_text="That are paid so at most.")
    release_percent = serializers.IntegerField(
        help_text="Of pay and surge, when somebody else goes on with it after you have written;"
        " taken off again if you complete it later."
    )
    currency = serializers.CharField()
    topic = serializers.CharField(allow_null=True)
    topic_name = serializers.CharField(allow_blank=True)
    skills = NeedData(many=True)
    language = serializers.CharField()
    expected_minutes = serializers.IntegerField()
    waiting_since = serializers.DateTimeField()
    summary = serializers.CharField()
    handover = serializers.CharField(
        allow_blank=True,
        help_text="Why the assistant handed it over, in words; empty when it did not have it.",
    )
    why = serializers.ListField(child=serializers.CharField())
    next_up = serializers.BooleanField(
        help_text="Offered during a wrap-up: accepting ends as much of it as the ticket needs room."
    )


class CardsAnswer(Fields):
    offers = CardData(many=True)


class OfferData(CardData):
    state = serializers.ChoiceField(choices=OfferState.choices)


class AcceptedAnswer(Fields):
    offer = serializers.IntegerField()
    state = serializers.CharField(help_text="accepted")
    ticket = serializers.CharField(help_text="Its id, for /desk/{id}.")


class DeclinedAnswer(Fields):
    offer = serializers.IntegerField()
    state = serializers.CharField(help_text="declined")


class WrapUpData(Fields):
    offer = serializers.IntegerField()
    ticket = serializers.CharField(help_text="Its id, for /desk/{id}/note and /desk/{id}/done.")
    until = serializers.DateTimeField()
    seconds_left = serializers.FloatField(help_text="By the server's clock, at this look.")


class WrapUpAnswer(Fields):
    wrap_ups = WrapUpData(many=True, help_text="Those that still run.")


class DeskAnswer(Fields):
    tickets = TicketData(many=True)
    wrap_ups = WrapUpData(many=True)


class PoolTargetData(Fields):
    pool = serializers.IntegerField()
    name = serializers.CharField()
    able = serializers.IntegerField(help_text="How many of its people are online and could take the ticket.")


class ColleagueData(Fields):
    agent = serializers.IntegerField()
    name = serializers.CharField()


class TargetsAnswer(Fields):
    pools = PoolTargetData(many=True)
    colleagues = ColleagueData(many=True)


class DraftNumber(Fields):
    number = serializers.IntegerField(help_text="Rises with each save, on whatever device.")


class DraftData(DraftNumber):
    body = serializers.CharField(allow_blank=True)


class DraftsAnswer(Fields):
    message = DraftData(allow_null=True)
    note = DraftData(allow_null=True)


class CannedData(Fields):
    title = serializers.CharField()
    text = serializers.CharField()


class CannedAnswer(Fields):
    replies = CannedData(many=True)


class RevealAnswer(Fields):
    place = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField(allow_blank=True)
    files = serializers.DictField(
        child=serializers.CharField(), help_text="Id → name of the message's files."
    )


class StateAnswer(Fields):
    state = serializers.ChoiceField(choices=TicketState.choices)
