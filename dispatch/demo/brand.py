"""What Later & Co deals with: skills, pools, topics with their routes, rates."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

PASSWORD = "standby-demo"  # noqa: S105  of every example account; seed_demo refuses to make it outside a trial
DOMAIN = "later.example"
VALID_FROM = date(2025, 1, 1)
CURRENCY = "EUR"
DEFAULT_CENTS = 280
# What all rates have in common: a waiting customer, good work and work handed over are paid too.
RATE: dict[str, Any] = {
    "currency": CURRENCY,
    "valid_from": VALID_FROM,
    "waiting_cents_per_minute": 5,
    "release_percent": 50,
    "bonus_cents": 40,
    "bonus_score": 5,
}

# key → (English, German)
SKILLS = {
    "payments": ("Payments", "Zahlungen"),
    "plans": ("Payment plans", "Ratenpläne"),
    "returns": ("Returns", "Rückgaben"),
    "refunds": ("Refunds", "Erstattungen"),
    "parcels": ("Parcels", "Pakete"),
    "goods": ("Defects and warranty", "Mängel und Gewährleistung"),
    "shops": ("Talking to shops", "Umgang mit Shops"),
    "reminders": ("Reminders and fees", "Mahnungen und Gebühren"),
    "accounts": ("Accounts and log-in", "Konten und Anmeldung"),
    "limits": ("Limits and checks", "Kaufrahmen und Prüfungen"),
    "fraud": ("Fraud", "Betrug"),
    "privacy": ("Data protection", "Datenschutz"),
    "complaints": ("Complaints", "Beschwerden"),
    "calm": ("Difficult conversations", "Schwierige Gespräche"),
    "writing": ("Plain language", "Klare Sprache"),
}

POOLS = {
    "first": ("First line", "Erste Reihe"),
    "money": ("Money matters", "Geldfragen"),
    "trust": ("Safety and trust", "Sicherheit und Vertrauen"),
}
# Who helps out when a pool's ticket has waited so many seconds: a step of its routes.
HELPERS = {"first": (60, "money"), "money": (45, "first"), "trust": (90, "money")}
POLICY_NOTES = {
    "first": "The usual weights: the right skill and waiting count the same.",
    "money": "A familiar face counts more: who knows a payment plan goes on with it.",
    "trust": "Fit counts most: these matters need somebody who knows them.",
}
REVIEWS = {
    "review_percent": 30,
    "peer_level": 4,
}  # much for a house of its size, so that there is something to see
SURGE: dict[str, float] = {"surge_percent": 25, "surge_from": 3.0}
POLICY_WEIGHTS: dict[str, dict[str, float]] = {
    "first": SURGE,
    "money": {"known": 1.0, **SURGE},
    "trust": {"fit": 1.5, **SURGE},
}


@dataclass(frozen=True)
class TopicSpec:
    """A topic, its route and what it pays. `needs` are required skills with their lowest level, `likes` preferred ones."""

    key: str
    name_en: str
    name_de: str
    pool: str
    cents: int
    needs: dict[str, int]
    likes: dict[str, int] = field(default_factory=dict)
    priority: int = 0
    units: int = 30  # of attention, of 100
    offer_seconds: int = 30
    minutes: int = 6
    target_seconds: int = 60
    wrap_up_seconds: int = 20


TOPICS = (
    TopicSpec(
        "unknown",
        "A purchase that is not mine",
        "Ein Kauf, der nicht von mir ist",
        "trust",
        620,
        {"fraud": 3},
        {"accounts": 2, "calm": 3},
        priority=1,
        units=50,
        offer_seconds=20,
        minutes=10,
        target_seconds=30,
        wrap_up_seconds=30,
    ),
    TopicSpec(
        "payment", "Paying a purchase", "Einen Kauf bezahlen", "first", 280, {"payments": 1}, {"writing": 2}
    ),
    TopicSpec(
        "more-time", "More time to pay", "Später bezahlen", "money", 420, {"plans": 2}, {"calm": 3}, minutes=8
    ),
    TopicSpec(
        "return", "Sending something back", "Etwas zurückgeben", "first", 280, {"returns": 1}, {"shops": 2}
    ),
    TopicSpec(
        "refund", "Waiting for a refund", "Erstattung fehlt", "money", 340, {"refunds": 2}, {"payments": 3}
    ),
    TopicSpec(
        "delivery", "Delivery", "Lieferung", "first", 260, {"parcels": 1}, {"shops": 2}, units=25, minutes=5
    ),
    TopicSpec(
        "damaged",
        "Broken or wrong item",
        "Kaputt oder falsch geliefert",
        "first",
        320,
        {"goods": 2},
        {"returns": 2},
    ),
    TopicSpec(
        "reminder",
        "Reminder or fee",
        "Mahnung oder Gebühr",
        "money",
        380,
        {"reminders": 2, "payments": 1},
        {"calm": 3},
        minutes=8,
    ),
    TopicSpec(
        "account", "Account and log-in", "Konto und Anmeldung", "first", 280, {"accounts": 2}, units=25
    ),
    TopicSpec("declined", "Purchase declined", "Kauf abgelehnt", "money", 340, {"limits": 2}, {"writing": 3}),
    TopicSpec("data", "My data", "Meine Daten", "trust", 420, {"privacy": 3}, minutes=8, target_seconds=120),
    TopicSpec(
        "complaint",
        "Complaint",
        "Beschwerde",
        "trust",
        520,
        {"complaints": 3},
        {"calm": 4},
        units=50,
        minutes=10,
        wrap_up_seconds=30,
    ),
)
DEFAULT_POOL = "first"
DEFAULT_LIKES = {"writing": 2}

# (language, topic's key or "", title, text)
CANNED = (
    ("en", "", "Greeting", "Hello {customer},\n\nmy name is {agent}. I am looking at {number} right now."),
    ("de", "", "Begrüßung", "Guten Tag {customer},\n\nich bin {agent} und sehe mir {number} gerade an."),
    ("en", "", "Anything else?", "Is there anything else I can do for you?"),
    ("de", "", "Noch etwas?", "Kann ich sonst noch etwas für Sie tun?"),
    (
        "en",
        "refund",
        "Refund on its way",
        "The shop has confirmed your refund. It takes three to five working days.",
    ),
    (
        "de",
        "refund",
        "Erstattung unterwegs",
        "Der Shop hat Ihre Erstattung bestätigt. Sie dauert drei bis fünf Werktage.",
    ),
    (
        "en",
        "delivery",
        "Where the parcel is",
        "I have asked the carrier where your parcel is, and will tell you here.",
    ),
    ("de", "delivery", "Wo das Paket ist", "Ich habe nachgefragt, wo Ihr Paket ist, und sage es Ihnen hier."),
)
