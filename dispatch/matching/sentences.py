"""What is said about offers, in each language.

Templates and no gettext: the core imports no Django, and a sentence must mean the same in each language, which two columns
side by side show best.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["de", "en"]

SENTENCES: dict[str, dict[Language, str]] = {
    "skill": {
        "en": "You have the skill {skill} at level {level}, {needed} was needed.",
        "de": "Sie haben die Fähigkeit {skill} auf Stufe {level}, nötig war {needed}.",
    },
    "certificate": {
        "en": "You have a valid certificate for {skill}, which this ticket needs.",
        "de": "Sie haben ein gültiges Zertifikat für {skill}, das dieses Ticket verlangt.",
    },
    "skill_preferred": {
        "en": "You have {skill} at level {level}, which helps with this ticket.",
        "de": "Sie haben {skill} auf Stufe {level}, das hilft bei diesem Ticket.",
    },
    "language": {
        "en": "You speak {tongue}, the language of this ticket.",
        "de": "Sie sprechen {tongue}, die Sprache dieses Tickets.",
    },
    "known": {
        "en": "You have helped this customer before.",
        "de": "Sie haben dieser Kundin oder diesem Kunden schon geholfen.",
    },
    "only": {
        "en": "Of the people who were free, only you could take it.",
        "de": "Von allen, die gerade frei waren, konnten nur Sie es übernehmen.",
    },
    "idle": {
        "en": (
            "Of the {able} people who could take it, you have been idle longest; that decides between equals."
        ),
        "de": (
            "Von {able} Personen, die es übernehmen konnten, sind Sie am längsten frei; das entscheidet bei "
            "Gleichstand."
        ),
    },
    "newcomer": {
        "en": "You are new: a share of the tickets goes to newcomers first.",
        "de": "Sie sind neu: Ein Teil der Tickets geht zuerst an Neue.",
    },
    "earned_less": {
        "en": "You have earned less per online hour than the average lately, so you came earlier.",
        "de": (
            "Sie haben zuletzt je Online-Stunde weniger verdient als der Durchschnitt, deshalb kamen Sie "
            "eher an die Reihe."
        ),
    },
    "earned_more": {
        "en": (
            "You have earned more per online hour than the average lately; that counted a little against it."
        ),
        "de": (
            "Sie haben zuletzt je Online-Stunde mehr verdient als der Durchschnitt; das sprach ein wenig "
            "dagegen."
        ),
    },
    "rated_higher": {
        "en": "Your ratings and reviews are above the usual; that counted a little for you.",
        "de": "Ihre Bewertungen und Durchsichten liegen über dem Üblichen; das sprach ein wenig für Sie.",
    },
    "rated_lower": {
        "en": "Your ratings and reviews are below the usual; that counted a little against it.",
        "de": "Ihre Bewertungen und Durchsichten liegen unter dem Üblichen; das sprach ein wenig dagegen.",
    },
    "free": {
        "en": "You have no other ticket open.",
        "de": "Sie haben kein anderes Ticket offen.",
    },
    "by_name": {
        "en": "A colleague passed this ticket on to you by name, with a note.",
        "de": "Jemand aus Ihrem Team hat dieses Ticket namentlich an Sie weitergegeben, mit einer Notiz.",
    },
    "again": {
        "en": "It was with you when it was put aside, so you are asked first.",
        "de": "Es war bei Ihnen, als es zurückgestellt wurde; deshalb werden Sie zuerst gefragt.",
    },
    "next_up": {
        "en": "You were wrapping up your last ticket; this would be your next.",
        "de": "Sie haben Ihr letztes Ticket gerade nachbereitet; dies wäre Ihr nächstes.",
    },
    "booked": {
        "en": "You have booked this hour, so you are asked a little earlier.",
        "de": "Sie haben diese Stunde gebucht und werden deshalb etwas früher gefragt.",
    },
    "overdue": {
        "en": "The ticket has waited past its longest time, so it went before all younger ones.",
        "de": "Das Ticket hat länger gewartet als vorgesehen und ging deshalb allen jüngeren vor.",
    },
    "reserved": {
        "en": "In its first seconds this ticket is offered only to people whom it suits; you are one of them.",
        "de": (
            "In den ersten Sekunden wird dieses Ticket nur Personen angeboten, zu denen es passt; Sie gehören dazu."
        ),
    },
    "parallel": {
        "en": "Up to {parallel} people are asked at once; the first to accept gets it, others lose nothing.",
        "de": "Bis zu {parallel} Personen werden zugleich gefragt; wer zuerst annimmt, bekommt es, "
        "den anderen schadet nichts.",
    },
    # absence
    "ticket_unknown": {
        "en": "The ticket was not waiting in this run.",
        "de": "Das Ticket wartete in diesem Lauf nicht.",
    },
    "not_free": {
        "en": "You were not among the people who were free for this pool at that moment.",
        "de": "Sie gehörten in diesem Moment nicht zu denen, die für diesen Pool frei waren.",
    },
    "pending": {
        "en": "You had as many open offers as you can answer at once.",
        "de": "Sie hatten so viele offene Angebote, wie Sie zugleich beantworten können.",
    },
    "no_units": {
        "en": "Your free capacity was {free} units, the ticket needs {units}.",
        "de": "Frei waren bei Ihnen {free} Einheiten, das Ticket braucht {units}.",
    },
    "skill_missing": {
        "en": "The ticket needs the skill {skill} at level {needed}; you do not have it yet.",
        "de": "Das Ticket braucht die Fähigkeit {skill} auf Stufe {needed}; die haben Sie noch nicht.",
    },
    "skill_low": {
        "en": "The ticket needs the skill {skill} at level {needed}; you have level {level}.",
        "de": "Das Ticket braucht die Fähigkeit {skill} auf Stufe {needed}; Sie haben Stufe {level}.",
    },
    "certificate_missing": {
        "en": "Your certificate for {skill} is missing or has expired.",
        "de": "Ihr Zertifikat für {skill} fehlt oder ist abgelaufen.",
    },
    "language_missing": {
        "en": "The ticket is in {tongue}, which is not among your languages.",
        "de": "Das Ticket ist auf {tongue}, das nicht zu Ihren Sprachen gehört.",
    },
    "excluded": {
        "en": "You said no to this ticket before, or it was waiting for one person in particular.",
        "de": "Sie hatten dieses Ticket schon abgelehnt oder zurückgegeben, oder es wartete auf eine bestimmte Person.",
    },
    "said_no": {
        "en": "You declined this ticket or gave it back before, so others are asked.",
        "de": "Sie hatten dieses Ticket schon abgelehnt oder zurückgegeben, deshalb werden andere gefragt.",
    },
    "waited_for": {
        "en": (
            "In its first moments the ticket was waiting for one person in particular: to whom it was passed on, who had put "
            "it aside, or who has helped this customer before."
        ),
        "de": (
            "In den ersten Momenten wartete das Ticket auf eine bestimmte Person: die, an die es weitergegeben wurde, die es "
            "zurückgestellt hatte oder die dieser Kundin oder diesem Kunden schon geholfen hat."
        ),
    },
    "reserved_for_others": {
        "en": (
            "The ticket had only just come, and in its first seconds only people with {reserve} points or more are asked. "
            "After that it would have been open to you."
        ),
        "de": (
            "Das Ticket war gerade erst eingetroffen, und in den ersten Sekunden werden nur Personen mit mindestens {reserve} "
            "Punkten gefragt. Danach wäre es auch für Sie offen gewesen."
        ),
    },
    "offered": {
        "en": "It was offered to you.",
        "de": "Es wurde Ihnen angeboten.",
    },
    "other_ticket": {
        "en": "You were offered another ticket in the same run.",
        "de": "Ihnen wurde im selben Lauf ein anderes Ticket angeboten.",
    },
    "others_better": {
        "en": "It went to somebody who fitted better: {best} points, you had {own}, a gap of {gap}.",
        "de": (
            "Es ging an jemanden, der besser passte: {best} Punkte, Sie hatten {own}, ein Abstand von {gap}."
        ),
    },
    "others_equal": {
        "en": "It went to somebody with the same points who had been idle longer or had the lower number.",
        "de": (
            "Es ging an jemanden mit gleich vielen Punkten, der länger frei war oder die kleinere Nummer "
            "hatte."
        ),
    },
    "whole_better": {
        "en": (
            "You had {own} points, the person who got it {best}; so divided, all waiting tickets together "
            "were served better."
        ),
        "de": (
            "Sie hatten {own} Punkte, die gewählte Person {best}; so verteilt waren alle wartenden Tickets "
            "zusammen besser bedient."
        ),
    },
    "nobody": {
        "en": "The people who could take it were needed for tickets that go first.",
        "de": "Wer es übernehmen konnte, wurde für Tickets gebraucht, die vorgehen.",
    },
}

# What most speaks against is named by its term; only where the two differ by more than what a reader can see.
BECAUSE: dict[str, dict[Language, str]] = {
    "fit": {"en": "Mostly because of skill level.", "de": "Vor allem wegen der Stufe der Fähigkeiten."},
    "fairness": {
        "en": "Mostly because they had earned less per online hour lately.",
        "de": "Vor allem, weil die andere Person zuletzt je Online-Stunde weniger verdient hatte.",
    },
    "known": {
        "en": "Mostly because they had helped this customer before.",
        "de": "Vor allem, weil die andere Person hier schon geholfen hatte.",
    },
    "load": {
        "en": "Mostly because they had less open work.",
        "de": "Vor allem, weil die andere Person weniger offene Arbeit hatte.",
    },
    "booked": {
        "en": "Mostly because they had booked this hour.",
        "de": "Vor allem, weil die andere Person diese Stunde gebucht hatte.",
    },
    "scarcity": {
        "en": "Mostly because your rare skills were kept free for tickets that need them.",
        "de": "Vor allem, weil Ihre seltenen Fähigkeiten für Tickets frei bleiben sollten, die sie brauchen.",
    },
    "quality": {
        "en": "Mostly because their ratings and reviews are higher.",
        "de": "Vor allem, weil die Bewertungen und Durchsichten der anderen Person höher liegen.",
    },
    "newcomer": {
        "en": "Mostly because they are new, and this ticket was one of those that go to newcomers first.",
        "de": "Vor allem, weil die andere Person neu ist und dieses Ticket zu denen gehörte, die zuerst an Neue gehen.",
    },
    "accept": {
        "en": "Mostly because they were likelier to answer with yes, by recent answers to such topics.",
        "de": "Vor allem, weil ein Ja nach den letzten Antworten zu solchen Themen wahrscheinlicher war.",
    },
}


class Speaker:
    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        return SENTENCES[key][self.language].format(**values)

    def decimal(self, value: float) -> str:
        shown = f"{value:.2f}"
        return shown.replace(".", ",") if self.language == "de" else shown
