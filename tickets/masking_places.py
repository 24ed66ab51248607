"""Postal addresses in a text, German and English ones. A part of tickets/masking.py: pure."""

import re
from collections.abc import Iterator

_NUMBER = r"\d{1,4}(?: ?[a-hA-H](?!\w))?(?: ?[-/–] ?\d{1,3}[a-h]?)?"
_END = r"(?!\w|[.,:]\d| ?(?:€|%|Euro?\b|EUR|Uhr\b|Stück\b|mal\b|Tage\b|days?\b|times\b|hours?\b|minutes?\b|o'clock))"
# By itself enough: nothing else ends so and is followed by a number.
_STRONG = (
    r"(?:straße|strasse|str\.|str|allee|gasse|chaussee|promenade|damm|ufer|steig|stieg|stiege|twiete|zeile)"
)
# Enough at the end of a longer name; alone, or in the words of _OTHERWISE, it means something else.
_WEAK = r"(?:weg|platz|ring|hof|markt|berg|feld|pfad|graben|park|wall|kamp|garten|winkel|brink|tor|brücke)"
_OTHERWISE = (
    r"(?:arbeits|park|sitz|steh|stell|start|ehren|tabellen|listen|speicher|zelt|lager|bildschirm|ohr|finger|verlobungs|ehe|trau|schlüssel"
    r"|dichtungs|gummi|he|boxe?n?|super|bau|floh|aktien|stand|hin|rück|um|aus|heim|liefer|versand|bahn|bauern|fried|innen|hinter|schul"
    r"|vergnügungs|freizeit|fuhr|kinder|motor|reak|direk|monitor|fak|moni|au|edi|rout|eingabe|text|daten|such|pflicht|spiel|formular|karten)"
)
_LETTERS = "A-Za-zÄÖÜäöüßéèáà"
_STREET = (
    rf"(?:(?<![\w…])(?:[A-ZÄÖÜ][{_LETTERS}.-]{{1,20}}[ -]){{0,2}}[{_LETTERS}.-]{{2,30}}?{_STRONG} {{1,2}}{_NUMBER}{_END}"  # Hauptstr. 12
    rf"|(?<![\w…])(?:[A-ZÄÖÜ][{_LETTERS}]{{2,20}}(?:er|[ -]\w{{2,20}})?[ -]){{1,2}}(?:Straße|Str\.|Strasse|Weg|Platz|Allee|Ring|Damm|Ufer|Markt|Gasse)"
    rf" {{1,2}}{_NUMBER}{_END}"  # Berliner Platz 3
    rf"|(?<![\w…])(?!(?i:{_OTHERWISE}){_WEAK})[A-ZÄÖÜ][{_LETTERS}-]{{2,30}}{_WEAK} {{1,2}}{_NUMBER}{_END}"  # Gartenweg 3
    rf"|(?<![\w…])Straße de[rs] [\w.]{{2,14}} [\w.]{{2,14}} {_NUMBER}{_END}"  # Straße des 17. Juni 135
    rf"|(?<![\w…])(?:Postfach|P\.? ?O\.? Box|POB) \d[\d ]{{1,8}}\d{_END}"
    r")"
)
_GERMAN = re.compile(_STREET)
_SMALL = re.compile(  # as people write on a telephone
    rf"(?<![\w…])[a-zäöüß.-]{{3,30}}(?:straße|strasse|str\.?|allee|gasse) {{1,2}}{_NUMBER}{_END}"
)
# Any name with a number before a postcode and a town: "Am Markt 3, 20095 Hamburg".
_BEFORE_TOWN = re.compile(
    rf"(?<![\w…])(?:(?:[Aa]m|[Aa]n|[Ii]m|[Ii]n|[Zz]um|[Zz]ur|[Aa]uf|[Uu]nter|[Hh]inter|[Bb]ei|[Vv]or) (?:de[mrn] )?)?[A-ZÄÖÜ][{_LETTERS}-]{{2,30}}"
    rf" {_NUMBER}(?=[, \n]{{1,3}}(?:(?:D|DE|A|CH)[- ])?\d{{4,5}} [A-ZÄÖÜ])"
)
_TOWN = rf"[A-ZÄÖÜ][{_LETTERS}-]{{2,25}}(?: (?:am|an der|im|in|ob der|vor der|bei) [A-ZÄÖÜ][{_LETTERS}]{{1,20}}| \([{_LETTERS}]{{2,20}}\)| [IVX]{{1,3}}\b)?"
_AFTER_STREET = re.compile(
    rf"[,;]? ?\n? ?(?:(?:D|DE|A|CH)[- ])?\d{{4,5}},? {_TOWN}|[,;]? ?\n? ?(?:in )?[A-ZÄÖÜ][a-zäöüß]{{2,20}}(?:,? (?:in )?\d{{5}})"
)
_TOWNS = (
    "Aachen|Augsburg|Basel|Bergisch Gladbach|Berlin|Bern|Bielefeld|Bochum|Bonn|Bottrop|Braunschweig|Bremen|Bremerhaven|Chemnitz|Cottbus|Darmstadt"
    "|Dortmund|Dresden|Duisburg|Düsseldorf|Erfurt|Erlangen|Essen|Flensburg|Frankfurt|Freiburg|Fürth|Gelsenkirchen|Genf|Gera|Göttingen|Graz|Hagen"
    "|Halle|Hamburg|Hamm|Hannover|Heidelberg|Heilbronn|Herne|Hildesheim|Ingolstadt|Innsbruck|Jena|Kaiserslautern|Karlsruhe|Kassel|Kiel|Klagenfurt"
    "|Koblenz|Köln|Krefeld|Leipzig|Leverkusen|Linz|Lübeck|Ludwigshafen|Luzern|Magdeburg|Mainz|Mannheim|Moers|Mönchengladbach|Mülheim|München|Münster"
    "|Neuss|Nürnberg|Oberhausen|Offenbach|Oldenburg|Osnabrück|Paderborn|Pforzheim|Potsdam|Recklinghausen|Regensburg|Remscheid|Reutlingen|Rostock"
    "|Saarbrücken|Salzburg|Schwerin|Siegen|Solingen|Stuttgart|Trier|Ulm|Wien|Wiesbaden|Winterthur|Wolfsburg|Wuppertal|Würzburg|Zürich|Zwickau"
)
_POSTCODE = re.compile(
    rf"(?<![\w….,#-])(?:(?:D|DE|A|CH)-\d{{4,5}} {_TOWN}|\d{{5}} (?:{_TOWNS})(?!\w)(?: (?:am|an der) [A-ZÄÖÜ][a-z]+)?"
    rf"|(?<=(?i:PLZ) )\d{{4,5}}(?!\w)(?: {_TOWN})?|(?<=(?i:PLZ): )\d{{4,5}}(?!\w)(?: {_TOWN})?|(?<=(?i:leitzahl) )\d{{4,5}}(?!\w)(?: {_TOWN})?"
    rf"|(?<=(?i:leitzahl): )\d{{4,5}}(?!\w)(?: {_TOWN})?|(?<=(?i:wohne in) )\d{{4,5}} {_TOWN}|(?<=(?i:leitzahl ist) )\d{{4,5}}(?!\w))"
)
_ENGLISH_WAY = (
    r"(?:Street|St\.?|Road|Rd\.?|Avenue|Ave\.?|Lane|Ln\.?|Drive|Dr\.|Close|Court|Ct\.|Square|Sq\.?|Terrace|Way|Place|Crescent|Boulevard|Blvd\.?"
    r"|Gardens|Grove|Row|Mews|Parade|Parkway|Pkwy\.?|Highway|Hwy\.?|Walk|Quay)"
)
_ENGLISH = re.compile(
    r"(?<![\w….,#-])(?:(?:[Ff]lat|[Aa]pt\.?|[Aa]partment|[Uu]nit|[Ss]uite) \w{1,5},? )?\d{1,5}[A-Za-z]?,? "
    rf"(?:(?:[A-Z][\w'’.-]{{1,20}} ){{1,3}}{_ENGLISH_WAY}(?!\w)|[a-z]{{3,15}} (?:street|avenue|road|lane)(?!\w)|(?:the|The) (?:[A-Z][\w'’]{{1,20}} ?){{1,2}}(?=,))"
    r"(?:,? (?:[Ff]lat|[Aa]pt\.?|[Uu]nit|#) ?\w{1,5})?"
)
_ENGLISH_TOWN = re.compile(
    r"(?:,? ?\n? ?[A-Z][\w'’-]{2,20}(?: [A-Z][\w'’-]{2,20}){0,2})?,? ?\n? ?(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}(?!\w)|[A-Z]{2},? \d{5}(?:-\d{4})?(?!\w))"
    r"|, [A-Z][\w'’-]{2,20}(?=[,.;!?]? |[.,;!?]?\Z|[.,;!?]?\n)"
)
_BRITISH = re.compile(r"(?<![\w…#-])[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}(?!\w)")
_AMERICAN = re.compile(r"(?<![\w…])[A-Z][a-z]{2,20}(?: [A-Z][a-z]{2,20})?, [A-Z]{2} \d{5}(?:-\d{4})?(?!\w)")
_HINTS = re.compile(
    r"[Ss]tra(?:ß|ss)e|[Ss]tr\b|allee|gasse|chaussee|promenade|damm|ufer|stie?ge?|twiete|zeile|[Ww]eg |[Pp]latz |[Rr]ing |hof |[Mm]arkt |berg |feld |pfad |graben "
    r"|park |wall |kamp |garten |winkel |brink |tor |brücke |[Pp]ostfach|[Bb]ox"
)
_NEEDS_LETTERS = re.compile(r"\d[A-Za-z]?,? [A-Za-z]|[A-Z]\d[A-Z]? ?\d[A-Z]|[a-zßüöä.] {1,2}\d")


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Spans of streets with their numbers, postcodes with their towns; those that follow each other as one."""
    if not _NEEDS_LETTERS.search(text):
        return
    if _HINTS.search(text):
        for pattern in (_GERMAN, _SMALL):
            for match in pattern.finditer(text):
                town = _AFTER_STREET.match(text, match.end())
                yield match.start(), town.end() if town else match.end()
    for match in _BEFORE_TOWN.finditer(text):
        town = _AFTER_STREET.match(text, match.end())
        yield match.start(), town.end() if town else match.end()
    for pattern in (_POSTCODE, _BRITISH, _AMERICAN):
        for match in pattern.finditer(text):
            yield match.span()
    for match in _ENGLISH.finditer(text):
        town = _ENGLISH_TOWN.match(text, match.end())
        yield match.start(), town.end() if town else match.end()
