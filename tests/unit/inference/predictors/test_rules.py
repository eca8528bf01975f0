"""The rules on invented sentences: what they learn of words, spans, triggers and pairs; what they score on seeds."""

import random
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from khabar.cli import compose
from khabar.data import dataset, marks
from khabar.data.fold import TrainingFold
from khabar.evaluation import metrics, rows, spans
from khabar.inference.predictors import _rules_heads, rules
from khabar.inference.predictors._dictionary import Lexicon, Shares, shape, stem
from khabar.schema import HOLDERS, OUTLET, UNNAMED, Example, Marks, Relation, Span, flat
from unit.inference import tiny_bundle

READER = {"reader": tiny_bundle.task("reader")}
MARK = re.compile(r"\[(\w)(\d?)((?: \w+=\S+)*): |\]")
LAYERS = {"A": "actor", "E": "event", "C": "claim"}

# [E1 type=REQUEST status=happened: word] is a trigger, [A: ...] an actor, [C: ...] a claim; relations are by number
TRAIN = [
    ("[E1 type=REQUEST status=happened: طالبت] [A2: وزيرة الخارجية ليلى] بأن [C4: تنسحب من الوادي].",
     "1 actor 2,2 favor 4"),
    ("[E1 type=REQUEST status=happened: طالب] [A2: وزير الدفاع سالم] بأن [C4: تفتح المعبر غدا].",
     "1 actor 2,2 favor 4"),
    ("[E1 type=ASSAULT status=happened: قصف] [A2: جيش دراوة] [A3: قرية الريم] ليلا.",
     "1 actor 2,1 recipient 3,2 against 3"),
    ("[E1 type=ASSAULT status=happened: قصف] [A2: جيش سلوان] [A3: قرية العين] فجرا.",
     "1 actor 2,1 recipient 3,2 against 3"),
    ("سوف [E1 type=CONSULT status=planned: يلتقي] [A2: وزير الدفاع سالم] [A3: وفد دراوة] غدا.", "1 actor 2,1 actor 3"),
    ("سوف [E1 type=CONSULT status=planned: يزور] [A2: رئيس الوفد] [A3: سلوان] غدا.", "1 actor 2,1 recipient 3"),
    ("وقال [A1: وزير الدفاع سالم] إن [C2: القرية كلها آمنة].", "1 favor 2"),
    ("وقالت [A1: وزيرة الخارجية ليلى] إن [C2: الطريق الساحلي مفتوح].", "1 favor 2"),
    ("ونفى [A1: جيش دراوة] أن [C2: القرية قصفت ليلا].", "1 against 2"),
    ("هدأت الأمطار في الوادي ليلا.", ""),
]  # fmt: skip


def row(number, marked, relations=""):
    """A sentence in an article of its own, out of its marked text and relations such as `1 actor 2`."""
    text, found, open_, at = "", [], [], 0
    for match in MARK.finditer(marked):
        text += marked[at : match.start()]
        at = match.end()
        if match[1]:
            open_.append((LAYERS[match[1]], match[2], dict(each.split("=") for each in match[3].split()), len(text)))
        else:
            layer, id_, attributes, start = open_.pop()
            found.append(Span(id=id_ or f"{layer}{start}", article=str(number), annotator="gold", layer=layer,
                              start=start, end=len(text), attributes=attributes))  # fmt: skip
    text += marked[at:]
    links = []
    for i, (head, role, tail) in enumerate(one.split() for one in relations.split(",") if one):
        sided = role in ("favor", "against")
        links.append(Relation(id=str(i), article=str(number), annotator="gold", head=head, tail=tail,
                              role="stance" if sided else role, label=role if sided else None))  # fmt: skip
    placed = tuple(sorted(found, key=lambda span: (span.start, -span.end)))
    return Example(id=f"row-{number}", article=str(number), group=str(number), task="reader", text=text,
                   span=(0, len(text)), gold=(), marks=Marks(((0, len(text)),), placed, tuple(links)))  # fmt: skip


def asked(*told):
    return marks.expand([row(number, *one) for number, one in enumerate(told)], READER)


def fitted(train=TRAIN, dev=()):
    return rules.fit(TrainingFold({"train": asked(*train)}), dev, flat(READER), 0)


@pytest.fixture(scope="module")
def model():
    return fitted()


