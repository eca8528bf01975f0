"""One name for all mentions of an actor: by the watchlist, and by what the mentions of an article say of each other."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.config import locate
from khabar.data.graph import Name
from khabar.inference import watchlist
from khabar.inference.names import resolve
from khabar.inference.watchlist import Entry, Watchlist

KNOWN = Watchlist(
    (
        Entry(name="إيران", kind="state", metonyms=("طهران",), nisba=("إيراني",), wikidata="Q794"),
        Entry(name="الولايات المتحدة", kind="state", aliases=("إدارة بايدن",), nisba=("أمريكي", "أميركي")),
        Entry(name="حماس", kind="armed_group", aliases=("حركة المقاومة الإسلامية",)),
        Entry(name="الحوثيون", kind="armed_group", nisba=("حوثي",)),
        Entry(name="الجماعات المدعومة من إيران", aliases=("الجماعات المدعومة من طهران",)),
        Entry(name="الحرس الثوري", aliases=("الحرس الثوري الإيراني",), acronyms=("IRGC",)),
        Entry(name="علي باقري كاني", kind="person", aliases=("باقري",)),
        Entry(name="علي باقري", kind="person"),
        Entry(name="جو بايدن", kind="person", aliases=("بايدن",)),
    )
)


def named(*mentions, known=None):
    return [name.name for name in resolve(mentions, known)]


@pytest.mark.parametrize(
    ("mention", "name"),
    [
        ("إيران", "إيران"),
        ("وإيران", "إيران"),
        ("طهران", "إيران"),
        ("للإيرانيين", "إيران"),
        ("مسؤولون إيرانيون", "إيران"),
        ("مسؤوليّن إيرانييّن", "إيران"),
        ("المسؤولين الإيرانيين", "إيران"),
        ("كبار المسؤولين الإيرانيين", "إيران"),
        ("وزارة الخارجية الإيرانية", "إيران"),
        ("السلطات في إيران", "إيران"),
        ("حكومة طهران", "إيران"),
        ("للولايات المتحدة", "الولايات المتحدة"),
        ("والإدارة الأمريكية", "الولايات المتحدة"),
        ("الإدارة الأميركية", "الولايات المتحدة"),
        ("إدارة بايدن", "الولايات المتحدة"),
        ("مسؤول أمريكي كبير لم يذكر اسمه", "الولايات المتحدة"),
        ("مسؤول حوثي", "الحوثيون"),
        ("الحرس الثوري الإيراني", "الحرس الثوري"),
        ("IRGC", "الحرس الثوري"),
        ("الجماعات المدعومة من طهران", "الجماعات المدعومة من إيران"),
        ("نائب وزير الخارجية الإيراني علي باقري كاني", "علي باقري كاني"),
        ("نائب وزير الخارجية الإيراني علي باقري", "علي باقري"),
        ("الرئيس بايدن", "جو بايدن"),
        ("الرئيس الأمريكي جو بايدن", "جو بايدن"),
    ],
)
def test_an_entry_names_a_mention(mention, name):
    assert named(mention, known=KNOWN) == [name]


@pytest.mark.parametrize(
    "mention",
    [
        "الميليشيات المدعومة من طهران",
        "وكلاء إيران",
        "القوات الأمريكية",
        "مسؤولين أمريكيين وإيرانيين",
        "حكومة حماس",
        "مكتب جو بايدن",
        "أنصار بايدن",
        "مستشار علي باقري كاني",
    ],
)
def test_a_mention_that_holds_a_form_is_another_actor(mention):
    assert named(mention, known=KNOWN) == [mention]


def test_an_entry_gives_its_item_and_names_all_that_joins_it():
    names = resolve(["حركة المقاومة الإسلامية", "الحركة", "طهران", "نقابة"], KNOWN)
    assert names == [Name("حماس"), Name("حماس"), Name("إيران", "Q794"), Name("نقابة")]


def test_two_entries_are_never_joined():
    assert named("حركة حماس", "حماس", "إيران", "الحركة", known=KNOWN) == ["حماس", "حماس", "إيران", "حماس"]
    both = Watchlist((Entry(name="حزب التلال"), Entry(name="التلال")))
    assert named("حزب التلال", "التلال", known=both) == ["حزب التلال", "التلال"]


@pytest.mark.parametrize(
    "mentions",
    [
        # written onto, written otherwise, in another case
        ("لعُمان", "عمان", "وعُمان"),
        ("الحوثيون", "الحوثيين", "للحوثيين"),
        ("النائبان", "النائبين"),
        ("مفتشو الجمارك", "مفتشي الجمارك"),
        # a person by titles and last names
        ("نائب وزير الخارجية الإيراني علي باقري كاني", "كاني", "الوزير كاني", "علي باقري كاني"),
        ("رئيس الحكومة", "رئيس الحكومة كنعان الزيرماني", "الزيرماني"),
        ("وزير الطاقة في هليانا", "وزير الطاقة رامح السنديان", "السنديان"),
        ("دونالد ترامب", "ترامب"),
        ("كاني", "الوزير كاني"),
        # acronyms, quotes, nouns before names
        ("الجبهة الشعبية (ج.ش)", "ج.ش"),
        ("الاتحاد العام للشغل [UGT]", "UGT"),
        ("جماعة «أنصار المدّ»", "أنصار المدّ", "الجماعة"),
        ("جمهورية باسرة العربية", "باسرة"),
        ("حزب النهضة الزراعية", "النهضة الزراعية", "النهضة", "الحزب"),
        ("وزارة الداخلية", "الداخلية"),
        ("الناقلة", "بناقلة المشتقات «نجمة الشمال»"),
        # a noun that one name begins with, an office, what is counted
        ("محكمة جنايات العاصمة", "المحكمة"),
        ("نقابة عمال الميناء", "النقابة", "نقابتهم"),
        ("قائد الحرس اللواء جواد قشلان", "اللواء"),
        ("لجنة الحصانة", "لجنة الحصانة بمجلس النواب"),
        ("تجمع بحر الحلفاء", "التجمع الاقتصادي لبحر الحلفاء"),
        ("ثلاثة مصارف طرنوبية", "المصارف الثلاثة", "للمصارف"),
        ("نوفاريا", "حكومة نوفاريا", "السلطات النوفارية", "النوفاريين"),
        ("البلدان", "الطرفين"),
    ],
)
def test_mentions_of_one_actor(mentions):
    assert len(set(named(*mentions))) == 1


@pytest.mark.parametrize(
    "mentions",
    [
        ("الحكومة", "رئيس الحكومة"),
        ("هَزوان", "رئيس وفد هَزوان"),
        ("عَوذان", "بحرية عَوذان"),
        ("حرس الدِّنان", "الدِّنان"),
        ("جمعية المقاولين", "للمقاولين"),
        ("فلاحون غاضبون", "الفلاحين"),
        ("حكومة أخرى", "الحكومة"),
        ("أحد الطرفين", "الطرفان"),
        ("المسؤولين الأمريكيين والإيرانيين", "المسؤولين الأمريكيين"),
        ("الراوي", "حكومة الراوي", "رئيس الوزراء أيمن الراوي"),
        ("بايدن", "الرئيس جو بايدن", "الرئيس هنتر بايدن"),
        ("المحكمة", "محكمة النقض", "محكمة الاستئناف"),
        ("حماس", "حركة فتح"),
        ("محامي البركاوي", "البركاوي"),
        ("الرئيس الإيراني", "إيراني"),
    ],
)
def test_mentions_of_several_actors(mentions):
    assert len(set(named(*mentions))) > 1


def test_a_noun_goes_to_the_earlier_of_two_names_that_begin_with_it():
    assert named("محكمة الجنايات", "المحكمة", "محكمة النقض") == ["محكمة الجنايات"] * 2 + ["محكمة النقض"]


@pytest.mark.parametrize(
    ("mentions", "name"),
    [
        (("للحوثيين", "الحوثيين", "الحوثيون"), "الحوثيون"),
        (("الحركة", "حركة «السنابل»"), "حركة السنابل"),
        (("صحيفة “كستورة تايمز", "كستورة تايمز"), "كستورة تايمز"),
        (("صحيفة «كستورة تايمز»",), "كستورة تايمز"),
        (("ونائب وزير الخارجية الإيراني علي باقري كاني", "كاني"), "علي باقري كاني"),
        (("وزير الخارجية أيمن الراوي، عضو اللجنة",), "أيمن الراوي"),
        (("جارتُها الشرقية، إمارة الحَزوم",), "إمارة الحَزوم"),
        (("دولة فالمير، الممول الأكبر للسد",), "دولة فالمير"),
        (("الرئيس السنديان",), "الرئيس السنديان"),
        (("الجبهة الشعبية (ج.ش)",), "الجبهة الشعبية"),
        (("حكومة نوفاريا", "نوفاريا"), "نوفاريا"),
    ],
)
def test_the_fullest_mention_without_title_is_the_name(mentions, name):
    assert set(named(*mentions)) == {name}


def test_odd_mentions_have_names_too():
    assert resolve([]) == []
    assert named("", " ", "…", "(", "ال", "و", " إيران  العظمى ") == ["", " ", "…", "(", "ال", "و", "إيران العظمى"]


def test_the_sample_watchlist_names_the_sample_s_actors():
    known = watchlist.load(locate("seeds/sample/watchlist.yaml"))
    mentions = [
        "إيران",
        "إدارة بايدن",
        "وحماس",
        "مسؤولون إيرانيون",
        "ماكغورك",
        "للحركة الفلسطينية الحاكمة في غزة",
        "مسقط",
    ]
    names = resolve(mentions, known)
    assert [name.wikidata for name in names] == ["Q794", "Q30", "Q38799", "Q794", None, None, "Q842"]
    assert names[4].name == "بريت ماكغورك"


WORDS = """
    وزير الوزير الخارجية في هليانا رامح السنديان سنديان حزب الحزب «الجادة» الجادة، وقالت لعُمان عُمان إيران إيراني
    الإيرانيون حكومة الحكومة حكومته ثلاثة مصارف المصارف (ج.ت) ج.ت و ل لل ال عبد الله أبو على علي 12 NATO ً ـ ،
