"""Static pictures: what is stored is what the scripts draw, in both themes, with alt text."""

import xml.etree.ElementTree as ET

import pytest

from figures import static


def test_the_stored_pictures_are_what_their_scripts_draw():
    assert static.stale() == [], "run make figures"


@pytest.mark.parametrize("name", static.pictures())
def test_a_picture_has_alt_text_and_both_themes(name):
    module = static.pictures()[name]
    assert len(module.ALT) > 40, "the alt text says what the picture says"
    light, dark = (ET.fromstring(module.draw(theme)) for theme in (False, True))
    assert light.tag.endswith("svg") and dark.tag.endswith("svg")
    assert module.draw(False) != module.draw(True)
    assert module.draw(False) == module.draw(False), "a second drawing is the same to the byte"


def test_a_name_that_is_no_picture_is_told_in_one_sentence():
    with pytest.raises(ValueError, match="there is no picture 'nothing'"):
        static.show("nothing")
