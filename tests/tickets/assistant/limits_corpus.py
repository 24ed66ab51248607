"""What customers write who are to get a person at once.

Written without a look at tickets/assistant/words. FIRST was at hand when the lists were widened, and is held to;
SECOND was written with it and kept back, so that what is found of it says what the lists are worth on words that nobody
fitted them to. What must not be caught is in everyday_corpus.
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
