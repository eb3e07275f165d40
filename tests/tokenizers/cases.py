"""One tokenizer for each component and option of tokenizer.json, trained or put together here.

A component is seen through a model that hides nothing of its work: `bytes_model` has a token for each byte, so that tokens
and offsets show a normalized text byte by byte; `words_model` knows no word, so that each word is one token and reads as
its text.
"""
import json
import struct

from tokenizers import Regex as CompiledRegex
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from trained import bpe, edited, merges_as_strings, unigram, with_fallback, word_level, wordpiece


class Regex(str):
    """A regular expression that still shows its text."""


def compiled(pattern):
    return CompiledRegex(str(pattern)) if isinstance(pattern, Regex) else pattern


def shown(pattern):
    return "/%s/" % pattern if isinstance(pattern, Regex) else repr(pattern)


BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = "|".join([r"[^\r\n\p{L}\p{N}]?" + UPPER + "*" + LOWER + "+" + ENDING, r"[^\r\n\p{L}\p{N}]?" + UPPER + "+" + LOWER + "*" + ENDING,
                  r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
DEEPSEEK = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
CJK = "[一-龥぀-ゟ゠-ヿ]+"
BEHAVIORS = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")


def bytes_model():
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(BYTES)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def words_model():
    return Tokenizer(models.Unigram([("<unk>", 0.0)], unk_id=0))


def with_normalizer(*steps):
    tokenizer = bytes_model()
    tokenizer.normalizer = steps[0] if len(steps) == 1 else normalizers.Sequence(list(steps))
    return tokenizer


def with_pre_tokenizer(*steps, normalizer=None):
    tokenizer = words_model()
    tokenizer.pre_tokenizer = steps[0] if len(steps) == 1 else pre_tokenizers.Sequence(list(steps))
    if normalizer:
        tokenizer.normalizer = normalizer
    return tokenizer


def char_map(entries):
    """SentencePiece's compiled map: a Darts double array over the keys, each node at a place of its own, then the values."""
    values, places, at = b"", {}, 0
    for key, value in sorted(entries.items()):
        places[key.encode()] = at
        values += value.encode() + b"\0"
        at = len(values)
    trie = {}
    for key in places:
        node = trie
        for byte in key:
            node = node.setdefault(byte, {})
        node[0] = places[key]
    units = {}

    def place(node, unit):
        base = 256
        while any(base ^ byte in taken for byte in node) or base in bases:
            base += 256 if base % 256 == 255 else 1
        bases.add(base)
        taken.update(base ^ byte for byte in node)
        offset = base ^ unit
        while offset >= 1 << 21:
            raise ValueError("too many keys for this simple builder")
        for byte, child in sorted(node.items()):
            if byte == 0:
                units[base] = child | 1 << 31
        for byte, child in sorted(node.items()):
            if byte != 0:
                child_base = place(child, base ^ byte)
                units[base ^ byte] = byte | ((child_base ^ base ^ byte) << 10) | ((1 << 8) if 0 in child else 0)
        return base

    taken, bases = {0}, set()
    root = place(trie, 0)
    units[0] = root << 10
    size = (max(units) // 256 + 1) * 256
    array = b"".join(struct.pack("<I", units.get(i, 0)) for i in range(size))
    return struct.pack("<I", len(array)) + array + values


CHAR_MAP = {"ﬁ": "fi", "é": "e", "e\u0301": "E-", "Ａ": "A", "①": "1", "\u200b": "", "\u3000": " ", "日本": "nihon", "ß": "ss", "a": "bb",
            "a\u0301": "", "가": "ga", "\u1100\u1161": "GA", "👍": "+1", "\u00a0": " ", "x": "", "ǅ": "dž", "½": "1/2"}


def normalizer_cases():
    n = normalizers
    for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt", "StripAccents", "ByteLevel"):
        yield name, lambda name=name: with_normalizer(getattr(n, name)())
    for left in (True, False):
        for right in (True, False):
            yield "Strip %d%d" % (left, right), lambda left=left, right=right: with_normalizer(n.Strip(left, right))
    for i in range(16):
        options = dict(zip(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"), map(bool, (i & 1, i & 2, i & 4, i & 8))))
        yield "BertNormalizer %d" % i, lambda options=options: with_normalizer(n.BertNormalizer(**options))
    yield "BertNormalizer accents none", lambda: with_normalizer(n.BertNormalizer(strip_accents=None, lowercase=True))
    for text in ("▁", "the ", "é\u0301", "ab"):
        yield "Prepend %r" % text, lambda text=text: with_normalizer(n.Prepend(text))
    # Any step that changes text behind this one panics in the package, ByteLevel too.
    yield "Prepend nothing", lambda: with_pre_tokenizer(pre_tokenizers.WhitespaceSplit(), normalizer=n.Prepend(""))
    replacements = [(" ", "▁"), ("a", ""), ("the", "THE END"), ("é", "e"), ("  ", " "), ("aa", "a"), (Regex(r"\s+"), " "), (Regex(r"\p{M}+"), ""),
                    (Regex(r"[ab]*"), "-"), (Regex(r"(?<=\s)\w"), "X"), (Regex(r"(\w)\1"), "="), (Regex(r" {2,}"), "▁"), (Regex(r"^"), ">"),
                    (Regex(r"$"), "<"), (Regex(r"\b"), "|"), (Regex(r"(?i)quick"), "fast"), (Regex("."), "é"), (Regex(r"\n"), ""), ("``", '"'),
                    ("\u0301", "zz"), (Regex(r"[^\x00-\x7F]"), "?"), (Regex(r"\A\s"), "")]
    for pattern, content in replacements:
        yield "Replace %s %r" % (shown(pattern), content), lambda a=pattern, b=content: with_normalizer(n.Replace(compiled(a), b))
    yield "Precompiled", lambda: with_normalizer(n.Precompiled(char_map(CHAR_MAP)))
    yield "Sequence XLNet", lambda: with_normalizer(n.Replace("``", '"'), n.Replace("''", '"'), n.NFKD(), n.StripAccents(), n.Lowercase(),
                                                    n.Precompiled(char_map(CHAR_MAP)), n.Replace(CompiledRegex(" {2,}"), " "))
    yield "Sequence Llama", lambda: with_normalizer(n.Prepend("▁"), n.Replace(" ", "▁"))
    yield "Sequence CLIP", lambda: with_normalizer(n.NFC(), n.Replace(CompiledRegex(r"\s+"), " "), n.Lowercase())
    yield "Sequence nested", lambda: with_normalizer(n.Strip(), n.Sequence([n.NFD(), n.Sequence([n.Lowercase(), n.StripAccents()])]), n.NFC(), n.Prepend("a"),
                                                     n.Strip(), n.Nmt())
    yield "Sequence empty", lambda: with_normalizer(n.Sequence([]))
    yield "Sequence forms", lambda: with_normalizer(n.NFKD(), n.NFC(), n.NFD(), n.NFKC())


PATTERNS = [("gpt2", GPT2), ("clip", CLIP), ("llama3", LLAMA3), ("qwen2", QWEN2), ("cl100k", CL100K), ("o200k", O200K), ("deepseek", DEEPSEEK),
            ("cjk", CJK), ("digits", r"\p{N}{1,3}"), ("groups of three", r"\d{1,3}(?=(?:\d{3})*\b)"), ("space", r"\s"), ("words", r"\w+|[^\w\s]+"),
            ("not word", r"\W"), ("not digit", r"\D+"), ("not space", r"\S+"), ("hex", r"\h+"), ("lookbehind", r"(?<=[a-z])(?=[A-Z])"), ("negative", r"(?<!a)b|c(?!d)"),
            ("posix", r"[[:alpha:]]+|[[:punct:]]|[[:digit:]]+"), ("posix not", r"[[:^space:]]+"), ("dot", "."), ("dot all", "(?m:.)+"), ("lazy", r"\w+?\s"), ("possessive", r"\w++."),
            ("atomic", r"(?>a+)b|."), ("alternation", r"the|[Tt]ok\w*|\d"), ("scripts", r"\p{Han}|\p{Hiragana}+|\p{Arabic}+|\p{Cyrillic}+|\p{Greek}|\p{Latin}+"),
            ("long names", r"\p{Letter}+|\p{Mark}|\p{Number}|\p{Punctuation}|\p{Symbol}"), ("negated", r"\P{L}+|\p{^N}"), ("in set", r"[\p{L}\p{M}\d_]+|[^\s\w]"),
            ("ignore case", r"(?i)[a-c]+|ΣΊΣΥΦΟΣ|k|ünïcödé|[^\W\d]x"), ("emoji", r"[\x{1F300}-\x{1FAFF}]️?"), ("controls", r"[\x00-\x1f\x7f]"), ("line", r"\R|\n"), ("anchors", r"^.|.$"),
            ("backreference", r"(.)\1+"), ("braces", r"a{2}|b{2,}|c{,3}d"), ("boundary", r"\b\w|\B."), ("escapes", r"[\t\n\r\f\v ]|\.|\-|\/"),
            ("empty matches", r"x*"), ("set intersection", r"[\p{L}&&[^\p{Han}a-m]]+|[^a-z&&\w]"), ("nested sets", r"[a[bc][\u0400-\u04ff]]+|[^[a-y]\p{M}]"),
            ("kimi", r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
            ("negated in set", r"[\W_]+|[\D&&\S]|[^\S\n]"), ("interval plus", r"\p{N}{1,3}+|a{2}?b|e{1,2}?"), ("options in the middle", r"t(?i)h|the(?-i)X|\s(?m:.)\s"),
            ("tiktoken", r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"),
            ("more scripts", r"\p{Devanagari}+|\p{Hangul}+|\p{Katakana}|\p{Thai}+|\p{Hebrew}+|\p{Common}|\p{Inherited}+|\p{Grek}"), ("posix names", r"\p{Alpha}+|\p{Punct}|\p{Upper}"),
            ("posix rest", r"[[:upper:]]+|[[:lower:]]|[[:alnum:]]+|[[:cntrl:]]|[[:blank:]]|[[:word:]]+|[[:graph:]]"), ("other", r"\p{C}+|\p{Cn}|\P{M}\p{M}+"), ("print", r"[^[:print:]]|[[:xdigit:]]+|[[:^ascii:]]"), ("categories", r"\p{Lu}+|\p{Ll}+|\p{Lt}|\p{Lm}|\p{Lo}+|\p{Nd}+|\p{Nl}|\p{No}|\p{Cc}|\p{Cf}|\p{Co}|\p{Zs}|\p{Sm}|\p{So}")]


CATEGORIES = "L M N P S Z C Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn".split()
POSIX = "alpha alnum digit space upper lower punct cntrl blank xdigit ascii word graph print".split()


def character_class_cases():
    """Every class of an expression, outside of sets and in them, for itself and negated."""
    patterns = [r"\%s" % c for c in "wWdDsShH"] + [r"[\%s]" % c for c in "wWdDsShH"] + [r"[^\%s]" % c for c in "wWdDsShH"]
    patterns += [r"[^\w\s]", r"[\w&&\S]", r"[\W_]", r"(?i)\w", r"(?i)[\w]", r"[^[:word:]x]", r"[[:^word:]x]", r"[\P{Word}a]", r"\p{^Word}"]
    patterns += [form % c for c in CATEGORIES for form in (r"\p{%s}", r"[\p{%s}]", r"\P{%s}", r"[^\p{%s}]")]
    patterns += [form % c for c in POSIX for form in ("[[:%s:]]", "[[:^%s:]]", "[^[:%s:]]", r"\p{%s}", r"\P{%s}", r"[\p{%s}]")]
    for pattern in patterns:
        yield pattern, lambda pattern=pattern: with_pre_tokenizer(pre_tokenizers.Split(CompiledRegex(pattern), "removed"))
    yield "grapheme", lambda: with_normalizer(normalizers.Replace(CompiledRegex(r"(?<=.)"), "\u0301\u0301"), normalizers.Precompiled(char_map({"\u0301": "X"})))
    for pattern in (r"\b", r"\B"):
        yield pattern, lambda pattern=pattern: with_pre_tokenizer(pre_tokenizers.Split(CompiledRegex(pattern), "isolated"))


def pre_tokenizer_cases():
    p = pre_tokenizers
    for name in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"):
        yield name, lambda name=name: with_pre_tokenizer(getattr(p, name)())
    for prefix in (True, False):
        for regex in (True, False):
            yield "ByteLevel %d%d" % (prefix, regex), lambda a=prefix, b=regex: with_pre_tokenizer(p.ByteLevel(add_prefix_space=a, use_regex=b))
    for each in (True, False):
        yield "Digits %d" % each, lambda each=each: with_pre_tokenizer(p.Digits(each))
    for behavior in BEHAVIORS:
        yield "Punctuation %s" % behavior, lambda b=behavior: with_pre_tokenizer(p.Punctuation(b))
        for invert in (False, True):
            for pattern in (" ", "aa", Regex(r"\s+"), Regex(r"\d|\w+"), Regex(r"x*")):
                yield "Split %s %s %d" % (shown(pattern), behavior, invert), lambda a=pattern, b=behavior, c=invert: with_pre_tokenizer(p.Split(compiled(a), b, c))
    for name, pattern in PATTERNS:
        yield "Split %s" % name, lambda pattern=pattern: with_pre_tokenizer(p.Split(CompiledRegex(pattern), "isolated"))
        yield "Split %s removed" % name, lambda pattern=pattern: with_pre_tokenizer(p.Split(CompiledRegex(pattern), "removed", True))
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            yield "Metaspace %s %d" % (scheme, split), lambda a=scheme, b=split: with_pre_tokenizer(p.Metaspace(prepend_scheme=a, split=b))
    yield "Metaspace _", lambda: with_pre_tokenizer(p.Metaspace("_", "first"))
    for c in "-é a中":
        yield "CharDelimiterSplit %r" % c, lambda c=c: with_pre_tokenizer(p.CharDelimiterSplit(c))
    for length in (1, 2, 5, 50):
        yield "FixedLength %d" % length, lambda length=length: with_pre_tokenizer(p.FixedLength(length))
    yield "Sequence XLNet", lambda: with_pre_tokenizer(p.WhitespaceSplit(), p.Metaspace())
    yield "Sequence digits bytes", lambda: with_pre_tokenizer(p.Digits(True), p.ByteLevel(add_prefix_space=True), normalizer=normalizers.NFKC())
    yield "Sequence DeepSeek", lambda: with_pre_tokenizer(p.Split(CompiledRegex(r"\p{N}{1,3}"), "isolated"), p.Split(CompiledRegex(CJK), "isolated"),
                                                          p.Split(CompiledRegex(DEEPSEEK), "isolated"), p.ByteLevel(False, True, False))
    yield "Sequence two texts", lambda: with_pre_tokenizer(p.Metaspace(prepend_scheme="first"), p.ByteLevel(add_prefix_space=True), p.Metaspace("_"),
                                                           normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]))
    yield "Sequence nested", lambda: with_pre_tokenizer(p.Whitespace(), p.Sequence([p.Punctuation("merged_with_next"), p.Sequence([p.Digits()])]),
                                                        p.UnicodeScripts(), p.FixedLength(3), normalizer=normalizers.Replace("a", "bcd"))
    yield "Sequence empty", lambda: with_pre_tokenizer(p.Sequence([]))


def bpe_cases():
    p, d = pre_tokenizers, decoders
    yield "bytes", lambda: bpe(alphabet=BYTES, pre_tokenizer=p.ByteLevel(add_prefix_space=False), decoder=d.ByteLevel())
    yield "bytes prefix space", lambda: bpe(alphabet=BYTES, pre_tokenizer=p.ByteLevel(add_prefix_space=True), decoder=d.ByteLevel())
    yield "bytes no regex", lambda: bpe(alphabet=BYTES, pre_tokenizer=p.ByteLevel(add_prefix_space=False, use_regex=False), decoder=d.ByteLevel())
    yield "bytes o200k", lambda: bpe(alphabet=BYTES, decoder=d.ByteLevel(),
                                     pre_tokenizer=p.Sequence([p.Split(CompiledRegex(O200K), "isolated"), p.ByteLevel(False, True, False)]))
    yield "bytes llama3", lambda: edited(bpe(3000, alphabet=BYTES, decoder=d.ByteLevel(), pre_tokenizer=p.Sequence(
        [p.Split(CompiledRegex(LLAMA3), "isolated"), p.ByteLevel(False, True, False)])), ignore_merges=True)
    yield "bytes suffix", lambda: bpe(alphabet=BYTES, pre_tokenizer=p.ByteLevel(add_prefix_space=False), end_of_word_suffix="</w>", normalizer=normalizers.NFC(),
                                      decoder=d.Sequence([d.BPEDecoder(), d.ByteLevel()]))
    yield "bytes prefix", lambda: bpe(alphabet=BYTES, pre_tokenizer=p.ByteLevel(add_prefix_space=False), continuing_subword_prefix="##", unk_token="[UNK]", specials=["[UNK]"])
    yield "no unknown", lambda: bpe()
    for fuse in (False, True):
        yield "unknown fuse=%d" % fuse, lambda fuse=fuse: bpe(specials=["<unk>"], unk_token="<unk>", fuse_unk=fuse)
        yield "fallback fuse=%d" % fuse, lambda fuse=fuse: with_fallback(bpe(specials=["<unk>"], unk_token="<unk>", fuse_unk=fuse))
    yield "fallback no unknown", lambda: with_fallback(bpe())
    yield "fallback part", lambda: edited(bpe(specials=["<unk>"] + ["<0x%02X>" % b for b in range(0x80, 0xD0)], unk_token="<unk>"), byte_fallback=True)
    yield "fallback suffix", lambda: with_fallback(bpe(specials=["<unk>"], unk_token="<unk>", end_of_word_suffix="</w>"))
    yield "fallback prefix", lambda: with_fallback(bpe(specials=["<unk>"], unk_token="<unk>", continuing_subword_prefix="##"))
    yield "llama", lambda: with_fallback(bpe(specials=["<unk>", "<s>", "</s>"], unk_token="<unk>", fuse_unk=True, pre_tokenizer=p.Metaspace(prepend_scheme="first"),
                                             decoder=d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)])))
    yield "ignore merges", lambda: edited(bpe(3000, specials=["<unk>"], unk_token="<unk>"), ignore_merges=True, merges=[])
    yield "suffix", lambda: bpe(specials=["<unk>"], unk_token="<unk>", end_of_word_suffix="</w>", decoder=d.BPEDecoder())
    yield "prefix", lambda: bpe(specials=["<unk>"], unk_token="<unk>", continuing_subword_prefix="##", decoder=d.WordPiece())
    yield "prefix and suffix", lambda: bpe(specials=["<unk>"], unk_token="<unk>", continuing_subword_prefix="@@", end_of_word_suffix="</w>")
    yield "merges as strings", lambda: merges_as_strings(bpe(specials=["<unk>"], unk_token="<unk>"))
    yield "no pre-tokenizer", lambda: bpe(specials=["<unk>"], unk_token="<unk>", pre_tokenizer=p.Sequence([]))
    yield "dropout 0", lambda: edited(bpe(specials=["<unk>"], unk_token="<unk>"), dropout=0.0)


def byte_pieces():
    file = json.loads(unigram().to_str())
    file["model"]["vocab"] += [["<0x%02X>" % b, -20.0] for b in range(256)]
    file["model"]["byte_fallback"] = True
    file["decoder"] = json.loads(decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]).__getstate__())
    return Tokenizer.from_str(json.dumps(file))


