"""An invented article with spans and relations, by hand; and the task that marks them."""

import yaml

from khabar.config import resource
from khabar.data.corpus import Corpus
from khabar.schema import GOLD, OUTLET, UNNAMED, Article, Label, Relation, Span, Task

TEXT = (
    "سلوان تطالب دراوة بالانسحاب\n"
    "طالبت سلوان أمس جارتها دراوة بسحب القوات. ورفضت دراوة الطلب الذي يزعم أن القوات في الوادي.\n"
    "وقالت إن المطالبة السلوانية مرفوضة وسط انتقادات."
)
TASK = Task.of(yaml.safe_load(resource("configs/task/reader.yaml").read_text("utf-8")))


def sentences(text: str = TEXT) -> list[tuple[int, int]]:
    found, at = [], 0
    for part in ("بالانسحاب", "القوات.", "الوادي.", "انتقادات."):
        end = text.index(part, at) + len(part)
        found.append((at, end))
        at = end + 1
    return found


def span(id_: str, layer: str, words: str, sentence: int, annotator: str = GOLD, **attributes: str) -> Span:
    start = TEXT.index(words, *sentences()[sentence])
    return Span(
        id=id_,
        article="a",
        annotator=annotator,
        layer=layer,
        start=start,
        end=start + len(words),
        attributes=attributes,
    )


def arrow(head: str, role: str, tail: str, label: str | None = None, annotator: str = GOLD) -> Relation:
    return Relation(
        id=f"{head}-{role}-{tail}", article="a", annotator=annotator, head=head, tail=tail, role=role, label=label
    )


SPANS = (
    span("S0", "actor", "سلوان", 0, entity="سلوان"),
    span("E0", "event", "تطالب", 0, type="REQUEST", status="happened"),
    span("D0", "actor", "دراوة", 0, entity="دراوة"),
    span("E1", "event", "طالبت", 1, type="REQUEST", mode="yield", status="happened"),
    span("S1", "actor", "سلوان", 1, entity="سلوان"),
    span("D1", "actor", "جارتها دراوة", 1, entity="دراوة"),
    span("C1", "claim", "بسحب القوات", 1),
    span("E2", "event", "ورفضت", 2, type="REJECT", status="happened"),
    span("D2", "actor", "دراوة", 2, entity="دراوة"),
    span("C2", "claim", "القوات في الوادي", 2),
    span("E3", "event", "المطالبة", 3, type="REQUEST", status="background"),
)
RELATIONS = (
    arrow("E0", "actor", "S0"), arrow("E0", "recipient", "D0"), arrow("E1", "actor", "S1"),
    arrow("E1", "recipient", "D1"), arrow("E1", "same_event", "E0"), arrow("S1", "stance", "C1", "favor"),
    arrow("E2", "actor", "D2"), arrow("OUT", "stance", "C2", "against"), arrow("E3", "actor", "S0"),
    arrow("E3", "same_event", "E1"), arrow("UN", "stance", "E3", "against"),
)  # fmt: skip
NAMED = {"OUT": OUTLET, "UN": UNNAMED}


def corpus(spans=SPANS, relations=RELATIONS, articles=("a",)) -> Corpus:
    labels = [
        Label(id=f"l{i}", article="a", annotator=GOLD, task="event_type", labels=(), span=at)
        for i, at in enumerate(sentences())
    ]
    arrows = tuple(
        Relation(
            id=one.id, article=one.article, annotator=one.annotator, head=NAMED.get(one.head, one.head), tail=one.tail,
            role=one.role, label=one.label,
        )
        for one in relations
    )  # fmt: skip
    return Corpus(
        "made", {name: Article(name, TEXT) for name in articles}, tuple(labels), tuple(spans), arrows, "none",
        {"articles": len(articles), "labels": len(labels)},
    )  # fmt: skip
