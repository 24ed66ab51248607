"""The icons of the installed app, drawn from the same figures as static/icon.svg.

    python -m config.icons      writes static/img/icon-*.png, badge-96.png and icon-maskable.svg anew

A program and not a picture from a drawing tool, so that whoever changes the mark changes it once, and sees what has changed.
"""

import io
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "static" / "img"
ACCENT = "#0b5d57"
FINE = 8  # drawn so many times larger, then made small: smooth edges
# In units of a square of 32: the bubble is a rounded box, and its tail a triangle below.
ROUND = 9
BUBBLE, BUBBLE_ROUND = (9, 8, 23, 20), 4.5
TAIL = ((15, 20), (10.5, 24), (10.5, 19.4))
MASKABLE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" fill="#0b5d57"/>\
<path d="M9 12.5a4.5 4.5 0 0 1 4.5-4.5h5a4.5 4.5 0 0 1 4.5 4.5v3a4.5 4.5 0 0 1-4.5 4.5H15l-4.5 4v-4.6A4.5 4.5 0 0 1 9 15.5z" \
fill="#fff"/></svg>
"""


def icons() -> dict[str, bytes]:
    """File name → content, of all icons that are made."""
    return {
        "icon-192.png": _png(192, ground=ACCENT, rounded=True),
        "icon-512.png": _png(512, ground=ACCENT, rounded=True),
        # Phones cut a circle or a drop out of these: the ground goes to the edge, the bubble is well inside.
        "icon-maskable-192.png": _png(192, ground=ACCENT, rounded=False),
        "icon-maskable-512.png": _png(512, ground=ACCENT, rounded=False),
        # Android takes only what is not transparent, and paints it itself.
        "badge-96.png": _png(96, ground=None, rounded=False, larger=1.7),
        "icon-maskable.svg": MASKABLE.encode(),
    }


def _png(size: int, *, ground: str | None, rounded: bool, larger: float = 1.0) -> bytes:
    scale = size * FINE / 32
    canvas = Image.new("RGBA", (size * FINE, size * FINE), (255, 255, 255, 0))
    pen = ImageDraw.Draw(canvas)
    if ground:
        pen.rounded_rectangle((0, 0, *canvas.size), radius=ROUND * scale if rounded else 0, fill=ground)

    def at(x: float, y: float) -> tuple[float, float]:
        return (16 + (x - 16) * larger) * scale, (16 + (y - 16) * larger) * scale

    pen.rounded_rectangle(
        (*at(*BUBBLE[:2]), *at(*BUBBLE[2:])), radius=BUBBLE_ROUND * larger * scale, fill="white"
    )
    pen.polygon([at(x, y) for x, y in TAIL], fill="white")
    sink = io.BytesIO()
    canvas.resize((size, size), Image.Resampling.LANCZOS).save(sink, "PNG", optimize=True)
    return sink.getvalue()


def main() -> None:
    for name, content in icons().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
