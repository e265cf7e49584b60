#!/usr/bin/env bash
# transformers 5.23.0 (sentencepiece 0.2.x, no torch): a LLaVA whose only tokenizer file is SentencePiece's.
#
# Expected: AutoTokenizer gives the ids of SentencePiece behind <s>, as 4.57.6 does: Llama's tokenizer.model asks for a
#           blank before a text (add_dummy_prefix), and models of this kind were trained with both.
# Happens:  5.23.0 takes its general class for the model types "llava" and "mistral", which puts neither there:
#           'the lung' is cut as t·he·▁lung instead of ▁the·▁lung. No warning.
# Matters:  a checkpoint with a tokenizer.model alone asks its model in pieces that it never saw at the start of a text.
#           EdgeKit reads such a folder as 4.57 did.
#
# Seen:     4.57.6 llava ['<s>', '▁the', '▁lung']
#           5.23.0 llava ['t', 'he', '▁lung']
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/ask.py" <<'PY'
import io, json, os, sys
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import sentencepiece
import transformers
from transformers import AutoTokenizer

model = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(["the lung is clear and the heart is enlarged"] * 20),
    model_writer=model, model_type="bpe", vocab_size=300, byte_fallback=True, hard_vocab_limit=False,
    minloglevel=2, num_threads=1,
)
place = Path(sys.argv[1])
place.mkdir()
(place / "tokenizer.model").write_bytes(model.getvalue())
(place / "config.json").write_text(json.dumps({"model_type": "llava"}))
names = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
(place / "tokenizer_config.json").write_text(json.dumps(names))

tokenizer = AutoTokenizer.from_pretrained(place)
tokens = tokenizer.convert_ids_to_tokens(tokenizer("the lung").input_ids)
print(transformers.__version__, "llava", tokens)
expected = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).encode("the lung", out_type=str)
alike = tokens == ["<s>", *expected]
sys.exit(alike != transformers.__version__.startswith("4."))
PY
for version in 4.57.6 5.23.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check \
        "transformers==$version" "sentencepiece==0.2.*" "protobuf==7.*" 2>/dev/null
    "$folder/$version/bin/python" "$folder/ask.py" "$folder/model-$version" 2>/dev/null
done