def found(model, text):
    """What is marked in a sentence, by layer."""
    example = replace(row("new", text), marks=None, gold=None)
    (answer,) = model.predict([example])
    return [(span.layer, text[span.start : span.end]) for span in answer.spans]


def answers(model, head, marked, relations=""):
    """The labels of a head's questions about marked text, by the words of the spans."""
    example = row("new", marked, relations)
    given = [*TRAIN, (marked, relations)]  # so that the head counts as annotated
    questions = [one for one in asked(*given) if one.article == str(len(TRAIN)) and one.task == f"reader.{head}"]
    told = model.predict(questions)
    assert example.text == questions[0].text
    return {
        (_words(one, one.span) or one.holder, _words(one, one.tail)) if one.tail != one.span else _words(one, one.span):
        answer.labels for one, answer in zip(questions, told, strict=True)
    }  # fmt: skip


def _words(example, place):
    return example.text[slice(*place)] if place else None


def test_it_answers_what_marks_and_what_is_about_marks():
    tasks = flat({**READER, "event_type": tiny_bundle.task("event_type"), "stance": tiny_bundle.task("stance")})
    assert {name for name, task in tasks.items() if rules.answers(task)} == flat(READER).keys()


def test_it_is_fitted_on_a_training_fold_alone():
    with pytest.raises(TypeError, match="training fold alone"):
        rules.fit(asked(*TRAIN), [], flat(READER), 0)


def test_a_word_is_known_without_its_clitics_as_far_as_the_rest_is_a_word():
    lexicon = Lexicon(["قال وزير إن القرار صدر", "بيان الوزير"])
    words = lexicon.words("والوزير، ووزير بالقرار للقرار", (0, 29))
    assert words.lemmas == ("وزير", "وزير", "القرار", "القرار")  # قرار alone is no training word
    assert words.gaps == ("", "،", "", "", "")
    assert [lexicon.lemma(word) for word in ("وقال", "بيان", "كلام")] == ["قال", "بيان", "كلام"]
    assert words.at((3, 12)) == range(2)
    assert (words.lemma(-1), words.stem(4), words.shape(4)) == ("|", "|", "|")


def test_stems_join_the_forms_of_a_verb():
    assert len({stem(word) for word in ("طالب", "طالبت", "يطالب", "تطالبها")}) == 1
    assert {stem(word) for word in ("ينكر", "انكر", "تنكر")} < {*_rules_heads.DENIES}
    assert {stem(word) for word in ("يزعم", "مزعوم", "مزاعم", "يدعي")} == {*_rules_heads.DOUBTS}
    assert (shape("12"), shape("والقريه"), shape("سالم")) == ("0", "ال-يه", "-")


def test_shares_of_rare_keys_are_drawn_to_those_of_general_ones():
    told = [([("word", "q", "qa")], np.array([1.0, 0.0]))] * 3 + [([("word", "k", "ka")], np.array([0.0, 1.0]))]
    shares = Shares(2, "single", told)
    every = np.array([3.5, 1.5]) / 5
    assert shares.all == pytest.approx(every)
    drawn = (np.array([3, 0]) + 2 * every) / 5
    assert np.exp(shares.logits([("word", "q", "new")])) == pytest.approx(drawn)
    assert np.exp(shares.logits([("word", "q", "qa")])) == pytest.approx((np.array([3, 0]) + 2 * drawn) / 5)
    assert np.exp(shares.logits([("word", "new", "new")])) == pytest.approx(every)
    twice = shares.logits([("word", "q", "new"), ("word", "q", "new")])
    assert np.exp(twice) == pytest.approx(drawn**2 / every)  # what each adds is summed
    assert (shares.knows(("word", "q")), shares.knows(("other", "q"))) == (True, False)
    odds = Shares(1, "multi", [([("a", 1)], np.array([1.0])), ([("a", 2)], np.array([0.0]))])
    assert odds.logits([]) == pytest.approx(np.log([(1 / 3) / (2 / 3)]))


def test_triggers_actors_and_claims_are_marked_in_new_sentences(model):
    assert found(model, "ويطالب وزير الدفاع هاني بأن تنسحب القوات.") == [
        ("event", "ويطالب"), ("actor", "وزير الدفاع هاني"), ("claim", "تنسحب القوات")
    ]  # fmt: skip
    assert found(model, "هطلت الأمطار ليلا.") == []
    assert found(model, "!") == []