def equal_scores():
    pieces = [("<unk>", 0.0)] + [(t, -1.0) for t in ("a", "b", "ab", "ba", "aab", "bb", "abb", "▁", "▁a", "é", "e", "\u0301", "e\u0301", "日", "本", "日本", "the", "th")]
    return Tokenizer(models.Unigram(pieces, unk_id=0))


def unigram_cases():
    p = pre_tokenizers
    yield "metaspace", lambda: unigram()
    yield "no pre-tokenizer", lambda: unigram(p.Sequence([]))
    yield "words", lambda: unigram(p.WhitespaceSplit(), normalizer=normalizers.NFKC())
    yield "byte fallback", byte_pieces
    yield "ties", equal_scores
    yield "unknown in the middle", lambda: Tokenizer(models.Unigram([("a", -1.0), ("b", -2.5), ("<unk>", -3.0), ("ab", -3.0), (" ", -2.0)], unk_id=2))
    yield "byte level", lambda: unigram(p.ByteLevel(), decoder=decoders.ByteLevel())
    yield "t5", lambda: unigram(p.Sequence([p.WhitespaceSplit(), p.Metaspace()]), normalizer=normalizers.Precompiled(char_map(CHAR_MAP)))


def word_model_cases():
    yield "WordPiece", lambda: wordpiece(normalizer=normalizers.BertNormalizer())
    yield "WordPiece short words", lambda: wordpiece(max_input_chars_per_word=3)
    yield "WordPiece other prefix", lambda: wordpiece(prefix="@")
    yield "WordPiece no prefix", lambda: edited(wordpiece(), continuing_subword_prefix="")
    yield "WordPiece no words", lambda: wordpiece(pre_tokenizers.Sequence([]))
    yield "WordLevel", lambda: word_level()
    yield "WordLevel other unknown", lambda: word_level(unk_token="the")


