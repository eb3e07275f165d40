#!/usr/bin/env python3
"""Compares folders without a tokenizer.json: `gamut tokenize` against what transformers makes of the same files.

    convert.py GAMUT [--count 2000] [--seed 1] [--only NAME,…] [--data FOLDER]

Small vocabularies are trained here, one for each tokenizer class, and written as the class's checkpoints publish them
(vocab.json and merges.txt, SentencePiece .model, tiktoken ranks, tekken.json …). With --data, the tokenizers of that
folder are taken apart as well. Checked: ids, tokens, offsets, type ids and masks of texts and pairs, with and without
special tokens, and decoding, at once and id by id. Exit status 1 on any difference.
"""
import argparse
import base64
import json
import os
import pathlib
import sys
import tempfile
import types

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import compare
import sentencepiece_file as spm
import transformers.convert_slow_tokenizer as converters
from transformers import AutoTokenizer
from vocabulary_files import (EOT, FAIRSEQ, amino_acids_file, bpe_files, letters_file, lines_file, merged_file, rank_file, tekken_file,
                              unigram_file, write_json)

def stand_in_packages():
    """transformers reads .model files with protobuf and only asks for sentencepiece to be there; of tiktoken it uses the
    reader of rank files."""
    converters.requires_backends = lambda *_: None
    reader = types.ModuleType("tiktoken.load")

    def load_tiktoken_bpe(path):
        lines = [line.split() for line in open(path, "rb").read().splitlines() if line]
        return {base64.b64decode(token): int(rank) for token, rank in lines}

    reader.load_tiktoken_bpe = load_tiktoken_bpe
    sys.modules.setdefault("tiktoken", types.ModuleType("tiktoken"))
    sys.modules["tiktoken.load"] = reader


def token(content, **flags):
    return {"__type": "AddedToken", "content": content, "lstrip": False, "rstrip": False, "single_word": False,
            "normalized": False, **flags}


def listed(**tokens):
    """added_tokens_decoder"""
    flags = lambda c: {k: v for k, v in token(c).items() if k != "__type"}
    return {i.lstrip("_"): {**flags(c), "special": True, **f} for i, (c, f) in tokens.items()}


