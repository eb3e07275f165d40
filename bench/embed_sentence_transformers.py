"""The usual way to embed a sentence in Python, measured at start-up.

    embed_sentence_transformers.py FOLDER THREADS TEXT      prints {"embedding": [...]}
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"  # everything is in the folder; asking the Hub would only cost time
os.environ["TQDM_DISABLE"] = "1"

import torch
from sentence_transformers import SentenceTransformer


def main() -> int:
    folder, threads, text = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model = SentenceTransformer(folder, device="cpu")
    print(json.dumps({"embedding": model.encode(text, show_progress_bar=False).tolist()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
