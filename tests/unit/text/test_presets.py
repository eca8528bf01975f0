import json

import pytest
from tokenizers import Regex, normalizers

from khabar.errors import ConfigError
from khabar.text.presets import PRESETS, Replace, StandIn, get


def test_three_presets_exist():
    assert list(PRESETS) == ["arabert_v02", "arabert_v02_twitter", "none"]
    assert all(get(name).name == name for name in PRESETS)


def test_none_does_nothing():
    assert get("none").steps == get("none").breaks == get("none").tokens == ()


def test_an_unknown_preset_names_the_nearest_and_all():
    with pytest.raises(ConfigError) as error:
        get("arabert_v2")
    assert "'arabert_v2'" in str(error.value)
    assert "Did you mean 'arabert_v02'?" in str(error.value)
    assert "arabert_v02, arabert_v02_twitter, none" in str(error.value)


@pytest.mark.parametrize("name", ["arabert_v02", "arabert_v02_twitter"])
def test_every_pattern_compiles_and_survives_json(name):
    preset = get(name)
    for pattern in (*(step.pattern for step in preset.steps), *preset.breaks):
        Regex(pattern)
        assert json.loads(json.dumps(pattern)) == pattern


def test_every_stand_in_marks_the_end_of_its_first_character():
    for step in get("arabert_v02").steps:
        if isinstance(step, StandIn):
            assert r"\K" in step.pattern
            assert step.token in get("arabert_v02").tokens


def test_the_two_differ_in_emoji_alone():
    news, tweets = get("arabert_v02"), get("arabert_v02_twitter")
    assert news.steps[:-1] == tweets.steps[:-1]
    assert news.breaks == tweets.breaks

    def last(preset, text):
        step = preset.steps[-1]
        assert isinstance(step, Replace)
        return normalizers.Replace(Regex(step.pattern), step.content).normalize_str(text).split()

    assert last(news, "خبر 😀 ©") == ["خبر"]
    assert last(tweets, "خبر 😀 ©") == ["خبر", "😀", "©"]
    assert last(tweets, "👨\u200d👩\ufe0f") == ["👨", "👩"]  # joiners are no tokens
