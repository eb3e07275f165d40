"""Tokenizers of each model, trained here on prose and generated strings, the same in every run."""
import json

from strings import Strings, all_prose
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers


def corpus():
    """Texts to train on, the same in every run."""
    texts = [text for found in all_prose(40).values() for text in found]
    strings = Strings(7)
    return texts + [strings.text() for _ in range(2000)]


class Corpus:
    texts = None

    @classmethod
    def get(cls):
        if cls.texts is None:
            cls.texts = corpus()
        return cls.texts


TRAINED = {}


def trained(model, trainer, pre_tokenizer=None, normalizer=None, decoder=None, texts=None):
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    if decoder:
        tokenizer.decoder = decoder
    key = tokenizer.to_str(), repr(trainer), len(texts or ())  # many cases differ in what stands around one model
    if key not in TRAINED:
        tokenizer.train_from_iterator(texts or Corpus.get(), trainer)
        TRAINED[key] = tokenizer.to_str()
    return Tokenizer.from_str(TRAINED[key])


def edited(tokenizer, **fields):
    """The tokenizer with fields of its model replaced."""
    file = json.loads(tokenizer.to_str())
    file["model"].update(fields)
    return Tokenizer.from_str(json.dumps(file))


def bpe(size=1500, specials=(), alphabet=(), pre_tokenizer=None, decoder=None, normalizer=None, **options):
    shape = {k: options[k] for k in ("continuing_subword_prefix", "end_of_word_suffix") if k in options}
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=list(specials), initial_alphabet=list(alphabet), show_progress=False,
                                  limit_alphabet=400, **shape)
    return trained(models.BPE(**options), trainer, pre_tokenizer or pre_tokenizers.Whitespace(), normalizer, decoder)


def with_fallback(tokenizer, **fields):
    """A BPE whose vocabulary has the 256 byte tokens."""
    file = json.loads(tokenizer.to_str())
    for b in range(256):
        file["model"]["vocab"].setdefault("<0x%02X>" % b, len(file["model"]["vocab"]))
    file["model"].update(byte_fallback=True, **fields)
    return Tokenizer.from_str(json.dumps(file))


def merges_as_strings(tokenizer):
    """The file's merges in the older form, "left right"."""
    file = json.loads(tokenizer.to_str())
    file["model"]["merges"] = [" ".join(m) for m in file["model"]["merges"]]
    return json.dumps(file)


def unigram(pre_tokenizer=None, decoder=None, normalizer=None, specials=("<unk>",), size=2500, **fields):
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=list(specials), unk_token="<unk>", show_progress=False)
    tokenizer = trained(models.Unigram(), trainer, pre_tokenizer or pre_tokenizers.Metaspace(), normalizer, decoder or decoders.Metaspace(),
                        [text for found in all_prose(4).values() for text in found])
    return edited(tokenizer, **fields) if fields else tokenizer


def wordpiece(pre_tokenizer=None, normalizer=None, size=1500, prefix="##", **fields):
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=["[UNK]"], continuing_subword_prefix=prefix, show_progress=False, limit_alphabet=300)
    model = models.WordPiece(unk_token="[UNK]", continuing_subword_prefix=prefix)
    tokenizer = trained(model, trainer, pre_tokenizer or pre_tokenizers.BertPreTokenizer(), normalizer, decoders.WordPiece(prefix))
    return edited(tokenizer, **fields) if fields else tokenizer


def word_level(**fields):
    trainer = trainers.WordLevelTrainer(vocab_size=2000, special_tokens=["[UNK]"], show_progress=False)
    tokenizer = trained(models.WordLevel(unk_token="[UNK]"), trainer, pre_tokenizers.Whitespace())
    return edited(tokenizer, **fields) if fields else tokenizer