def processor_cases():
    q = processors

    def on(processor, model=None):
        def make():
            tokenizer = (model or (lambda: bpe(800, alphabet=BYTES, pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True), decoder=decoders.ByteLevel(),
                                               specials=["<s>", "</s>", "<p>", " x ", "Ġ"])))()
            tokenizer.post_processor = processor()
            return tokenizer
        return make

    for trim in (True, False):
        for prefix in (True, False):
            yield "ByteLevel %d%d" % (trim, prefix), on(lambda a=trim, b=prefix: q.ByteLevel(trim_offsets=a, add_prefix_space=b))
            yield "RobertaProcessing %d%d" % (trim, prefix), on(lambda a=trim, b=prefix: q.RobertaProcessing(("</s>", 1), ("<s>", 0), a, b))
    yield "BertProcessing", on(lambda: q.BertProcessing(("</s>", 1), ("<s>", 0)))
    specials = [("<s>", 0), ("</s>", 1), ("<p>", 2)]
    templates = [("<s> $A </s>", "<s> $A </s> $B:1 </s>:1"), ("$A </s>", "$A </s> $B </s>"), ("$0", "$A:2 <p>:3 $B:4"), ("<s>:7 $0:5 <s>:8", "$B:1 <p> $A:6"),
                 ("<s> <p> $A", "<s> $A:1 $B:0"), ("$A:3", "$A $B"), ("<p>:1 $A:1", "<p> $A <p> <p> $B <s> </s>")]
    for single, pair in templates:
        yield "TemplateProcessing %s / %s" % (single, pair), on(lambda a=single, b=pair: q.TemplateProcessing(a, b, specials))
    several = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "many", "type_id": 1}}, {"Sequence": {"id": "A", "type_id": 0}}],
               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "many", "type_id": 2}}, {"Sequence": {"id": "B", "type_id": 1}}],
               "special_tokens": {"many": {"id": "many", "ids": [0, 2, 1], "tokens": ["<s>", "<p>", "</s>"]}}}

    def many():
        file = json.loads(bpe(600).to_str())
        file["post_processor"] = several
        return Tokenizer.from_str(json.dumps(file))

    yield "TemplateProcessing several tokens", many
    yield "Sequence trim, template", on(lambda: q.Sequence([q.ByteLevel(trim_offsets=True), q.TemplateProcessing(*templates[0], specials)]))
    yield "Sequence template, trim", on(lambda: q.Sequence([q.TemplateProcessing(*templates[0], specials), q.ByteLevel(trim_offsets=True, add_prefix_space=False)]))
    yield "Sequence no trim, template", on(lambda: q.Sequence([q.ByteLevel(trim_offsets=False), q.TemplateProcessing(*templates[2], specials)]))
    yield "Sequence two trims", on(lambda: q.Sequence([q.ByteLevel(trim_offsets=True), q.ByteLevel(trim_offsets=True, add_prefix_space=False), q.BertProcessing(("</s>", 1), ("<s>", 0))]))
    yield "Sequence nested", on(lambda: q.Sequence([q.Sequence([q.ByteLevel()]), q.RobertaProcessing(("</s>", 1), ("<s>", 0))]))
    yield "ByteLevel over metaspace", on(lambda: q.ByteLevel(), lambda: unigram(pre_tokenizers.WhitespaceSplit()))
    yield "no words pair", on(lambda: q.TemplateProcessing(*templates[0], specials), words_model)


