"""What gamut refuses, each with a message that names component, option and value."""
import json
import os
import subprocess
import tempfile

BASE = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None,
        "decoder": None, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}


def split(regex):
    return {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}}


def bpe(**fields):
    return {"model": {**BASE["model"], **fields}}


def unigram(**fields):
    return {"model": {"type": "Unigram", "vocab": [["a", -1.0]], "unk_id": 0, **fields}}


# What is changed in BASE, and what the message must have.
REFUSED = [
    (bpe(dropout=0.5), ["model", "dropout", "0.5"]),
    (bpe(merges=[["a", "b"]]), ["merge 0", '"b"']),
    (bpe(merges=["a b c"]), ["merges[0]", "a b c"]),
    (bpe(fuse_unk=3), ["fuse_unk", "3", "true or false"]),
    (bpe(type="Neural"), ["model", "Neural"]),
    (bpe(vocab={"a": -1}), ['"a"', "-1"]),
    (unigram(unk_id=7), ["unk_id", "7"]),
    (unigram(vocab=[["a"]]), ["vocab[0]"]),
    (unigram(vocab=[]), ["unk_id", "0"]),
    ({"model": {"type": "WordLevel", "vocab": {"a": 0}}}, ["unk_token"]),
    ({"normalizer": {"type": "Frobnicate"}}, ["normalizer", "Frobnicate"]),
    ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "***"}}, ["normalizer", "precompiled_charsmap", "base64"]),
    ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}}, ["precompiled_charsmap"]),
    ({"normalizer": {"type": "Replace", "pattern": {"Regex": "("}, "content": ""}}, ["normalizer", "pattern", "("]),
    ({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "NFX"}]}}, ["normalizers[1]", "NFX"]),
    ({"pre_tokenizer": {"type": "Frobnicate"}}, ["pre_tokenizer", "Frobnicate"]),
    ({"pre_tokenizer": {"type": "Metaspace", "replacement": "ab", "prepend_scheme": "always"}}, ["replacement", "ab", "one character"]),
    ({"pre_tokenizer": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "often"}}, ["prepend_scheme", "often"]),
    ({"pre_tokenizer": {"type": "CharDelimiterSplit"}}, ["pre_tokenizer", "delimiter", "null"]),
    ({"pre_tokenizer": {"type": "CharDelimiterSplit", "delimiter": ""}}, ["delimiter", "one character"]),
    ({"pre_tokenizer": {"type": "FixedLength", "length": 0}}, ["length", "0"]),
    ({"pre_tokenizer": {"type": "Punctuation", "behavior": "Sideways"}}, ["behavior", "Sideways"]),
    (split("(?~a)"), ["pre_tokenizer", "(?~a)", "absent operator", "not supported"]),
    (split("(?x) a"), ["pre_tokenizer", "(?x) a", "option x", "not supported"]),
    (split("(?i)stra\u00dfe"), ["pre_tokenizer", "stra\u00dfe", "without regard to case", "not supported"]),
    (split("[a[^b]]"), ["pre_tokenizer", "[a[^b]]", "negated set", "not supported"]),
    (split("[a&&]"), ["pre_tokenizer", "[a&&]", "empty set"]),
    (split(r"\X"), ["pre_tokenizer", r"\X", "not supported"]),
    (split(r"\p{Nonsense}"), ["pre_tokenizer", r"\p{Nonsense}"]),
    (split("(?<name>a"), ["pre_tokenizer", "(?<name>a"]),
    (split("a\\"), ["pre_tokenizer", "a\\"]),
    (split("a" * 70000), ["pattern", "70000"]),
    ({"post_processor": {"type": "Frobnicate"}}, ["post_processor", "Frobnicate"]),
    ({"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}], "pair": [], "special_tokens": {}}}, ["post_processor", "<s>"]),
    ({"decoder": {"type": "Frobnicate"}}, ["decoder", "Frobnicate"]),
    ({"decoder": {"type": "Strip", "content": "ab", "start": 0, "stop": 0}}, ["decoder", "content", "ab"]),
]


def check_refusals(gamut, only=""):
    """Returns how many files were tried and how many went wrong."""
    wrong = tried = 0
    for change, expected in REFUSED:
        if only not in "refusals":
            continue
        tried += 1
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
                json.dump({**BASE, **change}, file)
            done = subprocess.run([gamut, "tokenize", folder], input=b'"a b"\n', capture_output=True)
        message = done.stderr.decode()
        if done.returncode != 1 or not all(word in message for word in expected):
            wrong += 1
            print("refusal of %s: exit %d, %s" % (json.dumps(change)[:200], done.returncode, message[:300]))
    return tried, wrong
