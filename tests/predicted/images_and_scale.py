"""Answers of appendix A1."""

from tests.predicted import Held, only

IMAGES = Held("test_appendices.py::test_what_the_text_says_of_the_stored_images_holds")
SIZES = Held("test_appendices.py::test_what_the_text_says_of_the_stored_sizes_holds")


def _head(asked) -> int:
    above, left = (
        max(asked.numbers(rf"{where} +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+) +[\d.]+ "))
        for where in ("the pixel above", "the one to the left")
    )
    return only(above > 0.5, left > 0.5, max(above, left) < 0.2)


ANSWERS = {
    "An unseen image of such bits": IMAGES,
    "On which pixel": _head,
    "Training and test images": IMAGES,
    "A network of ours": SIZES,
}
