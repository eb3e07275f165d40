"""Small vocabularies, trained here, and the files that checkpoints without a tokenizer.json have them in. Each function of
files returns one that writes them to a folder."""
import base64
import json
import pathlib

import sentencepiece_file as spm
from strings import Strings
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers.convert_slow_tokenizer import bytes_to_unicode

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def training_text():
    text = [p.read_text(encoding="utf-8") for p in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))]
    lines = [line for t in text for line in t.splitlines() if line.strip()]
    return lines[:3000] + [" ".join(Strings.WORDS)] * 20


class Trained:
    """What the cases are made of, each trained once."""

    def __init__(self):
        self.text = training_text()
        self.made = {}

    def bpe(self, kind):
        if kind not in self.made:
            suffix = "" if kind == "bytes" else "</w>"
            options = {"end_of_word_suffix": suffix} if suffix else {}
            tokenizer = Tokenizer(models.BPE(**options))
            if kind == "words":
                tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
                tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            else:
                tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            alphabet = [] if kind == "words" else pre_tokenizers.ByteLevel.alphabet()
            trainer = trainers.BpeTrainer(vocab_size=1500, initial_alphabet=alphabet, show_progress=False, **options)
            tokenizer.train_from_iterator(self.text, trainer)
            model = json.loads(tokenizer.to_str())["model"]
            vocab = sorted(model["vocab"], key=model["vocab"].get)
            if kind == "clip":  # every byte also ends a word
                vocab += [c + "</w>" for c in sorted(alphabet) if c + "</w>" not in model["vocab"]]
            self.made[kind] = vocab, [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
        return self.made[kind]

    def word_pieces(self):
        if "words and pieces" not in self.made:
            tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
            tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
            tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            tokenizer.train_from_iterator(self.text, trainers.WordPieceTrainer(vocab_size=1500, show_progress=False))
            vocab = tokenizer.get_vocab()
            self.made["words and pieces"] = sorted(vocab, key=vocab.get)
        return self.made["words and pieces"]

    def pieces(self):
        """Unigram pieces with scores."""
        if "unigram" not in self.made:
            tokenizer = Tokenizer(models.Unigram())
            tokenizer.normalizer = normalizers.NFKC()
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
            trainer = trainers.UnigramTrainer(vocab_size=900, show_progress=False, unk_token="<unk>", special_tokens=["<unk>"])
            tokenizer.train_from_iterator(self.text, trainer)
            self.made["unigram"] = [(t, s) for t, s in json.loads(tokenizer.to_str())["model"]["vocab"] if t != "<unk>"]
        return self.made["unigram"]

    def merged_pieces(self):
        """Pieces of a BPE model as SentencePiece numbers them: the merged ones first, then the characters."""
        if "merged" not in self.made:
            tokenizer = Tokenizer(models.BPE())
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
            tokenizer.train_from_iterator(self.text, trainers.BpeTrainer(vocab_size=1500, show_progress=False))
            vocab = json.loads(tokenizer.to_str())["model"]["vocab"]
            names = sorted(vocab, key=lambda t: (len(t) == 1, vocab[t]))
            self.made["merged"] = [(t, -float(i)) for i, t in enumerate(names)]
        return self.made["merged"]


TRAINED = Trained()
EOT = "<|endoftext|>"
FAIRSEQ = ["<unk>", "<s>", "</s>"]


def write_json(folder, name, value):
    (pathlib.Path(folder) / name).write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def bpe_files(kind="bytes", first=(), last=()):
    """vocab.json and merges.txt, with special tokens before and behind the trained ones."""
    def write(folder):
        vocab, merges = TRAINED.bpe(kind)
        tokens = [*first, *(t for t in vocab if t not in first and t not in last), *last]
        write_json(folder, "vocab.json", {t: i for i, t in enumerate(tokens)})
        lines = ["#version: 0.2", *(" ".join(m) for m in merges), ""]
        (pathlib.Path(folder) / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    return write


def lines_file(first):
    """vocab.txt"""
    def write(folder):
        lines = [*first, *(t for t in TRAINED.word_pieces() if t not in first), "Capital", "naïve", "trailing \u3000", ""]
        (pathlib.Path(folder) / "vocab.txt").write_text("\n".join(lines), encoding="utf-8", newline="\n")
    return write


def amino_acids_file():
    """vocab.txt of a protein model, and one token that is the beginning of another."""
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>", "THE", "thé"]
    return lambda folder: (pathlib.Path(folder) / "vocab.txt").write_text("\n".join(tokens), encoding="utf-8")


def unigram_file(name, controls, unk="<unk>", others=(), **options):
    """A Unigram .model with these pieces in front: control pieces, the unknown one, and pieces of the user's."""
    def write(folder):
        kinds = [spm.UNKNOWN if t == unk else spm.CONTROL for t in controls]
        pieces = [(t, 0.0, k) for t, k in zip(controls, kinds)] + [(t, 0.0, spm.USER_DEFINED) for t in others]
        pieces += [(t, s, spm.NORMAL) for t, s in TRAINED.pieces() if t not in controls and t not in others]
        data = spm.model(pieces, spm.UNIGRAM, unk_id=list(controls).index(unk), unk_piece=unk, **options)
        (pathlib.Path(folder) / name).write_bytes(data)
    return write


def merged_file(name, controls, unk="<unk>", others=(), byte_fallback=False):
    def write(folder):
        pieces = [(t, 0.0, spm.UNKNOWN if t == unk else spm.CONTROL) for t in controls]
        pieces += [(t, 0.0, spm.USER_DEFINED) for t in others]
        if byte_fallback:
            pieces += [("<0x%02X>" % b, 0.0, spm.BYTE) for b in range(256)]
        pieces += [(t, s, spm.NORMAL) for t, s in TRAINED.merged_pieces() if t not in controls and t not in others]
        data = spm.model(pieces, spm.BPE, unk_id=list(controls).index(unk), byte_fallback=byte_fallback, unk_piece=unk)
        (pathlib.Path(folder) / name).write_bytes(data)
    return write


def byte_tokens():
    """The trained tokens as bytes, in an order in which every token's parts come first."""
    back = {c: b for b, c in bytes_to_unicode().items()}
    tokens = [bytes(back[c] for c in t) for t in TRAINED.bpe("bytes")[0]]
    return [bytes([b]) for b in range(256)] + [t for t in tokens if len(t) > 1]


def rank_file(name):
    def write(folder):
        lines = [base64.b64encode(t) + b" %d\n" % i for i, t in enumerate(byte_tokens())]
        (pathlib.Path(folder) / name).write_bytes(b"".join(lines))
    return write


def tekken_file(specials, padded=0):
    def write(folder):
        tokens = byte_tokens()
        config = {"pattern": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
                  "num_vocab_tokens": len(tokens), "default_num_special_tokens": 20, "version": "v7"}
        if padded:
            config["default_vocab_size"] = len(tokens) + 20 - padded
        vocab = [{"rank": i, "token_bytes": base64.b64encode(t).decode(), "token_str": None} for i, t in enumerate(tokens)]
        special = [{"rank": i, "token_str": t, "is_control": True} for i, t in enumerate(specials)]
        write_json(folder, "tekken.json", {"config": config, "vocab": vocab, "special_tokens": special})
    return write


def letters_file(letters, wrap=lambda v: v):
    return lambda folder: write_json(folder, "vocab.json", wrap({t: i for i, t in enumerate(letters)}))
