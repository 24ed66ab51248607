"""What customers write who are to get a person at once, and what they write every day.

Written without a look at tickets/assistant/words. FIRST was at hand when the lists were widened, and is held to;
SECOND was written with it and kept back, so that what is found of it says what the lists are worth on words that nobody
fitted them to. EVERYDAY has what must not be caught, some of it after wordings that were tried and caught too much.
"""

FIRST: dict[tuple[str, str], list[str]] = {
    ("vulnerable", "en"): """
I don't want to live any more
I'm thinking of ending it all
I might hurt myself
I feel hopeless
I do not want to be here anymore, nothing makes sense
Everyone would be better off without me
I have been having suicidal thoughts since last week
I want to kill myself
there is no point in going on
I'm cutting myself again
my husband died last month and I can't get into his account
My mother passed away and the subscription is still running
I have just been diagnosed with cancer and cannot deal with this
I'm in hospital after a stroke, please be patient with me
He hits me and he reads all my mails
I'm scared of my partner, he controls everything I do on my phone
my ex uses my account
My boyfriend forces me to give him my password
I am in a women's shelter and he must not find out my address
I have dementia and my daughter normally does this for me
I am in so much debt that I cannot see a way out
I've lost my job and I don't know how to feed my kids
I'm having a panic attack because of this
I am severely depressed and can't cope any more
We are about to be evicted and have nowhere to go
I am blind and can't use your website
my son took an overdose yesterday
I'm 13 and bought something without my parents knowing
I can't take it anymore, I just want it to stop
""".strip().splitlines(),
    ("vulnerable", "de"): """
Ich will sterben
Ich tue mir etwas an
Ich kann nicht mehr, alles hat keinen Sinn
Ich will nicht mehr leben
Ich denke daran, mich umzubringen
Ohne mich wären alle besser dran
Ich habe Suizidgedanken
Ich sehe keinen Ausweg mehr
Ich bin völlig verzweifelt und weiß nicht mehr weiter
Ich ritze mich wieder
Mein Mann ist letzten Monat gestorben und ich komme nicht an sein Konto
Meine Mutter ist verstorben, das Abo läuft noch
Ich habe eine Krebsdiagnose bekommen und kann mich nicht darum kümmern
Ich liege nach einem Schlaganfall im Krankenhaus
Er schlägt mich und liest alle meine Mails
Ich habe Angst vor meinem Partner, er kontrolliert mein Handy
Mein Ex benutzt mein Konto
Mein Freund zwingt mich, ihm mein Passwort zu geben
Ich bin im Frauenhaus und er darf meine Adresse nicht erfahren
Ich bin dement, sonst macht das meine Tochter
Ich habe so viele Schulden, dass ich nicht mehr ein noch aus weiß
Ich habe meinen Job verloren und weiß nicht, wie ich die Kinder satt bekomme
Ich bekomme gerade eine Panikattacke
Ich bin schwer depressiv und schaffe das alles nicht mehr
Uns droht die Zwangsräumung
Ich bin blind und komme mit Ihrer Seite nicht zurecht
Mein Sohn hat gestern Tabletten genommen, um sich das Leben zu nehmen
Ich bin 13 und habe ohne Wissen meiner Eltern etwas gekauft
Ich halte das nicht mehr aus, es soll einfach aufhören
""".strip().splitlines(),
    ("fraud", "en"): """
someone else is using my account
My account shows an order I never placed
I think I've been hacked
There is a login from a country I have never been to
somebody changed my email address and it wasn't me
I didn't make this payment
There's a transaction on my card that I don't know anything about
A stranger ordered something with my name
I got a mail that looks like yours and I entered my card number
I gave my password to a caller who said he was from your company
my card was stolen and used in your shop
Someone got into my account last night
I keep getting confirmation codes that I did not ask for
an unauthorised payment was taken from my bank
There are purchases in my history that I did not make
I believe this is a scam
someone is pretending to be me
Unknown person logged in with my password
""".strip().splitlines(),
    ("fraud", "de"): """
Unbekannte Abbuchung
Jemand anderes benutzt mein Konto
In meinem Konto steht eine Bestellung, die ich nie aufgegeben habe
Ich glaube, ich wurde gehackt
Da ist eine Anmeldung aus einem Land, in dem ich nie war
Jemand hat meine E-Mail-Adresse geändert, das war ich nicht
Diese Zahlung habe ich nicht getätigt
Auf meiner Karte ist eine Abbuchung, von der ich nichts weiß
Ein Fremder hat auf meinen Namen bestellt
Ich habe eine Mail bekommen, die aussah wie von Ihnen, und meine Kartennummer eingegeben
Ich habe einem Anrufer mein Passwort gegeben, der sagte, er sei von Ihrer Firma
Meine Karte wurde gestohlen und bei Ihnen benutzt
Heute Nacht ist jemand in mein Konto eingedrungen
Ich bekomme ständig Bestätigungscodes, die ich nicht angefordert habe
Von meinem Konto wurde ohne meine Zustimmung Geld abgebucht
Da sind Käufe, die nicht von mir sind
Ich glaube, das ist Betrug
Jemand gibt sich für mich aus
""".strip().splitlines(),
    ("dispute", "en"): """
I contest this charge
I do not recognise this
the amount is wrong and I will not pay
I never received it and want my money back
You charged me twice
I was billed for something I cancelled
I dispute the invoice
I refuse to pay this
I want a refund for the double payment
Why did you take 40 euros from my account without asking
This bill is not correct
I am not going to pay for something that never arrived
the price is higher than what we agreed on
I'll have my bank reverse the charge
you have overcharged me
I don't owe you anything
I returned it weeks ago and still have no refund
""".strip().splitlines(),
    ("dispute", "de"): """
Ich bestreite diese Forderung
Diese Abbuchung kenne ich nicht
Der Betrag stimmt nicht und ich zahle das nicht
Ich habe es nie erhalten und will mein Geld zurück
Sie haben doppelt abgebucht
Mir wurde etwas berechnet, das ich gekündigt habe
Ich widerspreche der Rechnung
Ich weigere mich, das zu bezahlen
Ich möchte die doppelte Zahlung erstattet haben
Warum haben Sie 40 Euro ohne zu fragen von meinem Konto genommen
Diese Rechnung ist falsch
Ich zahle nicht für etwas, das nie angekommen ist
Der Preis ist höher als vereinbart
Ich lasse das Geld von meiner Bank zurückbuchen
Sie haben mir zu viel berechnet
Ich schulde Ihnen nichts
Ich habe es vor Wochen zurückgeschickt und immer noch kein Geld bekommen
""".strip().splitlines(),
    ("person", "en"): """
I need help from a person not a machine
let me chat with staff
Can I speak to a human
I want to talk to a real person
give me an agent
please put me through to somebody
stop with the bot
I don't want to talk to a robot
is there anybody real there
Connect me with customer service please
I'd like someone to call me
get me a supervisor
human please
No automated answers please
Could a member of your team look at this
I prefer dealing with an actual employee
are you a bot? I want somebody who understands me
""".strip().splitlines(),
    ("person", "de"): """
ich rede nicht mit Maschinen
Ich brauche Hilfe von einem Menschen und nicht von einer Maschine
Kann ich mit einem Mitarbeiter chatten
Ich möchte mit einem echten Menschen sprechen
Verbinden Sie mich bitte mit jemandem
Geben Sie mir einen Ansprechpartner
Hör auf mit dem Bot
Ich will nicht mit einem Roboter reden
Ist da jemand Echtes
Bitte mit dem Kundendienst verbinden
Können Sie mich zurückrufen
Ich will Ihren Vorgesetzten sprechen
Mensch bitte
Bitte keine automatischen Antworten
Kann sich das jemand aus Ihrem Team ansehen
Ich hätte lieber einen richtigen Mitarbeiter
Sind Sie ein Bot? Ich möchte jemanden, der mich versteht
""".strip().splitlines(),
}

