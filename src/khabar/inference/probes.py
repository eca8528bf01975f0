"""The texts of the exam that each bundle sits: written for this project, so that a bundle carries nobody's data."""

import re

from khabar.inference.engine import Engine
from khabar.models.bundle import Probe
from khabar.schema import OUTLET, Example, Offsets, Task, flat

TEXTS = (
    "أعلنت وزارة الخارجية في سلوان أنها ترفض مقترح الوساطة، ودعت الطرفين إلى استئناف المحادثات فوراً.",
    "قصفت مدفعية الجبهة أطراف البلدة ليل الثلاثاء، فيما أُغلقت المدارس وتوقفت حركة القطارات بين الضفتين.",
    "سَيُوقّع الجانبان الاتفاق «خلال 48 ساعة»، بحسب ما نقلت صحيفة المرفأ عن مصدرين مطّلعين!",
    "تظاهر مئات العمال أمام مبنى الشركة احتجاجاً على تأخر الأجور، واعتقلت الشرطة ٧ منهم.",
    "بلغ سعر الطن 1250.5 ديناراً https://example.org/a?b=c (+3%)، ولم يصدر تعليق.",
    "نعم.",
)
LONG = " ".join(TEXTS[:5]) + "\n"
TARGETS = ("مقترح الوساطة", "تأخر الأجور")


def questions(tasks: dict[str, Task]) -> list[Example]:
    """The questions of the exam: every text for every task, and one text longer than any window."""
    asked = []
    for name, task in flat(tasks).items():
        if task.level == "pair" or (task.level == "span" and not task.marks):
            asked += _marked(name, task)
            continue
        for number, text in enumerate([*TEXTS, LONG * 12]):
            target = TARGETS[number % 2] if "target" in task.asks else None
            asked.append(
                Example(
                    id=f"{name}-{number}",
                    article=str(number),
                    group=str(number),
                    task=name,
                    text=text,
                    holder=OUTLET if "holder" in task.asks else None,
                    target=target,
                )
            )
    return asked


def _marked(name: str, task: Task) -> list[Example]:
    """A question about marks for some words of each text; the outlet's stance too, where stances are asked."""
    asked = []
    for number, text in enumerate(TEXTS[:4]):
        found = [(match.start(), match.end()) for match in re.finditer(r"\w+", text)]
        tail = found[4] if task.level == "pair" else found[0]
        heads: list[tuple[Offsets | None, str | None]] = [(found[0], None)]
        heads += [(None, OUTLET)] if "actor" in task.on else []
        for head, holder in heads:
            asked.append(
                Example(
                    id=f"{name}-{number}-{holder}", article=str(number), group=str(number), task=name, text=text,
                    span=head, holder=holder, tail=tail, within=(0, len(text)),
                )
            )  # fmt: skip
    return asked


def record(engine: Engine) -> list[Probe]:
    """Let a model answer the exam and write its answers down."""
    asked = questions(engine.tasks)
    return [
        Probe(
            task=example.task,
            text=example.text,
            holder=example.holder,
            target=example.target,
            span=example.span,
            tail=example.tail,
            within=example.within,
            probabilities=answer.probabilities,
        )
        for example, answer in zip(asked, engine.predict(asked), strict=True)
    ]
