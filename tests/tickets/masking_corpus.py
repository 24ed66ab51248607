"""A corpus of our own making: texts in which something personal is to be hidden, and near misses that must stay as they are.

`python -m tests.tickets.masking_corpus` prints what slips and what is hidden without need.
"""

from tickets.masking import mask

PHONES = (
    """
+49 171 2345617|+49 30 12345617|+4917123456 17|+49 (0)30 / 1234 5617|0171 2345617|0171-2345617|0171/2345617|0049 171 2345617|030 12345617
030/1234-5617|(030) 12345617|0221-12 34 56 17|089 123 456 17|+43 660 1234567|+43 1 5123456|+41 44 668 18 00|044 668 18 00|+44 20 7946 0958
020 7946 0958|07911 123456|+44 7911 123456|(555) 234-5678|555-234-5678|+1 212 555 2368|0800 1234567|+33 1 42 68 53 00|+48 22 123 45 67
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
PHONE_FRAMES = (
    "Bitte rufen Sie mich an: {}",
    "Meine Nummer ist {}, am besten abends.",
    "You can call me on {} after five.",
    "{} is where I can be reached. The order came on 02.03.2026.",
)
EMAILS = (
    """
carla@example.org|max.mustermann@beispiel.de|A_B+c@sub.example.co.uk|jürgen@müller.example|o'neill@example.ie|x@y.de|birte-harms@web.example
info@kleine-firma.example|carla (at) example.org|max.muster[at]beispiel[dot]de
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
EMAIL_FRAMES = (
    "Schreiben Sie an {} bitte.",
    "My address is {}.",
    "<{}>",
    "Mail:{}, danke",
)
ADDRESSES = (
    """
Hauptstraße 12, 10115 Berlin|Hauptstr. 12|Gartenweg 3a, 20095 Hamburg|Lange Straße 4, 26122 Oldenburg|Goethestrasse 7|Am Markt 3, 20095 Hamburg
Unter den Linden 5, 10117 Berlin|Straße des 17. Juni 135|Marktplatz 1, 70173 Stuttgart|Schillerallee 22|Berliner Platz 9|Mühlenweg 17
An der Alster 12, 20099 Hamburg|Kirchgasse 5|Rosenring 8, D-80331 München|10115 Berlin|D-50667 Köln|Elbchaussee 401|Postfach 12 34 56|Ringstr. 5-7
Mariahilfer Straße 88, 1070 Wien|Bahnhofstrasse 14, 8001 Zürich|12 Main Street, Springfield, IL 62704|221B Baker Street, London NW1 6XE|SW1A 1AA
Flat 4, 17 Elm Grove, Bristol BS6 6AB|9 Church Lane|1600 Amphitheatre Parkway|PO Box 1234|42 Acacia Avenue|7 The Crescent, Leeds LS1 4AP
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
ADDRESS_FRAMES = (
    "Liefern Sie bitte an {}.",
    "Ich wohne jetzt hier: {}",
    "Please send it to {} instead.",
)
BIRTHS = (
    """
12.03.1985|3. März 1985|3.3.85|1985-03-12|12/03/1985|12 March 1985|March 12, 1985|12th of March 1985|7. Dezember 1960|01.01.2001|5 Oct 1999
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
BIRTH_FRAMES = (
    "Ich bin am {} geboren.",
    "Geburtsdatum: {}",
    "geb. {}, danke",
    "I was born on {}.",
    "DOB: {}",
    "My date of birth is {}, as asked.",
)
NAMED = (
    ("Viele Grüße, Birte Harms", "Viele Grüße, Birte H…"),
    ("Hier ist Frau harms.", "Hier ist Frau h…."),
    ("Das Konto läuft auf HARMS.", "Das Konto läuft auf H…."),
    ("Harms’ Konto, Harmss", "H…’ Konto, H…"),
)


def hits() -> list[tuple[str, str, str]]:
    """(kind, the text, what must not be in it any more)."""
    return [
        (kind, frame.format(value), value)
        for kind, values, frames in (
            ("phone", PHONES, PHONE_FRAMES),
            ("email", EMAILS, EMAIL_FRAMES),
            ("address", ADDRESSES, ADDRESS_FRAMES),
            ("birth", BIRTHS, BIRTH_FRAMES),
        )
        for value in values
        for frame in frames
    ]


NUMBERS = (
    "48291",
    "0301234567",
    "2026-000417",
    "4711234567",
    "00123456",
    "S-1042",
    "A-77812",
    "100200300",
    "0171234567",
    "5550123456",
)
NUMBER_FRAMES = (
    "Bestellnummer {}",
    "Meine Bestellung {} ist nicht da.",
    "Rechnung Nr. {} ist bezahlt.",
    "Order {} has not arrived.",
    "Invoice number: {}",
    "My customer number is {}.",
    "Sendungsnummer: {}",
)
PLAIN = (
    """
Der Betrag ist 1.234,56 €.|Ich habe 12.345.678,00 € gewonnen.|It was $1,234.56 in all.|Es kostet 99,90 Euro.|I paid 250.00 EUR twice.|49,99 Euro im Monat, 12 Monate
Gekauft am 12.03.2026 um 14:30 Uhr.|On 12/03/2026 at 2:30 pm.|Zwischen 01.02.2026 und 05.02.2026.|Am 3. März 2026 kam nichts.|March 12, 2026 was the day.|2026-03-12 10:15:00
Vom 01.02.2026 - 05.02.2026 im Urlaub|In 14 Tagen|in 30 days|Seit 2 Wochen warte ich.|Ticket S-1042|Siehe S-98123 vom 3.4.2026.|Um 8:15 oder 17:45|From 9 to 5
3 Pakete, 2 sind offen.|Ich habe 48291 Punkte.|Ich bin auf Platz 3.|Parkplatz 12 war frei.|Mein Sitzplatz 14 war besetzt.|Am Arbeitsplatz 2 geht es.|Im Tor 3 stand er.|Boxring 2
Am Montag 12 Uhr|Im Oktober 2 Lieferungen|Zum Preis von 20 Euro|Am Freitag 13 Pakete|Der Hinweg 2 Stunden, der Rückweg 3.|Unterwegs 3 Tage|Auf dem Heimweg 5 Minuten|Umweg 4 km
My birthday was great.|Ich hatte Geburtstag.|Zum Geburtstag bestellt am 12.03.2026|A gift for a birthday on 12.04.2026|Geboren wurde die Idee 2024.|The idea was born in 2025.|* 12.03.2026 ausgeliefert
2 parcels on the road|I am on my way 3 times a day.|5 stars from me|4 close friends|3 lanes away|The 2 orders on the street|Room 12 is fine|Version 2.14.3|v1.0.12|1/2 Liter|3-4 Tage
@later hat geantwortet|Preis @ 5 Euro|a @ b|user@|@|me@home|10 % Rabatt|19 % MwSt. auf 100|5 x 20|100.000 Euro|IBAN [IBAN …3000]|Karte [card …1111] und [CVV]|Code 482913|PIN 1234
Your code is 482913.|TAN 123456|Artikel 0815-4711|Größe 42, Farbe 7|Modell WH-1000XM4|SKU 12-34-56-78|EAN 4006381333931|Vertrag 000123456|Kundennummer 0049123456|Seite 12 von 30
Paket 00340434161094042557 von DHL|Tracking 1Z999AA10123456784|JJD000390007882138501|RMA 2026/0815|Az. 12 C 345/26|§ 312g BGB|Art. 17 DSGVO|Kapitel 3.2.1|192.168.0.1|Port 8080
Im Jahr 2024 und 2025|Von 2019 bis 2024|Raten: 12 x 49,90|12 Raten zu je 49,90 Euro|Rate 3 von 12|zwischen 1000 und 2000 Euro|1000000 Menschen|Nach 10000 Schritten|20.000 km|60 km/h auf 5 km
I waited 45 minutes.|It weighs 2.5 kg.|30 by 40 cm|2x4|Only 3 left in stock|Nummer 5 lebt|Gate 12 closes 10:45|The 12 Way Plan|Windows 11|iPhone 15 Pro Max 256 GB|Galaxy S24 Ultra|USB 3.2 Gen 2
Das Formularfeld 3 ist leer.|Suchfeld 2|Der Monitor 27 Zoll|Hof|Berg|In Berlin|Ich komme aus Hamburg.|I live in London.|Send it to Leeds.|Die Straße ist gesperrt.|Eine Allee|Am Ufer
Guten Tag|Hello there!|Danke, Carla|Viele Grüße aus Köln|Wo ist mein Geld?|Where is my refund?|Ich habe nur eine Frage.|Can I pay later?|Kann ich in 3 Raten zahlen?|Zahlung Nr. 2 fehlt
0|007|000000|12345|1.2.3.4.5.6|1 2 3 4 5|3,14159265|-273,15|1e10|999999999|+5|+100 Euro|+49|0049|++|(0)|00|0 0 0|1:0|2:1 nach 90 Minuten
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


def misses() -> list[str]:
    return [frame.format(value) for value in NUMBERS for frame in NUMBER_FRAMES] + PLAIN


if __name__ == "__main__":
    slipped = [
        (kind, text, mask(text).text)
        for kind, text, value in hits()
        if kind not in mask(text).kinds or value in mask(text).text
    ]
    needless = [(text, mask(text).text) for text in misses() if mask(text).text != text]
    for one in (*slipped, *needless):
        print(one)
    print(f"{len(slipped)} of {len(hits())} slip, {len(needless)} of {len(misses())} are hidden without need")