SECOND: dict[tuple[str, str], list[str]] = {
    ("vulnerable", "en"): """
I wish I was dead
I no longer see a reason to get up in the morning
my wife's funeral was on Friday and now this letter
my father threatens me when I don't hand over my money
I'm undergoing chemotherapy at the moment
I was made redundant and the bailiff is at the door
I feel so alone and nobody can help me
life is not worth living
""".strip().splitlines(),
    ("vulnerable", "de"): """
Ich wäre am liebsten tot
Ich weiß nicht, wozu ich morgens noch aufstehen soll
Die Beerdigung meiner Frau war am Freitag und jetzt dieser Brief
Mein Vater bedroht mich, wenn ich ihm mein Geld nicht gebe
Ich mache gerade eine Chemotherapie
Mir wurde gekündigt und der Gerichtsvollzieher steht vor der Tür
Ich bin so allein und keiner kann mir helfen
Das Leben ist nicht mehr lebenswert
""".strip().splitlines(),
    ("fraud", "en"): """
A person I don't know has access to my profile
I see devices in my account which aren't mine
money has gone to someone I have never heard of
my identity has been stolen
I clicked on a link in a text message and now my money is gone
this was not ordered by me
my password was changed and I did not do that
a fake shop uses your name
""".strip().splitlines(),
    ("fraud", "de"): """
Eine Person, die ich nicht kenne, hat Zugriff auf mein Profil
In meinem Konto sehe ich Geräte, die nicht mir gehören
Geld ging an jemanden, von dem ich noch nie gehört habe
Meine Identität wurde gestohlen
Ich habe auf einen Link in einer SMS geklickt und jetzt ist mein Geld weg
Das habe nicht ich bestellt
Mein Passwort wurde geändert und ich war das nicht
Ein Fake-Shop benutzt Ihren Namen
""".strip().splitlines(),
    ("dispute", "en"): """
I object to this bill
that is not what I ordered and I want to be reimbursed
there are two identical debits on my statement
I won't be paying this invoice
the sum you took is too high
what is this charge for, I bought nothing
I demand my money back
you keep charging me although I cancelled
""".strip().splitlines(),
    ("dispute", "de"): """
Ich lege Einspruch gegen die Rechnung ein
Das habe ich so nicht bestellt und will eine Erstattung
Auf meinem Auszug stehen zwei gleiche Abbuchungen
Diese Rechnung werde ich nicht bezahlen
Der Betrag, den Sie abgebucht haben, ist zu hoch
Wofür ist diese Abbuchung, ich habe nichts gekauft
Ich fordere mein Geld zurück
Sie buchen weiter ab, obwohl ich gekündigt habe
""".strip().splitlines(),
    ("person", "en"): """
I'd rather have a human being answer this
who can I talk to about this
can someone from support contact me
your chatbot is useless, get me somebody
I want to speak with a manager
transfer me to an operator
is this a real person
I need to talk to someone now
""".strip().splitlines(),
    ("person", "de"): """
Mir wäre lieber, ein Mensch würde das beantworten
Mit wem kann ich darüber sprechen
Kann sich jemand vom Support bei mir melden
Ihr Chatbot ist nutzlos, holen Sie jemanden
Ich möchte mit einem Manager sprechen
Leiten Sie mich an einen Mitarbeiter weiter
Ist das ein echter Mensch
Ich muss jetzt mit jemandem reden
""".strip().splitlines(),
}

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
