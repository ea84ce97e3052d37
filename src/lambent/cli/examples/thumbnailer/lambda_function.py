"""A thumbnailer: a JPEG in (base64), a smaller one out. Pillow comes from a layer."""

import base64
import io
import os
import time

from PIL import Image


def lambda_handler(event, context):
    started = time.monotonic()
    photograph = Image.open(io.BytesIO(base64.b64decode(event["image"])))
    width, height = photograph.size
    photograph.thumbnail((int(os.environ["MAX_EDGE"]),) * 2)
    smaller = io.BytesIO()
    photograph.save(smaller, "JPEG", quality=85)
    print(f"{width}x{height} -> {photograph.width}x{photograph.height} in {time.monotonic() - started:.3f} s")
    return {
        "image": base64.b64encode(smaller.getvalue()).decode(),
        "width": photograph.width,
        "height": photograph.height,
    }
