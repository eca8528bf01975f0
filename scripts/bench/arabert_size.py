"""Speed and memory of fine-tuning at the full size of AraBERT, on random weights.

    python scripts/bench/arabert_size.py

Writes a checkpoint folder with AraBERT v0.2 base's architecture (12 layers of 768, 64,000 word pieces, 135 M weights)
and trains a few steps from the config `encoder=arabert`. No score is meant by it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from transformers import BertConfig

from khabar.config import resource

STEPS = 6


def main() -> None:
    """Make the folder and run `khabar train` on it in its own process, once for each precision."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "arabert"
        BertConfig(vocab_size=64000, architectures=["BertModel"]).save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (folder / name).write_bytes(resource(f"seeds/encoder/{name}").read_bytes())
        for precision in ("fp32", "bf16"):
            command = [
                *(sys.executable, "-m", "khabar", "train", "encoder=arabert", f"encoder.model={folder}"),
                *("encoder.random_weights=true", f"loop.max_steps={STEPS}", f"machine.precision={precision}"),
                *("data.limit=40", "loop.keep=last", "loop.eval_every=1000", "suite.baselines=[]", "suite.draws=100"),
                *("track.experiment=bench", "track.aliases=[]", "resume=never"),
            ]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            print(precision, next(line for line in out.splitlines() if line.startswith("Trained")))


if __name__ == "__main__":
    main()
