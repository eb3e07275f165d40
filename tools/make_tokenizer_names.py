#!/usr/bin/env python3
"""Writes src/text/class_names.json: which tokenizer class transformers takes for a model type, which class a name stands
for that is not its own, and the model types whose published tokenizer_class is known to be wrong.

    python tools/make_tokenizer_names.py [--check]

Needs transformers in the pinned version; with --check the file is compared and nothing is written.
"""

import argparse
import json
import pathlib
import sys

import transformers
from transformers.convert_slow_tokenizer import SLOW_TO_FAST_CONVERTERS
from transformers.models.auto import tokenization_auto as auto

PINNED = "5.23.0"
FILE = pathlib.Path(__file__).resolve().parent.parent / "src" / "text" / "class_names.json"

# The mapping leaves these out where the sentencepiece package is not installed.
NEED_SENTENCEPIECE = {
    "bert-generation": "BertGenerationTokenizer", "gpt-sw3": "GPTSw3Tokenizer", "m2m_100": "M2M100Tokenizer",
    "marian": "MarianTokenizer", "mluke": "MLukeTokenizer", "siglip": "SiglipTokenizer",
    "speech_to_text": "Speech2TextTokenizer", "speecht5": "SpeechT5Tokenizer", "tipsv2": "Tipsv2Tokenizer",
}  # fmt: skip


def model_types():
    return {t: c or NEED_SENTENCEPIECE.get(t, "") for t, c in auto.TOKENIZER_MAPPING_NAMES.items()}


def aliases(classes):
    names = {n for n in dir(transformers) if n.endswith(("Tokenizer", "TokenizerFast"))} | set(classes)
    names |= set(SLOW_TO_FAST_CONVERTERS) | {"BloomTokenizer", "PreTrainedTokenizerFast"}
    found = {"PreTrainedTokenizer": "TokenizersBackend"}  # AutoTokenizer takes this name for the base of all fast ones
    for name in sorted(n.removesuffix("Fast") for n in names if n and n != "TokenizersBackend"):
        try:
            resolved = auto.tokenizer_class_from_name(name)
        except Exception:
            continue
        if resolved is not None and resolved.__name__.removesuffix("Fast") not in (name, "PythonBackend", "PreTrainedTokenizer"):
            found[name] = resolved.__name__.removesuffix("Fast")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if transformers.__version__ != PINNED:
        sys.exit(f"transformers {transformers.__version__}, expected {PINNED}")
    types = model_types()
    table = {
        "transformers": transformers.__version__,
        "aliases": aliases(types.values()),
        "types_with_a_wrong_class": sorted(auto.MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS),
        "model_types": {t: c.removesuffix("Fast") for t, c in sorted(types.items()) if c},
    }
    text = json.dumps(table, indent=1) + "\n"
    if not args.check:
        FILE.write_text(text)
    elif not FILE.exists() or FILE.read_text() != text:
        sys.exit("not as transformers has it: run tools/make_tokenizer_names.py")


if __name__ == "__main__":
    main()
