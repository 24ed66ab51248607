"""Where an agent wants their money: checked, sealed, shown masked, and each change told by mail."""

import re

from django.db import transaction
from django.db.models.functions import Now
from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from agents.errors import BadHolder, BadIban, NotSepa
from agents.models import Agent, PayoutAccount
from agents.pay import mail
from agents.pay.sealing import seal

# Countries and territories that SEPA credit transfers reach, by the first two letters of an IBAN (EPC409-09).
SEPA = frozenset(
    re.findall("..", "ADALATBEBGCHCYCZDEDKEEESFIFRGBGIGRHRHUIEISITLILTLULVMCMDMEMKMTNLNOPLPTRORSSESISKSMVA")
)


def iban_clean(text: str) -> str:
    """The number without spaces, in capitals. Raises BadIban (form, length or check digits), NotSepa."""
    try:
        number: str = ibans.validate(text)
    except ValidationError:
        raise BadIban from None
    if number[:2] not in SEPA:
        raise NotSepa
    return number


def masked(iban: str) -> str:
    """DE89370400440532013000 → DE89 •••• 3000: enough to know one's own, too little for anybody else."""
    return f"{iban[:4]} •••• {iban[-4:]}"


def account_save(*, agent_id: int, holder: str, iban: str) -> PayoutAccount:
    """Take these payout details from now on; runs that are made already keep theirs. Outermost.

    The agent is told by mail, also when it was not them. Raises BadHolder, BadIban, NotSepa, NoPayoutKey.
    """
    holder, number = " ".join(holder.split()), iban_clean(iban)
    if not 1 < len(holder) <= 70 or not holder.isprintable():
        raise BadHolder
    with transaction.atomic(durable=True):
        agent = (
            Agent.objects.select_related("user").select_for_update(of=("self",), no_key=True).get(pk=agent_id)
        )
        account, _made = PayoutAccount.objects.update_or_create(
            agent=agent,
            defaults={
                "holder": holder,
                "iban_sealed": seal(number),
                "hint": masked(number),
                "changed_at": Now(),
            },
        )
        transaction.on_commit(lambda: mail.details_changed(agent.user, masked(number)), robust=True)
    return account
