"""The least Python that embeds a sentence with ONNX Runtime: what `gamut embed` is measured against at start-up.

    embed_onnxruntime.py MODEL.onnx TOKENIZER.json THREADS TEXT      prints {"embedding": [...]}

Mean over the tokens and length 1, as all-MiniLM-L6-v2 wants it.
"""

import json
import sys

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


def main() -> int:
    model, tokenizer_file, threads, text = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(tokenizer_file)
    tokenizer.no_padding()
    ids = np.array([tokenizer.encode(text).ids], np.int64)
    hidden = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
    mean = hidden[0].mean(axis=0)
    print(json.dumps({"embedding": (mean / np.linalg.norm(mean)).tolist()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
