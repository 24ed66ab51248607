"""What customers write every day and no limit must catch; some of it after wordings that were tried and caught too much."""

EVERYDAY: dict[str, list[str]] = {
    "en": """
How do I change my password
I can't log in any more
Where can I find my invoice for last month
My phone is dead, how do I log in from another one
The app kills my battery
How do I end my subscription
Can I end it at any time
I lost my password
I've lost my confirmation mail
I'm dying to know when the new version comes out
How long does delivery take
I don't want to get your newsletter any more
I do not want the premium plan any more
How many people can use one account
Can my family use my account as well
Can someone else pick up my parcel
Can I order something for someone else
How do I cancel an order I placed yesterday
I never got the confirmation mail
I have not received the code to log in yet
The page shows an error when I pay
Which cards do you accept
When will I be charged each month
How do I get a refund
How long does a refund take
Can I pay by invoice
How do I change my delivery address
My order has not arrived yet
The amount on the voucher is not taken off at the checkout
Do you have a plan for students
I need help with the settings of my account
What does the person who accepts the parcel have to sign
The machine does not turn on
How do I connect the machine to my wireless network
How do I connect my robot vacuum to the app
Can I speak several languages in the app
How do I share a list with a friend
I want to live stream with your app
My computer crashed and the file is gone
Is there a dark mode
How do I add a second person to my contract
I have moved house, what do I have to do
How do I cut the video in the app
I want to change my e-mail address
The video stops and I want it to go on
What happens to my points if I cancel
My daughter turns 18, can she have an account of her own
Where do I see who logged in to my account
How do I invite a member to my team
Can I use my account abroad
Do I have to be at home when the parcel comes
How do I turn off the automatic renewal
Is the shop in the city centre open on Sundays
The page does not let me pay
The app forces me to update
I lost everything in my basket when the page crashed
My parcel was left on the street
My late delivery has still not been shipped
My phone is 13 years old, does the app run on it
My phone is too old for the app
My memory card is full
How do I give someone access to my photos
I entered my card number and the page shows an error
I entered my password and it says wrong
I clicked the link in the confirmation mail and nothing happens
Can I copy my files to a computer
How do I send money to a person abroad
Can I use a phone number from another country
I can't go on to the next page
Please make it stop, I get ten notices a day
The app kicks me out after a minute
Where do I see who follows me
I have cancelled, do I still have to send it back
I sent my jacket back, do I still have to pay
The camera cannot read the code on the parcel
How do I feed my fish tank pump schedule to the app
Is there any hope that it comes before Friday
""".strip().splitlines(),
    "de": """
Wie ändere ich mein Passwort
Ich kann mich nicht mehr anmelden
Ich kann nicht mehr auf mein Konto zugreifen
Wo finde ich meine Rechnung vom letzten Monat
Mein Handy ist tot, wie melde ich mich mit einem anderen an
Wie beende ich mein Abo
Kann ich jederzeit kündigen
Ich habe mein Passwort verloren
Ich weiß mein Passwort nicht mehr
Ich möchte keinen Newsletter mehr bekommen
Wie lange dauert die Lieferung
Ich will den Premium-Tarif nicht mehr
Wie viele Leute können ein Konto benutzen
Kann meine Familie mein Konto mitbenutzen
Kann jemand anderes mein Paket abholen
Kann ich etwas für jemand anderen bestellen
Wie storniere ich eine Bestellung, die ich gestern aufgegeben habe
Ich habe die Bestätigung nie bekommen
Ich habe den Code zum Anmelden noch nicht erhalten
Beim Bezahlen zeigt die Seite einen Fehler
Welche Karten nehmen Sie
Wann wird der Betrag jeden Monat abgebucht
Wie bekomme ich eine Erstattung
Wie lange dauert eine Erstattung
Kann ich auf Rechnung zahlen
Wie ändere ich meine Lieferadresse
Meine Bestellung ist noch nicht da
Der Gutschein wird an der Kasse nicht abgezogen
Gibt es einen Tarif für Studenten
Ich brauche Hilfe bei den Einstellungen meines Kontos
Was muss die Person unterschreiben, die das Paket annimmt
Die Maschine geht nicht an
Wie verbinde ich die Maschine mit meinem WLAN
Wie verbinde ich meinen Saugroboter mit der App
Kann ich in der App mehrere Sprachen sprechen
Wie teile ich eine Liste mit einem Freund
Mein Rechner ist abgestürzt und die Datei ist weg
Gibt es einen dunklen Modus
Wie füge ich eine zweite Person zu meinem Vertrag hinzu
Ich bin umgezogen, was muss ich tun
Wie schneide ich das Video in der App
Ich möchte meine E-Mail-Adresse ändern
Das Video hält an und ich möchte, dass es weitergeht
Was passiert mit meinen Punkten, wenn ich kündige
Meine Tochter wird 18, kann sie ein eigenes Konto haben
Ich komme auf der Seite nicht weiter
Wo sehe ich, wer sich in meinem Konto angemeldet hat
Wie lade ich ein Mitglied in mein Team ein
Kann ich mein Konto im Ausland benutzen
Muss ich zu Hause sein, wenn das Paket kommt
Wie schalte ich die automatische Verlängerung aus
Hat der Laden in der Innenstadt sonntags geöffnet
Die App tut nichts, wenn ich auf den Knopf drücke
Wie gebe ich meiner Frau Zugriff auf die Fotos
Der Akku hält nicht mehr lange
Wie verbinde ich mein Handy mit dem Computer
Wie kann ich mich verbinden, wenn das WLAN weg ist
Wie schalte ich die doppelte Anmeldung aus
Den Code habe ich nie bekommen
Auf der Rechnung ist nicht meine neue Adresse
Der Link in einer Mail von gestern geht nicht
Ich habe meine Kartendaten eingegeben und es kommt ein Fehler
Meine Karte wird nicht akzeptiert
Ist die schnelle Lieferung teurer als die normale
Kann ich zwei gleiche Artikel bestellen
Mein Gerät ist 12 Jahre alt, läuft die App darauf
Mein Sohn sucht den Knopf zum Abmelden
Ist der Preis abhängig von der Größe
Ich schaffe es nicht mehr rechtzeitig zum Paketshop
Ich habe die Sendung verfolgt und sie steht seit gestern
Ich bin 12 Tage weg, wann kommt das Paket
Ich weiß nicht weiter, wo muss ich klicken
Wie gebe ich jemandem Zugriff auf meine Fotos
Wurden meine Punkte ins neue Konto übernommen
Es hat keinen Sinn, das Paket nochmal zu schicken, oder
Warum wurde mir keine Mail geschickt
Die Seite ist blank und lädt nicht
Mein Traumauto steht auf der Merkliste, wie entferne ich es
Ich bin am Ende der Seite, wo ist der Knopf
Wie kann ich alles beenden und neu starten
""".strip().splitlines(),
}
