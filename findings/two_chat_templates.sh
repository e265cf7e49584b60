#!/usr/bin/env bash
# transformers 4.57.6 and 5.23.0 (no torch): a processor folder with a chat template in two places.
#
# Expected: one order of precedence between "chat_template" in processor_config.json and chat_template.jinja.
# Happens:  4.57.6 takes the file, 5.23.0 the key; both only remark that templates should be in a file.
# Matters:  a prompt in the words of the other template is answered badly, and nothing fails. EdgeKit refuses a folder
#           where the two differ.
#
# Seen:     4.57.6 takes the file
#           5.23.0 takes the key
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/processor"
echo '{"processor_class": "LlavaProcessor", "chat_template": "the key"}' >"$folder/processor/processor_config.json"
printf 'the file' >"$folder/processor/chat_template.jinja"
cat >"$folder/ask.py" <<'PY'
import sys

import transformers
from transformers import ProcessorMixin

taken = ProcessorMixin.get_processor_dict(sys.argv[1])[0]["chat_template"]
print(transformers.__version__, "takes", taken)
sys.exit(taken != ("the file" if transformers.__version__.startswith("4.") else "the key"))
PY
for version in 4.57.6 5.23.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "transformers==$version" 2>/dev/null
    "$folder/$version/bin/python" "$folder/ask.py" "$folder/processor" 2>/dev/null
done
