#!/usr/bin/env python3
"""Writes src/config/defaults/<model_type>.json: what a config.json may leave out because the configuration class of
transformers has a default for it, and the aliases of field names (attribute_map). `_base.json` holds the defaults of the
base class, for model types without a file of their own.

    python tools/make_config_defaults.py [--check] [MODEL_TYPE…]

Needs transformers in the pinned version. Without arguments every committed file is remade; with --check the files are
compared and nothing is written.
"""

import argparse
import dataclasses
import json
import pathlib
import sys

import transformers
from transformers.configuration_utils import PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

PINNED = "5.23.0"
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src" / "config" / "defaults"

# Fields that say where a config comes from or how transformers runs it, not what the model is.
# id2label and label2id follow from num_labels, which has its own rule in config.cpp.
SKIPPED = {
    "_name_or_path", "architectures", "dtype", "id2label", "label2id", "model_type", "num_labels", "output_attentions",
    "output_hidden_states", "problem_type", "return_dict", "torch_dtype", "transformers_version", "use_cache",
}


def derived_fields(config_class):
    """Fields that a config leaves open and the class then derives from others, as num_key_value_heads from the number of
    heads: what it derives from its own defaults says nothing about a file. `rope_parameters` holds defaults all the same.
    """
    if not dataclasses.is_dataclass(config_class):
        return set()
    return {field.name for field in dataclasses.fields(config_class) if field.default is None} - {"rope_parameters"}


def defaults_of(config_class):
    values = {k: v for k, v in config_class().to_dict().items() if k not in SKIPPED}
    values |= {name: None for name in derived_fields(config_class) & values.keys()}
    aliases = dict(config_class.attribute_map)
    return {
        "transformers": transformers.__version__,
        "attribute_map": dict(sorted(aliases.items())),
        # Infinity as config.json has it.
        "defaults": config_class._encode_special_floats(dict(sorted(values.items()))),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_types", nargs="*")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if transformers.__version__ != PINNED:
        sys.exit(f"transformers {transformers.__version__}, expected {PINNED}")
    names = args.model_types or sorted(p.stem for p in FOLDER.glob("*.json"))
    stale = []
    for name in names:
        config_class = PreTrainedConfig if name == "_base" else CONFIG_MAPPING[name]
        text = json.dumps(defaults_of(config_class), indent=1, allow_nan=False) + "\n"
        path = FOLDER / f"{name}.json"
        if not args.check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit(f"not as transformers has them: {', '.join(stale)}; run tools/make_config_defaults.py")


if __name__ == "__main__":
    main()