def test_a_quotation_that_opens_in_a_span_closes_in_it():
    train = [*TRAIN, *((f"وقال [A: حزب «الغد»] إن [C: الأمر «عاجل جدا»]{end}", "") for end in (".", "!"))]
    told = dict(found(fitted(train), "وقال حزب «الغد» إن الأمر «عاجل جدا»."))
    assert told == {"actor": "حزب «الغد»", "claim": "الأمر «عاجل جدا»"}


def test_dev_chooses_what_a_span_needs(model):
    few = [("[A: حزب] [A: جديد] [E type=ASSAULT status=happened: يقصف] [A: قرية].", "")] * 2
    tuned = fitted(dev=asked(*few))
    task = READER["reader"]
    dev = [one for one in asked(*few) if one.task == "reader"]

    def f1(model):
        scored = spans.scored(task, dev, [answer.spans for answer in model.predict(dev)])
        return metrics.compute(scored, "f1")

    layers = tuned.readers["reader"].layers
    assert {(layer.begins, layer.goes) for layer in model.readers["reader"].layers.values()} == {(0.5, 0.5)}
    assert layers["event"].begins < 0.5  # a word whose stem is not sure enough by itself
    assert (f1(tuned) >= f1(model)).all()
    assert f1(tuned).sum() > f1(model).sum()
    assert tuned.readers["reader"].sight.lexicon.known == model.readers["reader"].sight.lexicon.known


def test_a_trigger_has_the_type_of_its_word_else_of_its_stem_else_the_most_frequent(model):
    told = answers(model, "type", "[E type=REQUEST: قصف] [E type=REQUEST: ويقصفون] [E type=REQUEST: ضحك] هناك.")
    types = {word: labels[0] for word, labels in told.items()}
    assert (types["قصف"], types["ويقصفون"]) == ("ASSAULT", "ASSAULT")
    assert types["ضحك"] in ("REQUEST", "ASSAULT", "CONSULT")  # two each


def test_words_before_a_trigger_tell_its_status():
    others = ["كتب", "رسم", "ضحك", "جلس", "لعب", "شرب", "طبخ", "حفر"]
    train = [(f"[E type=AGREE status=happened: {word}] هناك.", "") for word in others]
    train += [(f"سوف [E type=AGREE status=planned: {word}] هناك.", "") for word in others[:4]]
    model = fitted(train)
    head = model.readers["reader"].heads["reader.status"]
    assert head.cues  # on training rows left out
    assert answers(model, "status", "ربما سوف [E status=planned: نزرع] و[E status=planned: نزرع] هنا.") == {
        "نزرع": ("planned",)
    }
    assert not model.readers["reader"].heads["reader.type"].cues


def test_the_nearest_actors_have_the_parts_that_their_places_tell(model):
    marked = "[E1: طالب] [A2: حزب] اليوم [A3: نقابة] بذلك."
    told = answers(model, "role", marked, "1 actor 2")
    assert told == {("طالب", "حزب"): ("actor",), ("طالب", "نقابة"): ("recipient",)}


def test_the_order_of_the_questions_does_not_matter(model):
    questions = [one for one in asked(*TRAIN) if one.task != "reader"]
    mixed = random.Random(0).sample(questions, len(questions))
    told = {answer.example: answer for answer in model.predict(mixed)}
    assert model.predict(questions) == [told[one.id] for one in questions]


def test_who_states_a_claim_is_for_it_and_who_denies_it_against():
    model = fitted([*TRAIN, *TRAIN])
    assert answers(model, "stance", "وقال [A1: حزب] إن [C2: الوضع هادئ هنا].")["حزب", "الوضع هادئ هنا"] == ("favor",)
    told = answers(model, "stance", "ونفى [A1: حزب] أن [C2: الوضع هادئ هنا].")
    assert told["حزب", "الوضع هادئ هنا"] == ("against",)
    assert {told[holder, "الوضع هادئ هنا"] for holder in HOLDERS} == {("none",)}


def sides(model, marked, layer, holder=None, target="2"):
    """What the plain rule says of a holder (a number of a span, or a name) and a target."""
    example = row("new", marked)
    at = {span.id: (span.start, span.end) for span in example.marks.spans}
    own = sorted((span.start, span.end) for span in example.marks.spans if span.layer == "actor")
    sight = model.readers["reader"].sight
    words = sight.lexicon.words(example.text, example.span)
    one = replace(example, span=at.get(holder), holder=None if holder in at else holder, tail=at[target])
    return _rules_heads.sides(words, one, layer, own, sight.triggers(words))