ROBERTA = ["<s>", "<pad>", "</s>", "<unk>"]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# name -> (model type, tokenizer_config.json, further files, how the vocabulary is written)
CASES = {
    "gpt2": ("gpt2", {}, {}, bpe_files(last=[EOT])),
    "gpt2-prefix": ("gpt2", {"add_prefix_space": True, "add_bos_token": True, "pad_token": "<pad>"}, {}, bpe_files(last=[EOT])),
    "gpt2-added": ("gpt2", {"tokenizer_class": "GPT2Tokenizer"},
                   {"added_tokens.json": {"<new>": 1600, "naïve": 1601, "<pad>": 1602},
                    "special_tokens_map.json": {"bos_token": "<new>", "pad_token": {"content": "<pad>", "lstrip": True},
                                                "additional_special_tokens": ["<one>", "<two>"]}}, bpe_files(last=[EOT])),
    "gpt2-unknown": ("gpt2", {"unk_token": None, "bos_token": None, "eos_token": "<eos>"}, {}, bpe_files()),
    "roberta": ("roberta", {"mask_token": token("<mask>", lstrip=True)}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "roberta-prefix": ("roberta", {"add_prefix_space": True}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "bart": ("bart", {"tokenizer_class": "BartTokenizer", "trim_offsets": False}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "longformer": ("longformer", {"tokenizer_class": "LongformerTokenizerFast"}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "blenderbot": ("blenderbot", {}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "deberta": ("deberta", {}, {}, bpe_files(first=["[PAD]", "[CLS]", "[SEP]", "[UNK]"], last=["[MASK]"])),
    "codegen": ("codegen", {"tokenizer_class": "CodeGenTokenizer"}, {}, bpe_files(last=[EOT])),
    "codegen-bos": ("codegen", {"tokenizer_class": "CodeGenTokenizer", "add_bos_token": True}, {}, bpe_files(last=[EOT])),
    "clip": ("clip", {}, {}, bpe_files("clip", last=["<|startoftext|>", EOT])),
    "whisper": ("whisper", {"added_tokens_decoder": listed(_1500=(EOT, {}), _1501=("<|startoftranscript|>", {}),
                                                           _1502=("<|en|>", {}), _1503=("<|notimestamps|>", {}),
                                                           _1504=("<|0.00|>", {"special": False}))},
                {}, bpe_files(last=[EOT, "<|startoftranscript|>", "<|en|>", "<|notimestamps|>", "<|0.00|>"])),
    "whisper-task": ("whisper", {"task": "translate", "predict_timestamps": True, "additional_special_tokens": [EOT, "<|translate|>"]},
                     {}, bpe_files(last=[EOT, "<|startoftranscript|>", "<|translate|>"])),
    "qwen2": ("qwen2_moe", {"tokenizer_class": "Qwen2Tokenizer", "bos_token": None, "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
                            "added_tokens_decoder": listed(_1500=(EOT, {}), _1501=("<|im_start|>", {"lstrip": True}), _1502=("<tool>", {"special": False}))},
              {}, bpe_files()),
    "gpt-neox": ("gpt_neox", {"add_eos_token": True}, {}, bpe_files(first=[EOT, "<|padding|>"])),
    "openai-gpt": ("openai-gpt", {}, {}, bpe_files("words", first=["<unk>"])),
    "herbert": ("bert", {"tokenizer_class": "HerbertTokenizer"}, {}, bpe_files("words", first=["<s>", "<pad>", "</s>", "<unk>"], last=["<mask>"])),
    "cohere": ("cohere", {}, {}, bpe_files(first=["<PAD>", "<UNK>", "<CLS>", "<SEP>", "<MASK_TOKEN>", "<BOS_TOKEN>"])),
    "bert": ("bert", {"do_lower_case": True}, {}, lines_file(BERT)),
    "bert-cased": ("bert", {"do_lower_case": False, "tokenize_chinese_chars": False, "tokenizer_class": "BertTokenizerFast"}, {}, lines_file(BERT)),
    "bert-added": ("bert", {"do_lower_case": True, "strip_accents": False, "mask_token": token("[MASK]", lstrip=True), "additional_special_tokens": ["<one>", "[CLS]"]},
                   {"added_tokens.json": {"<new>": 1600, "naïve": 1601, "[SEP]": 3},
                    "special_tokens_map.json": {"pad_token": "<new>", "sep_token": {"content": "[SEP]", "rstrip": True}}}, lines_file(BERT)),
    "bert-listed": ("bert", {"do_lower_case": True, "cls_token": "<c>", "added_tokens_decoder": listed(_2=("[CLS]", {"lstrip": True}), _1600=("<c>", {}), _1601=("a b", {"special": False, "normalized": True}))},
                    {"added_tokens.json": {"<unused>": 1700}}, lines_file(BERT)),
    "distilbert": ("distilbert", {"do_lower_case": True, "tokenizer_class": "DistilBertTokenizer"}, {}, lines_file(BERT)),
    "dpr": ("dpr", {"do_lower_case": False, "tokenizer_class": "DPRReaderTokenizer"}, {}, lines_file(BERT)),
    "convbert": ("convbert", {"do_lower_case": True}, {}, lines_file(BERT)),
    "funnel": ("funnel", {}, {}, lines_file(["<pad>", "<unk>", "<cls>", "<sep>", "<mask>", "<s>", "</s>"])),
    "funnel-dirty": ("funnel", {"clean_text": False, "wordpieces_prefix": "@@", "strip_accents": True}, {}, lines_file(["<pad>", "<unk>", "<cls>", "<sep>", "<mask>"])),
    "mpnet": ("mpnet", {}, {}, lines_file(["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"])),
    "mpnet-stated": ("mpnet", {"do_lower_case": False, "mask_token": "<m>", "tokenizer_class": "MPNetTokenizer"}, {}, lines_file(["<s>", "<pad>", "</s>", "[UNK]", "<m>"])),
    "layoutlmv2": ("layoutlmv2", {"do_lower_case": True}, {}, lines_file(BERT)),
    "splinter": ("splinter", {}, {}, lines_file([*BERT, "[QUESTION]", "."])),
    "splinter-left": ("splinter", {"padding_side": "left", "question_token": "<q>"}, {}, lines_file([*BERT, "."])),
    "layoutlmv3": ("layoutlmv3", {}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "layoutlmv3-bare": ("layoutlmv3", {"add_prefix_space": False}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "markuplm": ("markuplm", {"tags_dict": {"a": 0}}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "luke": ("luke", {}, {}, bpe_files(first=ROBERTA, last=["<mask>", "<ent>", "<ent2>"])),
    "luke-extra": ("luke", {"additional_special_tokens": ["<ent2>", "<x>"], "entity_token_1": "<ent>"}, {}, bpe_files(first=ROBERTA, last=["<mask>"])),
    "siglip2": ("siglip2", {"tokenizer_class": "Siglip2Tokenizer"}, {}, merged_file("tokenizer.model", ["<pad>", "<eos>", "<bos>", "<unk>"], byte_fallback=True, others=["<mask>"])),
    "videoprism": ("videoprism", {}, {}, unigram_file("spiece.model", ["<pad>", "</s>", "<unk>"])),
    "lasr": ("lasr_ctc", {}, {}, unigram_file("spiece.model", ["<pad>", "</s>", "<s>", "<unk>"])),
    "t5": ("t5", {}, {}, unigram_file("spiece.model", ["<pad>", "</s>", "<unk>"])),
    "t5-config": ("t5", {"extra_ids": 3, "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>", "<extra_id_2>"]}, {},
                  unigram_file("spiece.model", ["<pad>", "</s>", "<unk>"], others=["<mine>"])),
    "albert": ("albert", {}, {}, unigram_file("spiece.model", ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])),
    "albert-cased": ("albert", {"do_lower_case": False, "keep_accents": True, "mask_token": token("[MASK]", lstrip=True, normalized=True)},
                     {}, unigram_file("spiece.model", ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])),
    "fnet": ("fnet", {}, {}, unigram_file("spiece.model", ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])),
    "xlm-roberta": ("xlm-roberta", {}, {}, unigram_file("sentencepiece.bpe.model", FAIRSEQ)),
    "camembert": ("camembert", {}, {}, unigram_file("sentencepiece.bpe.model", ["<unk>", "<s>", "</s>"])),
    "barthez": ("mbart", {"tokenizer_class": "BarthezTokenizer"}, {}, unigram_file("sentencepiece.bpe.model", ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])),
    "llama": ("llama", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False}, {},
              merged_file("tokenizer.model", FAIRSEQ, byte_fallback=True)),
    "llama-legacy": ("llama", {"tokenizer_class": "LlamaTokenizerFast", "legacy": True, "pad_token": "<pad>", "add_eos_token": True}, {},
                     merged_file("tokenizer.model", FAIRSEQ, byte_fallback=True, others=["[INST]"])),
    "llama-bare": ("llama", {"add_prefix_space": False, "tokenizer_class": "LlamaTokenizer"}, {}, merged_file("tokenizer.model", FAIRSEQ)),
    "code-llama": ("llama", {"tokenizer_class": "CodeLlamaTokenizer"}, {}, merged_file("tokenizer.model", FAIRSEQ, byte_fallback=True)),
    "mistral": ("mistral", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}, {}, merged_file("tokenizer.model", FAIRSEQ, byte_fallback=True)),
    "phi3": ("phi3", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": False}, {}, merged_file("tokenizer.model", FAIRSEQ, byte_fallback=True, others=["<|user|>"])),
    "placeholder": ("internlm2", {"added_tokens_decoder": listed(_3=("<|mine|>", {}))}, {},
                    merged_file("tokenizer.model", FAIRSEQ, byte_fallback=True, others=["[UNUSED]"])),
    "gemma": ("gemma", {"add_bos_token": True}, {}, merged_file("tokenizer.model", ["<pad>", "<eos>", "<bos>", "<unk>"], byte_fallback=True, others=["<mask>", "<start_of_turn>"])),
    "mbart": ("mbart", {}, {}, unigram_file("sentencepiece.bpe.model", FAIRSEQ)),
    "mbart-german": ("mbart", {"src_lang": "de_DE"}, {}, unigram_file("sentencepiece.bpe.model", FAIRSEQ)),
    "mbart50": ("mbart", {"src_lang": "af_ZA", "tokenizer_class": "MBart50Tokenizer"}, {}, unigram_file("sentencepiece.bpe.model", FAIRSEQ)),
    "nllb": ("nllb-moe", {"additional_special_tokens": ["eng_Latn", "deu_Latn"], "src_lang": "deu_Latn"}, {}, merged_file("sentencepiece.bpe.model", FAIRSEQ)),
    "nllb-legacy": ("nllb-moe", {"legacy_behaviour": True, "mask_token": token("<mask>", lstrip=True)}, {}, merged_file("sentencepiece.bpe.model", FAIRSEQ)),
    "seamless": ("seamless_m4t", {"tgt_lang": "deu"}, {}, merged_file("sentencepiece.bpe.model", FAIRSEQ, others=["__deu__"])),
    "pegasus": ("pegasus", {"mask_token": "<mask_2>", "mask_token_sent": "<mask_1>"}, {}, unigram_file("spiece.model", ["<pad>", "</s>", "<unk>"])),
    "pegasus-bare": ("pegasus", {"offset": 10}, {}, unigram_file("spiece.model", ["<pad>", "</s>", "<unk>"])),
    "xlnet": ("xlnet", {}, {}, unigram_file("spiece.model", ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"])),
    "big-bird": ("big_bird", {}, {}, unigram_file("spiece.model", ["<pad>", "</s>", "<s>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])),
    "deberta-v2": ("deberta-v2", {"do_lower_case": True, "split_by_punct": True}, {},
                   unigram_file("spm.model", ["[PAD]", "[CLS]", "[SEP]", "[UNK]"], unk="[UNK]")),
    "rembert": ("rembert", {}, {}, unigram_file("sentencepiece.model", ["<pad>", "<s>", "<unk>", "</s>", "[CLS]", "[SEP]", "[MASK]"])),
    "reformer": ("reformer", {}, {}, merged_file("spiece.model", ["<pad>", "</s>", "<unk>"], others=["<mine>"])),
    "udop": ("udop", {"extra_special_tokens": ["<x>"]}, {}, unigram_file("spiece.model", ["<pad>", "</s>", "<unk>"])),
    "layoutxlm": ("layoutlmv2", {"tokenizer_class": "LayoutXLMTokenizer"}, {}, unigram_file("sentencepiece.bpe.model", FAIRSEQ)),
    "backend-unigram": ("umt5", {}, {}, unigram_file("tokenizer.model", FAIRSEQ, others=["<mine>"])),
    "tiktoken": ("kimi_k25", {"tokenizer_class": "TokenizersBackend", "bos_token": "<|begin|>",
                              "added_tokens_decoder": listed(_1500=("<|begin|>", {}), _1504=("<|end|>", {}))}, {}, rank_file("tiktoken.model")),
    "tiktoken-extra": ("glm", {"extra_special_tokens": ["<|a|>", "<|b|>"], "eos_token": "<|b|>", "add_eos_token": True}, {}, rank_file("tokenizer.model")),
    "tiktoken-llama": ("llama", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}, {}, rank_file("tokenizer.model")),
    "tekken": ("mistral3", {"add_bos_token": True}, {}, tekken_file(["<unk>", "<s>", "</s>", "[INST]", "[/INST]"])),
    "tekken-padded": ("pixtral", {"bos_token": "<s>", "add_bos_token": True}, {}, tekken_file(["<unk>", "<s>", "</s>"], padded=300)),
}


LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZabcdeé日"]


# Classes without a counterpart in the `tokenizers` package: ids, types, masks and decoded text are compared.
PLAIN_CASES = {
    "wav2vec2": ("wav2vec2", {}, {}, letters_file(LETTERS)),
    "hubert": ("hubert", {"tokenizer_class": "Wav2Vec2CTCTokenizer", "bos_token": "<s>", "word_delimiter_token": "|", "pad_token": "[PAD]"},
               {"special_tokens_map.json": {"unk_token": "<unk>"}}, letters_file([*LETTERS[1:], "[PAD]", "tsch"])),
    "wav2vec2-languages": ("wav2vec2", {"target_lang": "deu"}, {}, letters_file(LETTERS, lambda v: {"eng": {}, "deu": v})),
    "byt5": ("t5", {"tokenizer_class": "ByT5Tokenizer"}, {}, lambda folder: None),
    "byt5-few": ("t5", {"tokenizer_class": "ByT5Tokenizer", "extra_ids": 2}, {}, lambda folder: None),
    "perceiver": ("perceiver", {}, {}, lambda folder: None),
    "esm": ("esm", {}, {}, amino_acids_file()),
    "esm-added": ("esm", {"mask_token": token("<mask>", lstrip=True, rstrip=True), "additional_special_tokens": ["<x>"]}, {}, amino_acids_file()),
    "canine": ("canine", {}, {}, lambda folder: None),
}


def from_merges(source, model_type, extra=()):
    """The BPE of a real tokenizer.json as vocab.json and merges.txt."""
    def write(folder):
        model = json.load(open(source / "tokenizer.json", encoding="utf-8"))["model"]
        write_json(folder, "vocab.json", model["vocab"])
        lines = ["#version: 0.2", *(m if isinstance(m, str) else " ".join(m) for m in model["merges"])]
        (pathlib.Path(folder) / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = json.load(open(source / "tokenizer_config.json", encoding="utf-8"))
    return model_type, config, {}, write


def from_pieces(source, model_type, name, kind):
    """The pieces of a real tokenizer.json as a .model."""
    def write(folder):
        file = json.load(open(source / "tokenizer.json", encoding="utf-8"))
        vocab = file["model"]["vocab"]
        special = {t["content"] for t in file["added_tokens"] if t["special"]}
        names = vocab if isinstance(vocab, list) else [[t, -float(i)] for i, t in enumerate(sorted(vocab, key=vocab.get))]
        names = [n for n in names if "<extra_id_" not in n[0]]
        of = lambda t: spm.UNKNOWN if t == "<unk>" else spm.CONTROL if t in special else spm.BYTE if t.startswith("<0x") else spm.NORMAL
        char_map = file["normalizer"].get("precompiled_charsmap") if kind == spm.UNIGRAM else None
        data = spm.model([(t, s, of(t)) for t, s in names], kind, unk_id=[n[0] for n in names].index("<unk>"),
                         byte_fallback=kind == spm.BPE, char_map=base64.b64decode(char_map or ""))
        (pathlib.Path(folder) / name).write_bytes(data)
    config = json.load(open(source / "tokenizer_config.json", encoding="utf-8"))
    return model_type, config, {}, write


def real_cases(data):
    t5 = from_pieces(data / "t5-small", "t5", "spiece.model", spm.UNIGRAM)
    names = {"xlm-roberta": "sentencepiece.bpe.model", "rembert": "sentencepiece.model",
             "pegasus": "spiece.model", "xlnet": "spiece.model"}
    cases = {
        "real-clip": from_merges(data / "clip", "clip"), "real-roberta": from_merges(data / "roberta-base", "roberta"),
        "real-whisper": from_merges(data / "whisper-tiny", "whisper"), "real-t5": t5,
        "real-llama": from_pieces(data / "llama2", "llama", "tokenizer.model", spm.BPE),
        "real-phi3": from_pieces(data / "phi-3", "phi3", "tokenizer.model", spm.BPE),
    }
    for model_type, name in names.items():  # the real character map with every class that takes one
        config, write = {}, from_pieces(data / "t5-small", "t5", name, spm.UNIGRAM)[3]
        cases["charsmap-" + model_type] = model_type, config, {}, write
    return cases


def write_case(folder, case):
    model_type, config, files, write = case
    write_json(folder, "config.json", {"model_type": model_type})
    write_json(folder, "tokenizer_config.json", config)
    for name, value in files.items():
        write_json(folder, name, value)
    write(folder)


def run_case(name, case, args, comparison):
    strings = compare.Strings(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        write_case(folder, case)
        oracle = AutoTokenizer.from_pretrained(folder).backend_tokenizer
        oracle.no_truncation()
        oracle.no_padding()
        strings.added = [t.content for t in oracle.get_added_tokens_decoder().values()]
        texts = [strings.text() for _ in range(args.count)] + ["", " ", "a", " a", "  a b  ", *strings.added]
        pairs = [{"text": strings.text(), "pair": strings.text()} for _ in range(args.count // 5)]
        comparison.encode(name + " text", oracle, folder, texts)
        comparison.encode(name + " pair", oracle, folder, pairs)
        comparison.encode(name + " no special", oracle, folder, texts[: args.count // 5] + pairs[:20], "--no-special", special=False)
        size = oracle.get_vocab_size()
        ids = [[strings.random.randrange(size + 5) for _ in range(strings.random.randrange(20))] for _ in range(args.count // 5)]
        ids += [e.ids for e in oracle.encode_batch(texts[: args.count // 5])]
        comparison.decode(oracle, folder, ids)


def run_plain_case(name, case, args, comparison):
    strings = compare.Strings(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        write_case(folder, case)
        oracle = AutoTokenizer.from_pretrained(folder)
        strings.added = [t.content for t in oracle.added_tokens_decoder.values()]
        usable = lambda t: not t.rstrip().endswith("</s>")  # ByT5 adds no second one
        texts = [t for t in (strings.text() for _ in range(args.count // 2)) if usable(t)] + ["", "a", " a b ", "THE CAT"]
        inputs = texts + [{"text": a, "pair": b} for a, b in zip(texts[::2], texts[1::2])]
        fields = {"ids": "input_ids", "type_ids": "token_type_ids", "special_tokens_mask": "special_tokens_mask", "attention_mask": "attention_mask"}
        expected = []
        for i in inputs:
            e = oracle(*([i] if isinstance(i, str) else [i["text"], i["pair"]]), return_token_type_ids=True, return_special_tokens_mask=True)
            expected.append({k: e[v] for k, v in fields.items()})
        got = [{k: g[k] for k in fields} for g in comparison.run(folder, inputs)]
        comparison.check(name + " text", inputs, expected, got)
        known = [i for i in (*oracle.get_vocab().values(),) if not 0xD800 <= i < 0xE000]
        ids = [[strings.random.choice(known) for _ in range(strings.random.randrange(20))] for _ in range(args.count // 5)]
        ids += [e["ids"] for e in expected]
        for skip, flags in ((True, ()), (False, ("--keep-special",))):
            texts = [oracle.decode(i, skip_special_tokens=skip) for i in ids]
            comparison.check("%s decode skip=%s" % (name, skip), ids, [{"text": t} for t in texts], comparison.run(folder, ids, "--decode", *flags))
            streamed = [{"text": "".join(g["pieces"])} for g in comparison.run(folder, ids, "--stream", *flags)]
            comparison.check("%s stream skip=%s" % (name, skip), ids, [{"text": t} for t in texts], streamed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gamut")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--data", type=pathlib.Path)
    args = parser.parse_args()
    stand_in_packages()
    cases = dict(CASES, **PLAIN_CASES, **(real_cases(args.data) if args.data else {}))
    comparison = compare.Comparison(args.gamut)
    failed = []
    for name, case in cases.items():
        if args.only and name not in args.only.split(","):
            continue
        before, comparison.shown = comparison.differences, 0
        try:
            (run_plain_case if name in PLAIN_CASES else run_case)(name, case, args, comparison)
        except (Exception, SystemExit) as error:
            comparison.differences += 1
            print("%s: %s: %s" % (name, type(error).__name__, str(error)[:300]))
        if comparison.differences > before:
            failed.append("%s (%d)" % (name, comparison.differences - before))
    print("%d cases, %d strings compared, %d differences%s" % (len(cases), comparison.compared, comparison.differences,
                                                               ": " + ", ".join(failed) if failed else ""))
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