"""
TEXTS = st.lists(st.sampled_from(WORDS.split()), max_size=6).map(" ".join) | st.text(max_size=8)


@given(st.lists(TEXTS, max_size=12), st.sampled_from([None, KNOWN]))
def test_every_mention_has_a_name_and_equal_ones_the_same(mentions, known):
    names = resolve(mentions, known)
    assert len(names) == len(mentions)
    assert len(set(zip(mentions, names, strict=True))) == len(set(mentions))
    assert names == resolve(list(mentions), known)
    assert all(name.name for name, mention in zip(names, mentions, strict=True) if mention.strip())


ORDERLESS = (
    "إيران", "وإيران", "لعُمان", "عُمان", "طهران", "مسؤولون إيرانيون", "رئيس الحكومة", "رئيس الحكومة كنعان الراوي",
    "الراوي", "حزب النهضة", "حزب النهضة الزراعية", "ج.ش", "الجبهة (ج.ش)", "نوفاريا", "حكومة نوفاريا", "المصارف الثلاثة",
    "ثلاثة مصارف", "البلدان", "للطرفين", "الوزير كاني", "نائب الوزير علي باقري كاني", "علي باقري كاني",
    "جمهورية باسرة", "باسرة", "السلطات الباسرية",
)  # fmt: skip


@given(st.lists(st.sampled_from(ORDERLESS), max_size=20), st.randoms(), st.sampled_from([None, KNOWN]))
def test_names_do_not_depend_on_the_order_where_no_noun_points_back(mentions, chance, known):
    names = dict(zip(mentions, resolve(mentions, known), strict=True))
    shuffled = list(mentions)
    chance.shuffle(shuffled)
    assert dict(zip(shuffled, resolve(shuffled, known), strict=True)) == names


def test_many_mentions_take_little_time():
    chance = random.Random(0)
    some = [" ".join(chance.choices(WORDS.split(), k=chance.randint(1, 5))) for _ in range(300)]
    resolve(some, KNOWN)
    start = time.process_time()
    for _ in range(5):
        resolve(some, KNOWN)
    assert time.process_time() - start < 1  # 5 times 15 ms, and room for a slow machine