ODD_TOKENS = ["<0x41>", "<0xE2>", "<0x96>", "<0x81>", "<0xFF>", "<0x0a>", "<0x+A>", "<0x4G>", "</w>", "a</w>", "</w>b", "</w></w>", "▁", "▁a", "a▁b", "▁▁", "##", "##a", "a##",
              "# #", "|", "a|b", "<pad>", "x<pad>y", " ", "  a", "a  ", " a ", "", "a", "b", "é", "e\u0301", "Ġa", "Ġ", "ĊĠ", "Ã", "©", "ð", "中", ".", " .", "?", " ?", "!", ",", " ,",
              "'", " ' ", "n't", " n't", " 'm", " do not", " 's", "'ve", " 're", "do", "not", "\n", "👍", "aa", "aaa", "_a", "__", "the"]


def decoder_cases():
    d = decoders

    def on(decoder):
        def make():
            tokenizer = Tokenizer(models.WordLevel({t: i for i, t in enumerate(ODD_TOKENS)}, unk_token="a"))
            tokenizer.pre_tokenizer = pre_tokenizers.CharDelimiterSplit("-")
            if decoder:
                tokenizer.decoder = decoder()
            return tokenizer
        return make

    yield "none", on(None)
    for name in ("ByteLevel", "ByteFallback", "Fuse", "Metaspace", "WordPiece", "BPEDecoder", "CTC"):
        yield name, on(getattr(d, name))
    for prefix in ("##", "a", ""):
        for cleanup in (True, False):
            yield "WordPiece %r %d" % (prefix, cleanup), on(lambda a=prefix, b=cleanup: d.WordPiece(a, b))
    for scheme in ("always", "first", "never"):
        yield "Metaspace %s" % scheme, on(lambda a=scheme: d.Metaspace(prepend_scheme=a))
        yield "Metaspace _ %s" % scheme, on(lambda a=scheme: d.Metaspace("_", a))
    for suffix in ("</w>", "a", "▁"):
        yield "BPEDecoder %r" % suffix, on(lambda a=suffix: d.BPEDecoder(a))
    for pad, delimiter, cleanup in (("<pad>", "|", True), ("<pad>", "|", False), ("a", " ", True), ("|", "a", True)):
        yield "CTC %r %r %d" % (pad, delimiter, cleanup), on(lambda a=pad, b=delimiter, c=cleanup: d.CTC(a, b, c))
    for content, left, right in ((" ", 1, 0), (" ", 0, 1), (" ", 1, 1), ("a", 2, 1), ("a", 1, 2), ("a", 9, 9), ("▁", 1, 0), ("é", 1, 1)):
        yield "Strip %r %d %d" % (content, left, right), on(lambda a=content, b=left, c=right: d.Strip(a, b, c))
    for pattern, content in (("▁", " "), ("a", ""), ("##", "#"), (Regex(r"\s+"), "_"), (Regex("[ab]"), "zz"), (Regex("x*"), "-"), (Regex("^a"), ""), (Regex("<0x..>"), "")):
        yield "Replace %s %r" % (shown(pattern), content), on(lambda a=pattern, b=content: d.Replace(compiled(a), b))
    yield "Sequence llama", on(lambda: d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)]))
    yield "Sequence all", on(lambda: d.Sequence([d.WordPiece(), d.Metaspace(), d.BPEDecoder(), d.CTC(), d.Replace("a", "b"), d.Strip("b", 1, 1)]))
    yield "Sequence bytes", on(lambda: d.Sequence([d.ByteLevel(), d.Replace("a", "b")]))
    yield "Sequence two bytes", on(lambda: d.Sequence([d.ByteFallback(), d.ByteLevel(), d.ByteFallback()]))
    yield "Sequence empty", on(lambda: d.Sequence([]))



