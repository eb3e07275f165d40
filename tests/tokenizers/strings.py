"""The strings that tokenizers are compared on: generated ones, and prose of this machine in many languages."""
import functools
import glob
import gzip
import random
import re
import unicodedata


@functools.lru_cache(None)
def classes_and_marks():
    """The code points of each general category, and those that combine."""
    classes = {}
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000:
            classes.setdefault(unicodedata.category(chr(c)), []).append(c)
    marks = [c for c in range(0x110000) if unicodedata.combining(chr(c))]
    return [classes[k] for k in sorted(classes)], marks


class Strings:
    """Deterministic strings that mix every kind of character."""

    WORDS = ("the quick Brown FOX don't can't it's naïve café Ünïcödé straße İstanbul ΣΊΣΥΦΟΣ ǅ ﬁne 1,234.56 U.S.A. "
             "e-mail@example.com http://a.b/c?d=e#f $100 50% C++ x=y [CLS] [SEP] [MASK] [PAD] [UNK] [cls] [MASK ##ing ## "
             "日本語 漢字 中文字 한국어 각 ㄱㅏ हिन्दी ภาษาไทย العربية עברית ქართული Ελληνικά Русский Ёлка й ї Việt Nam "
             "unaffable embeddings tokenization antidisestablishmentarianism supercalifragilistic 👍🏽 👨‍👩‍👧‍👦 🇩🇪 ☕️ 1️⃣ "
             "a\u0301\u0327 e\u0327\u0301 \u1e69 s\u0323\u0307 \u0344 \u0f73\u0f71 \u302a\u302e a\U0001d165\U0001d167").split()
    SPACES = [chr(c) for c in (9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 0x85, 0xA0, 0x1680, 0x180E, *range(0x2000, 0x2010),
                               0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)]

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.classes, self.marks = classes_and_marks()
        self.next = 0
        self.added = []

    def character(self):
        r = self.random
        kind = r.random()
        if kind < 0.35:
            return chr(r.choice(r.choice(self.classes)))
        if kind < 0.5:
            return chr(r.randrange(0x20, 0x7F))
        if kind < 0.6:
            return chr(r.choice(self.marks))
        if kind < 0.68:
            return r.choice(self.SPACES)
        if kind < 0.75:
            return chr(r.randrange(0xA0, 0x600))
        if kind < 0.85:
            return chr(r.choice((r.randrange(0x4E00, 0xA000), r.randrange(0xF900, 0xFB00), r.randrange(0x2F800, 0x2FA20),
                                 r.randrange(0xAC00, 0xD7A4), r.randrange(0x1100, 0x1200), r.randrange(0x20000, 0x2CEB0))))
        if kind < 0.9:
            return chr(r.choice((r.randrange(0, 0x20), r.randrange(0x7F, 0xA0), r.randrange(0xE000, 0xF900), 0xFFFD, 0xFFFE, 0,
                                 r.randrange(0xF0000, 0x110000), 0x200D, 0xFE0F, r.randrange(0x1F300, 0x1FA00))))
        while True:  # every code point in turn
            self.next = (self.next + 1) % 0x110000
            if not 0xD800 <= self.next < 0xE000:
                return chr(self.next)

    def piece(self):
        r = self.random
        kind = r.random()
        if kind < 0.45:
            word = r.choice(self.WORDS)
            return r.choice((word, word, word.upper(), word.lower(), word.capitalize(), unicodedata.normalize("NFD", word)))
        if kind < 0.55 and self.added:
            word = r.choice(self.added)
            return r.choice(("", " ", "  ", "a", "_", "é", "\u0301")) + word + r.choice(("", " ", "\t ", "b", "_", "\u0301", "中"))
        if kind < 0.9:
            return "".join(self.character() for _ in range(r.randrange(1, 8)))
        if kind < 0.97:
            return "".join(r.choice("abcdefghijklmnopqrstuvwxyzéABC##'") for _ in range(r.randrange(1, 25)))
        if kind < 0.99:
            return r.choice("aé中́ ") * r.randrange(95, 106)
        return self.character() * r.randrange(1, 300)

    def text(self):
        r = self.random
        separators = ("", " ", " ", " ", "  ", "\t", "\n", "-", ".")
        return "".join(self.piece() + r.choice(separators) for _ in range(r.randrange(0, 12)))

    def short(self):
        """A text of few pieces, as a test of many tokenizers needs."""
        r = self.random
        return "".join(self.piece() + r.choice(("", " ", " ", "\n", "-")) for _ in range(r.choice((0, 1, 1, 1, 2, 2, 3, 5))))


# Message catalogues and manuals of programs: running text in these languages is found on every Debian machine.
LANGUAGES = ("en de fr es it pt_BR ru uk bg sr el pl cs sk hu fi sv da nl tr ro vi id ja zh_CN zh_TW ko he ar fa hi mr pa ta te bn "
             "th ka hy ml gu kn am eo eu ga cy lt lv et is ast").split()


def messages_of(path):
    """The translations of a .mo file (GNU gettext manual, "The Format of GNU MO Files")."""
    with open(path, "rb") as file:
        data = file.read()
    order = "little" if data[:4] == b"\xde\x12\x04\x95" else "big"
    number = lambda at: int.from_bytes(data[at : at + 4], order)
    count, table = number(8), number(16)
    for i in range(count):
        length, at = number(table + 8 * i), number(table + 8 * i + 4)
        try:
            yield from (m for m in data[at : at + length].decode("utf-8").split("\0") if m)
        except UnicodeDecodeError:
            return  # a catalogue in another charset


def manual_pages(language):
    """Paragraphs of the manual pages of a language."""
    folder = "" if language == "en" else language + "/"
    for path in sorted(glob.glob("/usr/share/man/%sman[1-8]/*.gz" % folder))[:60]:
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                yield from (p for p in re.split(r"\n(?=\.)", file.read()) if p.strip())
        except (UnicodeDecodeError, OSError):
            continue


@functools.lru_cache(None)
def prose(language, most=4000):
    """Up to `most` distinct texts in a language, the same in every run on one machine; the catalogues' headers left out."""
    found = {}
    for path in sorted(glob.glob("/usr/share/locale/%s/LC_MESSAGES/*.mo" % language)):
        found.update((m, None) for m in messages_of(path) if "Content-Type:" not in m)
    if len(found) < most:
        found.update((p, None) for p in manual_pages(language))
    texts = list(found)
    random.Random(language).shuffle(texts)
    return texts[:most]


def all_prose(most_each):
    """Language -> texts, for the languages with at least 100 texts here."""
    texts = {language: prose(language, most_each) for language in LANGUAGES}
    return {language: found for language, found in texts.items() if len(found) >= min(100, most_each)}