def test_the_plain_rule_of_sides(model):
    said = "وقال [A1: حزب] أمام [A3: وفد] إن [C2: الوضع هادئ هنا]"
    assert (sides(model, said, "claim", "3"), sides(model, said, "claim", "1")) == ("favor", "none")  # the nearest
    assert sides(model, "ورفض [A1: حزب] [C2: الانسحاب من القرية]", "claim", "1") == "against"
    assert sides(model, "في بيان زعم أن [C2: الوضع هادئ هنا]", "claim", OUTLET) == "against"
    assert sides(model, "في بيان زعم أن [C2: الوضع هادئ هنا]", "claim", UNNAMED) == "none"
    assert sides(model, "في بيان قال إن [C2: الوضع هادئ هنا]", "claim", OUTLET) == "none"
    shelled = "[E: قصف] [A1: حزب] [A2: قرية الريم] و[A3: قرية العين]"
    assert sides(model, shelled, "actor", "1") == "against"
    assert sides(model, shelled, "actor", "2", "1") == "none"  # the one before
    assert sides(model, shelled, "actor", "1", "3") == "none"  # not the next one
    assert sides(model, "[A1: حزب] و[A2: قرية الريم]", "actor", "1") == "none"  # no trigger


def test_triggers_of_one_stem_are_one_act():
    train = [
        ("[E1 type=ASSAULT: قصف] القرية ثم هدأ [E2 type=ASSAULT: القصف] وبدأ [E3 type=ASSAULT: هجوم].",
         "2 same_event 1"),
        ("[E1 type=PROTEST: تظاهر] الناس وانتهى [E2 type=PROTEST: التظاهر] وبدأ [E3 type=PROTEST: إضراب].",
         "2 same_event 1"),
    ]  # fmt: skip
    marked = "[E1 type=AID: تبرع] الناس وانتهى [E2 type=AID: التبرع] وبدأ [E3 type=AID: إغاثة]."
    told = answers(fitted(train), "same_event", marked, "2 same_event 1")
    assert told["التبرع", "تبرع"] == ("yes",)
    assert told["إغاثة", "تبرع"] == told["إغاثة", "التبرع"] == ("no",)


def test_without_training_rows_nothing_is_marked_and_all_labels_are_alike():
    model = rules.fit(TrainingFold({"train": []}), [], flat(READER), 0)
    assert found(model, "قصف جيش دراوة قرية الريم.") == []
    told = model.predict([one for one in asked(*TRAIN) if one.task in ("reader.type", "reader.stance")])
    for answer in told:
        assert list(answer.probabilities.values()) == pytest.approx(
            [1 / len(answer.probabilities)] * len(answer.probabilities)
        )


def test_on_the_projects_own_articles(capsys):
    """What it scores, for a look; it must beat the most frequent answer."""
    config = compose("train", [("data", "seeds"), ("task", "[event_type,reader]")])
    data = dataset.load(config.data, config.task, config.audit)
    splits = marks.expand_splits(data.splits, config.task)
    tasks = {name: task for name, task in flat(config.task).items() if rules.answers(task)}
    began = time.monotonic()
    model = rules.fit(TrainingFold(splits), splits["dev"], tasks, 0)
    test = [example for example in splits["test"] if example.task in tasks]
    told = model.predict(test)
    seconds = time.monotonic() - began
    values = {}
    for name, task in tasks.items():
        scored = rows.from_predictions(task, [example for example in test if example.task == name], told)
        values[name] = {metric: float(metrics.compute(scored, metric)) for metric in ("micro_f1", "macro_f1")}
    with capsys.disabled():
        print(f"\nrules on seeds, {seconds:.1f} s")
        for name, found in values.items():
            print(f"  {name}: " + ", ".join(f"{metric} {value:.3f}" for metric, value in found.items()))
    assert seconds < 20
    assert values["reader"]["micro_f1"] > 0.3
    assert values["reader.type"]["macro_f1"] > 0.25
    assert values["reader.role"]["micro_f1"] > 0.35
    assert values["reader.stance"]["macro_f1"] > 0.3
    assert values["reader.same_event"]["macro_f1"] > 0.5
