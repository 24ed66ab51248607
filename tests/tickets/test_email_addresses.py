"""E-mail addresses: which are taken in, how they are stored, and that a look-alike of somebody's address is not theirs."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core import mail as outbox
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from agents.models import User
from tests.callers import anonymous, customer_of
from tests.cast import World
from tests.tickets.pages import at
from tests.untouched import nothing_changed
from tickets import blocking, erasing, kept, returning, tasks
from tickets.access import token_of
from tickets.admin_finding import find
from tickets.email_addresses import address_clean, address_written
from tickets.errors import BadAddress
from tickets.intake import ticket_open
from tickets.models import Block, BlockKind, Channel, Customer, LinkRequest, MailIn, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

VICTIM = "victim@gmail.example"
LOOK_ALIKE = (
    "victim@gma\u0131l.example"  # a dotless i: UPPER() of it is VICTIM's; a domain that anybody may register
)
POISON = f"x@{'ä' * 63}.example"  # looks right, and fails when a mail is made
REFUSED = [
    "v\u0131ctim@gmail.example",  # Django's check ignores case, and takes four letters beyond ASCII for it
    "\u212aate@gmail.example",  # the Kelvin sign: lower() of it is k
    "x@\uff47mail.example",  # a wide g: mails go to gmail.example
    "x@b\u3002c.example",
    POISON,
    f"x@{'.'.join(['ä' * 46] * 5)}.example",  # longer than a column, once it is encoded
    f"{'x' * 250}@b.example",
    '"\x01"@gmail.example',
]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (" Carla@Customers.example ", "Carla@Customers.example"),
        ("max@M\u00fcller.example", "max@xn--mller-kva.example"),
        ("max@mu\u0308ller.example", "max@xn--mller-kva.example"),
        (
            "max@stra\u00dfe.example",
            "max@xn--strae-oqa.example",
        ),  # another one than strasse.example, and not sent there
        (LOOK_ALIKE, "victim@xn--gmal-nza.example"),
        ("x@\u212aate.example", "x@kate.example"),
        ("x@\u0130st.example", "x@xn--ist-8dc.example"),
    ],
)
def test_what_is_stored_is_ascii_and_a_mail_can_be_made_for_it(given: str, stored: str) -> None:
    assert address_clean(given) == stored
    assert EmailMessage(to=[stored]).message()["To"] == stored


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("max@xn--strae-oqa.example", "max@stra\u00dfe.example"),
        ("Carla@customers.example", "Carla@customers.example"),
        ("x@xn--a.example", "x@xn--a.example"),  # no domain at all
    ],
)
def test_owners_read_it_as_they_write_it(world: World, client: Client, stored: str, written: str) -> None:
    assert address_written(stored) == written
    ticket = world.ticket()
    Customer.objects.update(email=stored)
    client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    assert f"We also send it to {written}." in client.get(at(ticket)).content.decode()


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_address_or_anothers_is_refused_at_every_door(world: World, given: str) -> None:
    with pytest.raises(ValidationError):
        address_clean(given)
    ticket = ticket_open(text="Hello", channel=Channel.FORM).ticket
    browser = Client()
    browser.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    with nothing_changed():
        assert browser.post("/", {"text": "Hello", "email": given}).status_code == 422
        assert browser.post("/links", {"email": given}).status_code == 422
        assert browser.post(at(ticket, "address"), {"email": given}).status_code == 422
        assert anonymous().tell("tickets", {"text": "Hello", "email": given}).status_code == 400
        answer = customer_of(ticket).tell(f"tickets/{ticket.public_id}/address", {"email": given})
        assert answer.status_code in (400, 422)
        with pytest.raises(BadAddress):
            ticket_open(text="Hello", channel=Channel.MAIL, email=given)


def test_every_door_stores_the_same(world: World, client: Client) -> None:
    given, stored = "max@M\u00fcller.example", "max@xn--mller-kva.example"
    ticket = ticket_open(text="Hello", channel=Channel.FORM).ticket
    client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    assert client.post("/", {"text": "Hello", "email": given}).status_code == 303
    assert client.post("/links", {"email": given}).status_code == 303
    assert client.post(at(ticket, "address"), {"email": given}).status_code == 303
    assert anonymous().tell("tickets", {"text": "Hello", "email": given}).status_code == 201
    assert set(Customer.objects.values_list("email", flat=True)) == {stored}
    assert LinkRequest.objects.get().email == stored
    assert len(returning.links_of(stored)) == 3


def old(email: str, *, confirmed: bool = False) -> Ticket:
    """A ticket under an address that was stored before addresses were cleaned."""
    ticket = ticket_open(text="Hello", channel=Channel.FORM).ticket
    Customer.objects.filter(pk=ticket.customer_id).update(
        email=email, name="C", confirmed_at=timezone.now() if confirmed else None
    )
    return Ticket.objects.select_related("customer").get(pk=ticket.pk)


class TestLookAlike:
    """Mallory's address looks like the victim's, in the database's eyes."""

    @pytest.fixture(autouse=True)
    def database_thinks_so(self, world: World) -> None:
        one = Customer.objects.create(email=LOOK_ALIKE)
        # The control: so it was asked for.
        assert list(Customer.objects.filter(email__iexact=VICTIM)) == [one]
        one.delete()

    def test_links_are_mailed_to_the_one_who_asked_and_of_their_tickets_only(self) -> None:
        theirs, mallorys = old(VICTIM.title()), old(LOOK_ALIKE)
        Ticket.objects.update(link_mailed_at=timezone.now())
        returning.links_ask(email=VICTIM, language="en")
        tasks.mail_due()
        [sent] = outbox.outbox
        assert sent.to == [VICTIM.title()]
        assert theirs.public_id in sent.body
        assert mallorys.public_id not in sent.body
        assert returning.links_of(LOOK_ALIKE) == [mallorys]

    def test_confirming_one_joins_none_of_the_other(self) -> None:
        mallorys, theirs, again = old(LOOK_ALIKE, confirmed=True), old(VICTIM), old(VICTIM.upper())
        for ticket in (theirs, again):
            assert returning.confirm(ticket=ticket, proof=returning.proof_of(ticket))
        assert list(Ticket.objects.order_by("pk").values_list("customer_id", flat=True)) == [
            mallorys.customer_id,
            theirs.customer_id,
            theirs.customer_id,  # the control: the same address is joined
        ]

    def test_erasing_one_leaves_what_the_other_has(self) -> None:
        mallorys = old(LOOK_ALIKE)
        returning.links_ask(email=VICTIM, language="en")
        returning.links_ask(email=LOOK_ALIKE, language="en")
        for number, sender in enumerate((VICTIM, LOOK_ALIKE)):
            MailIn.objects.create(key=str(number), sender=sender, subject="Hm", outcome="held", raw=b"words")
        erasing.ticket_erase(ticket=mallorys)
        assert list(LinkRequest.objects.values_list("email", flat=True)) == [VICTIM]
        assert set(MailIn.objects.values_list("sender", "subject")) == {(VICTIM, "Hm"), ("", "")}

    def test_the_admin_finds_one(self) -> None:
        mallorys, theirs = old(LOOK_ALIKE), old(VICTIM)
        assert list(find(Ticket.objects.all(), VICTIM.upper())) == [theirs]
        assert list(find(Ticket.objects.all(), LOOK_ALIKE)) == [mallorys]


