"""The texts of the exam that each bundle sits: written for this project, so that a bundle carries nobody's data."""

from khabar.inference.engine import Engine
from khabar.models.bundle import Probe
from khabar.schema import OUTLET, Example, Task

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
    for name, task in tasks.items():
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


def record(engine: Engine) -> list[Probe]:
    """Let a model answer the exam and write its answers down."""
    asked = questions(engine.tasks)
    return [
        Probe(
            task=example.task,
            text=example.text,
            holder=example.holder,
            target=example.target,
            probabilities=answer.probabilities,
        )
        for example, answer in zip(asked, engine.predict(asked), strict=True)
    ]