def template_for_truncation():
    tokenizer = bpe(800, specials=["<s>", "</s>"], alphabet=BYTES, pre_tokenizer=pre_tokenizers.ByteLevel())
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(
        "<s>:3 $A:2 </s>", "<s> $A:4 </s> $B:5 </s>:1", [("<s>", 0), ("</s>", 1)])])
    return tokenizer


def truncation_cases():
    yield "plain", lambda: bpe(800, specials=["<unk>"], unk_token="<unk>")
    yield "template", template_for_truncation
    yield "bert", lambda: processed(wordpiece(), processors.BertProcessing(("[UNK]", 0), ("[UNK]", 0)))
    yield "unigram", lambda: processed(unigram(), processors.TemplateProcessing("$A <unk>", "$B <unk> $A:1", [("<unk>", 0)]))


def processed(tokenizer, processor):
    tokenizer.post_processor = processor
    return tokenizer


def added_token_cases():
    yield "NFKC lowercase", lambda: with_normalizer(normalizers.NFKC(), normalizers.Lowercase())
    yield "Prepend", lambda: with_normalizer(normalizers.Prepend("▁"), normalizers.Replace(" ", "▁"))
    yield "Strip", lambda: with_normalizer(normalizers.Strip())
    yield "Metaspace first", lambda: with_pre_tokenizer(pre_tokenizers.Metaspace(prepend_scheme="first"))
    yield "Metaspace always", lambda: with_pre_tokenizer(pre_tokenizers.Metaspace(), normalizer=normalizers.StripAccents())
    yield "ByteLevel", lambda: bpe(800, alphabet=BYTES, pre_tokenizer=pre_tokenizers.ByteLevel(), decoder=decoders.ByteLevel())
    yield "WordLevel", word_level
    yield "Unigram", unigram


GROUPS = {"class": character_class_cases, "normalizer": normalizer_cases, "pre_tokenizer": pre_tokenizer_cases, "BPE": bpe_cases, "Unigram": unigram_cases,
          "words": word_model_cases, "post_processor": processor_cases, "decoder": decoder_cases, "truncation": truncation_cases, "added": added_token_cases}
