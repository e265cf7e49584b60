#!/usr/bin/env bash
# transformers 5.23.0: an image processor makes two different pictures of one transparent PNG, by how it gets the file.
#
# Expected: CLIPImageProcessor prepares a file alike, given its path or the picture that Pillow opened from it.
# Real: by its path, transparency is dropped (load_image: convert("RGB")) and the colours beneath are seen; opened, the
#   picture is laid on white (convert_to_rgb). Where alpha is 0 throughout, one is the picture and the other is blank.
# Seen (transformers 5.23.0, Pillow 13.0.0, numpy 2.4.6, Python 3.11.7, x86-64 with AVX2):
#   by its path: [40, 90, 200]
#   opened: [255, 255, 255]
# Why it matters here: what a model sees of a plot or an annotated scan depends on this. LLaVA's and TinyLLaVA's own
#   code drops transparency, the models were trained so, and so does EdgeKit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet transformers==5.23.0 pillow==13.0.0 numpy==2.4.6
cat > "$folder/see.py" <<'PYTHON'
import sys

from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

file = sys.argv[1]
Image.new("RGBA", (8, 8), (40, 90, 200, 0)).save(file)
raw = CLIPImageProcessorPil(do_resize=False, do_center_crop=False, do_rescale=False, do_normalize=False)


def first_pixel(picture):
    return raw(picture, return_tensors="np")["pixel_values"][0][:, 0, 0].tolist()


path, opened = first_pixel(file), first_pixel(Image.open(file))
print("by its path:", path)
print("opened:", opened)
sys.exit(0 if (path, opened) == ([40, 90, 200], [255, 255, 255]) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/see.py" "$folder/transparent.png"
