"""What goes wrong between a person and a record: typing errors, other ways to write a phone number or a street, letters without umlauts."""

NEIGHBORS = dict(a="sq", b="vn", c="xv", d="sf", e="wr", f="dg", g="fh", h="gj", i="uo", j="hk", k="jl", l="k", m="n", n="bm", o="ip", p="o",
                 q="wa", r="et", s="ad", t="rz", u="zi", v="cb", w="qe", x="yc", y="xa", z="tu")
MISHEARD = [pair.split(":") for pair in """
ph:f f:ph ck:k k:ck th:t t:th ie:i ei:ai ai:ei y:i i:y dt:t tz:z z:s mm:m nn:n ll:l ss:s c:k sch:sh er:a ou:u ey:ay v:w eu:oi
""".split()]
MISREAD = [pair.split(":") for pair in "m:rn rn:m l:1 o:0 cl:d e:c h:b i:l s:5".split()]
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "é": "e", "è": "e", "á": "a", "ó": "o",
                         "ç": "c", "ø": "o", "å": "a", "ğ": "g", "ı": "i", "ş": "s"})
ENGLISH_STREETS = {" Road": " Rd", " Street": " St", " Avenue": " Ave", " Close": " Cl", " Lane": " Ln", " Drive": " Dr"}


def fold(text):
    """Without umlauts and accents."""
    return text.translate(UMLAUTS)


def replaced(random, text, table):
    """`text` with one entry of `table` applied once, or None where none applies."""
    lower = text.lower()
    fitting = [(old, new) for old, new in table if old in lower]
    if not fitting:
        return None
    old, new = random.choice(fitting)
    at = lower.index(old)
    return text[:at] + new + text[at + len(old):]


def typo(random, text):
    """One error: misheard, misread, or a letter dropped, transposed, replaced, doubled or added."""
    if len(text) < 2:
        return text
    kind = random.random()
    for below, table in [(0.22, MISHEARD), (0.30, MISREAD)]:
        changed = replaced(random, text, table) if kind < below else None
        if changed is not None:
            return changed
    at = random.randrange(len(text))
    if kind < 0.48:
        return text[:at] + text[at + 1:]
    if kind < 0.64 and at + 1 < len(text):
        return text[:at] + text[at + 1] + text[at] + text[at + 2:]
    if kind < 0.80:
        return text[:at] + random.choice(NEIGHBORS.get(text[at].lower(), "e")) + text[at + 1:]
    if kind < 0.90:
        return text[:at] + text[at] + text[at:]
    return text[:at] + random.choice("abcdefghijklmnopqrstuvwxyz") + text[at:]


def digit_typo(random, text):
    """One digit, but the first, replaced or swapped with the digit before it."""
    digits = [at for at, letter in enumerate(text) if letter.isdigit()]
    if len(digits) < 3:
        return text
    at = random.choice(digits[1:])
    if random.random() < 0.5:
        return text[:at] + random.choice("0123456789") + text[at + 1:]
    before = digits[digits.index(at) - 1]
    letters = list(text)
    letters[at], letters[before] = letters[before], letters[at]
    return "".join(letters)


def phone_format(random, phone):
    """An international number as somebody might have written it."""
    kind, country, number = random.random(), phone[:3], phone[3:]
    for below, written in [(0.35, phone), (0.55, f"0{number[:3]} {number[3:]}"), (0.70, f"0{number[:3]}/{number[3:]}"),
                           (0.80, f"00{country[1:]}{number}"), (0.90, f"{country} (0){number[:3]} {number[3:]}")]:
        if kind < below:
            return written
    return "0" + number


def street_format(random, street, country):
    """A street with its kind cut short, or as it is."""
    kind = random.random()
    if country == "DE":
        if kind < 0.35:
            return street.replace("straße", "str.").replace("Straße", "Str.")
        if kind < 0.55:
            return street.replace("straße", "strasse").replace("Straße", "Strasse")
        return street.replace("straße", " Str").replace("-Straße", " Str") if kind < 0.62 else street
    if kind < 0.4:
        for long, short in ENGLISH_STREETS.items():
            street = street.replace(long, short)
    return street