def test_a_block_meets_a_domain_however_it_is_written(world: World, client: Client) -> None:
    boss = User.objects.create_superuser("boss@standby.example", "secret", name="Bo")
    value = blocking.cleaned(BlockKind.DOMAIN, "@M\u00fcller.example")
    Block.objects.create(kind="domain", value=value, digest=blocking.digest_of("domain", value), made_by=boss)
    kept.forget()
    for email in ("max@m\u00fcller.example", "max@XN--MLLER-KVA.example"):
        assert client.post("/", {"text": "Hello", "email": email}).status_code == 403
    assert not Ticket.objects.exists()


def test_what_was_stored_before_is_written_so_too(world: World) -> None:
    emails = ["max@M\u00fcller.example", LOOK_ALIKE, POISON, "Carla@customers.example"]
    tickets = [old(email, confirmed=True) for email in emails]
    boss = User.objects.create_superuser("boss@standby.example", "secret", name="Bo")
    value = "max@m\u00fcller.example"
    Block.objects.create(kind="email", value=value, digest=blocking.digest_of("email", value), made_by=boss)
    moved = import_module("tickets.migrations.0027_addresses_erasing_mails")
    moved.clean(apps, None)
    moved.clean_blocks(apps, None)
    found = [Customer.objects.get(pk=ticket.customer_id) for ticket in tickets]
    assert [(one.email, one.confirmed_at is None) for one in found] == [
        ("max@xn--mller-kva.example", False),
        ("victim@xn--gmal-nza.example", False),
        ("", True),
        ("Carla@customers.example", False),
    ]
    block = Block.objects.get()
    assert (block.value, block.digest) == (
        "max@xn--mller-kva.example",
        blocking.digest_of("email", "max@xn--mller-kva.example"),
    )
