"""Names in a text: found with what is written onto them, not found inside other words."""

import pytest

from khabar.errors import DataError
from khabar.inference import watchlist
from khabar.inference.watchlist import Entry, Watchlist
from khabar.schema import OUTLET


def finds(name, text):
    return Entry(name=name).pattern.search(text) is not None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("إيران", "وصل إلى إيران."),
        ("إيران", "قالت إيران: لا"),
        ("إيران", "وإيران"),
        ("إيران", "فإيران"),
        ("إيران", "بإيران"),
        ("إيران", "لإيران"),
        ("إيران", "كإيران"),
        ("إيران", "وبإيران"),
        ("إيران", "ايران"),
        ("إيران", "وَإيران"),
        ("إيران", "بِإِيرَانَ"),
        ("إيران", "«إيـــران»"),
        ("عُمان", "في عمان"),
        ("عمان", "في عُمان"),
        ("الأمم المتحدة", "للأمم المتحدة"),
        ("الأمم المتحدة", "وللأمم  المتحده"),
        ("الأمم المتحدة", "الأمم\u00a0المتحدة"),
        ("الأمم المتحدة", "بالامم المتحدة"),
        ("اللجنة", "للجنة"),
        ("مصطفى", "مصطفي"),
        ("غزة", "غزه"),
        ("NATO", "حلف NATO"),
        ("س+", "لغة س+ هنا"),
    ],
)
def test_a_name_is_found(name, text):
    assert finds(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("إيران", "الإيرانيون"),
        ("إيران", "إيراني"),
        ("إيران", "إيرانِيّ"),
        ("إيران", "سإيران"),
        ("إيران", "كُتُبُإيران"),
        ("مصر", "مصرف"),
        ("مصر", "عناصر"),
        ("مصر", "وفبلمصر"),
        ("الأمم المتحدة", "الأمم\nالمتحدة"),
        ("س+", "س"),
        (OUTLET, "قال الناشر"),
    ],
)
def test_a_name_is_not_found_inside_another_word(name, text):
    assert not finds(name, text)


def test_a_holder_is_asked_about_a_target_of_its_sentence_and_the_outlet_about_all():
    names = Watchlist(
        (
            Entry(name="إيران", aliases=("طهران",)),
            Entry(name="الهدنة", role=("target",)),
            Entry(name="مصر", role=("holder",)),
        )
    )
    text = "رفضت طهران الهدنة. مصر تراقب."
    assert names.questions(text) == [("إيران", "الهدنة"), (OUTLET, "إيران"), (OUTLET, "الهدنة")]
    assert names.questions("لا شيء هنا.") == []
    assert Watchlist(()).questions(text) == []


def test_a_file_is_read(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text("- name: إيران\n  kind: state\n  aliases: [طهران]\n  role: [holder]\n- name: غزة\n", "utf-8")
    names = watchlist.load(path)
    assert names.entries[0] == Entry(name="إيران", kind="state", aliases=("طهران",), role=("holder",))
    assert names.entries[1].role == ("holder", "target")


def test_the_sample_watchlist_is_read():
    from khabar.config import locate

    names = watchlist.load(locate("seeds/sample/watchlist.yaml"))
    text = locate("seeds/sample/article.txt").read_text("utf-8")
    assert ("إيران", "الولايات المتحدة") in names.questions(text)


def test_the_sample_watchlist_asks_what_it_asked_with_aliases_alone():
    from khabar.config import locate

    names = watchlist.load(locate("seeds/sample/watchlist.yaml"))
    asked = names.questions(locate("seeds/sample/article.txt").read_text("utf-8"))
    assert len(asked) == 77
    assert asked[:2] == [("إيران", "الولايات المتحدة"), ("إيران", "إسرائيل")]
    assert asked[-1] == (OUTLET, "هجوم 7 أكتوبر")
    assert ("بريطانيا", "الحوثيون") in asked


IRAN = Entry(name="إيران", kind="state", metonyms=("طهران",), nisba=("إيراني",), acronyms=("ج.إ.إ",), wikidata="Q794")


@pytest.mark.parametrize(
    "text",
    ["قالت طهران", "مسؤول إيراني", "القوات الإيرانية", "نقلا عن إيرانيين", "مسؤوليّن إيرانييّن", "للإيرانيين",
     "طلبا إيرانيا", "الإيرانيّون", "أعلنت ج.إ.إ"],
)  # fmt: skip
def test_metonyms_nisba_and_acronyms_are_found(text):
    assert IRAN.pattern.search(text)


def test_forms_lead_to_entries_those_called_so_before_nisbas():
    other = Entry(name="الإيراني", aliases=("طهران",))
    forms = Watchlist((IRAN, other)).forms
    assert forms["طهرين",] == (IRAN, False)
    assert forms["ايراني",] == (other, False)
    assert forms["ايرانيه",] == (IRAN, True)
    assert Watchlist((Entry(name=OUTLET, aliases=("…",)),)).forms == {}


def test_a_nisba_may_have_several_spellings(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text("- {name: أ, nisba: أمريكي}\n- {name: ب, nisba: [أمريكي, أميركيّ]}\n", "utf-8")
    one, both = watchlist.load(path).entries
    assert one.nisba == ("أمريكي",)
    assert {"الأميركيين", "أمريكية"} <= set(both.inflections)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("name: إيران", "must be a list"),
        ("", "must be a list"),
        ("- [", "can't be read"),
        ("- name: 5", "Entry 1 .*name: "),
        ("- name: أ\n- alias: ب", "Entry 2 .*alias: "),
        ("- name: أ\n  aliases: ['']", r"Entry 1 .*aliases\.0: "),
        ("- name: ' '", "Entry 1 .*name: "),
        ("- name: أ\n  role: [speaker]", r"Entry 1 .*role\.0: "),
        ("- إيران", "Entry 1"),
        ("- {name: أ, wikidata: 794}", "Entry 1 .*wikidata: "),
        ("- {name: أ, wikidata: Q0}", "Entry 1 .*wikidata: "),
        ("- {name: أ, nisba: إيران}", r"Entry 1 .*nisba\.0: "),
        ("- {name: أ, nisba: [إيراني, 5]}", r"Entry 1 .*nisba\.1: "),
        ("- {name: أ, metonyms: طهران}", "Entry 1 .*metonyms: "),
        ("- name: 2020-01-01", "Entry 1"),
    ],
)
def test_a_bad_file_says_which_entry_and_why(tmp_path, content, why):
    path = tmp_path / "names.yaml"
    path.write_text(content, "utf-8")
    with pytest.raises(DataError, match=why):
        watchlist.load(path)


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    path = tmp_path / "names.yaml"
    with pytest.raises(DataError, match="can't be read"):
        watchlist.load(path)
    path.write_bytes("- name: إيران".encode("cp1256"))
    with pytest.raises(DataError, match="can't be read"):
        watchlist.load(path)
