#!/usr/bin/env bash
# transformers 4.57.6 and 5.23.0 (no torch): "add_bos_token" in tokenizer_config.json, beside a tokenizer.json.
#
# Expected: the flag decides whether a text starts with <s>, in either version, or says that it is no longer read.
# Happens:  4.57.6 follows it for a LlamaTokenizer, whatever tokenizer.json says. 5.23.0 drops it without a word and
#           takes tokenizer.json's post-processor, so the same folder starts a text in one version and not in the other,
#           both ways round.
# Matters:  published LLaVA checkpoints carry the flag, and their models were trained with what 4 made of it. EdgeKit
#           reads a folder as the version did that saved it (transformers_version in config.json).
#
# Seen:     4.57.6 file <s>, flag False: ['a']          5.23.0 file <s>, flag False: ['<s>', 'a']
#           4.57.6 file none, flag True: ['<s>', 'a']   5.23.0 file none, flag True: ['a']
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/ask.py" <<'PY'
import json, os, sys
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import transformers
from tokenizers import Tokenizer, models, processors
from transformers import AutoTokenizer


def tokens(place: Path, starts: bool, flag: bool) -> list[str]:
    place.mkdir()
    tokenizer = Tokenizer(models.BPE(vocab={"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3}, merges=[], unk_token="<unk>"))
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    if starts:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.save(str(place / "tokenizer.json"))
    (place / "config.json").write_text(json.dumps({"model_type": "llava"}))
    names = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (place / "tokenizer_config.json").write_text(json.dumps({**names, "add_bos_token": flag}))
    loaded = AutoTokenizer.from_pretrained(place)
    return loaded.convert_ids_to_tokens(loaded("a").input_ids)


root, four = Path(sys.argv[1]), transformers.__version__.startswith("4.")
said, added = tokens(root / "said", True, False), tokens(root / "added", False, True)
print(transformers.__version__, "file <s>, flag False:", said)
print(transformers.__version__, "file none, flag True:", added)
sys.exit((said, added) != ((["a"], ["<s>", "a"]) if four else (["<s>", "a"], ["a"])))
PY
for version in 4.57.6 5.23.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "transformers==$version" 2>/dev/null
    mkdir "$folder/of-$version"
    "$folder/$version/bin/python" "$folder/ask.py" "$folder/of-$version" 2>/dev/null
done
