"""The icons that are in the repository are those that the program draws."""

import io

import pytest
from PIL import Image

from config.icons import FOLDER, icons


@pytest.mark.parametrize("name", icons())
def test_an_icon_is_as_it_is_drawn(name: str) -> None:
    made, kept = icons()[name], (FOLDER / name).read_bytes()
    if name.endswith(".svg"):
        assert made == kept
        return
    ours, theirs = (Image.open(io.BytesIO(content)) for content in (made, kept))
    assert ours.size == theirs.size == (int(name.rsplit("-", maxsplit=1)[-1][:-4]),) * 2
    assert ours.tobytes() == theirs.tobytes()


def test_the_bubble_of_a_maskable_icon_is_in_the_safe_circle() -> None:
    picture = Image.open(FOLDER / "icon-maskable-512.png").convert("RGB")
    for x in range(512):
        for y in range(0, 512, 4):
            if picture.getpixel((x, y))[0] > 200:  # white  # type: ignore[index]
                assert (x - 256) ** 2 + (y - 256) ** 2 < (0.4 * 512) ** 2
