"""What annotators marked in Label Studio and joined by arrows, as spans and relations."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from khabar.config import DataConfig
from khabar.data import regions
from khabar.data.importers import _controls
from khabar.data.importers._label_studio import Annotation, Arrow, Item
from khabar.data.importers._label_studio_asked import Asked
from khabar.data.problems import Problems, respelled
from khabar.schema import Relation, Span, Task

RELATED = "related"  # the role of a relation that was given no label
_Said = defaultdict[str, dict[str, tuple[str, ...]]]  # region -> control -> labels


class _Placed(NamedTuple):
    """A region as the span that it became, with the task that asked for it to be marked."""

    id: str
    layer: str
    task: Task | None


class Marks:
    """Reads what annotators marked and joined.

    Args:
        config: of the data.
        problems: takes notes.
        asked: what the project asked.
        answers: the task that a control answers, by its name and as khabar knows it.
        named: makes the id of a span (s) or relation (r).
    """

    def __init__(
        self,
        config: DataConfig,
        problems: Problems,
        asked: Asked,
        answers: Mapping[str, tuple[str, Task | None]],
        named: Callable[[Item, Annotation, str], str],
    ) -> None:
        self.config, self.problems, self.asked, self.answers, self.named = config, problems, asked, answers, named
        self.controls = {control.name: control for control in asked.controls}

    def read(self, item: Item, annotation: Annotation) -> Iterator[Span | Relation]:
        """The regions that no task takes and those that a relation joins, then the relations."""
        joined = {end for arrow in annotation.arrows for end in (arrow.head, arrow.tail)}
        said = self._said(annotation)
        placed: dict[str, _Placed] = {}
        for answer in annotation.answers:
            if not answer.marks or answer.span is None:
                continue
            start, end = answer.span
            marking = self.asked.marking.get(answer.control)
            for label in answer.labels or (answer.control,):
                _, task = self.answers.get(answer.control, ("", None))
                if task is not None and label in set(answer.labels) - set(self.controls[answer.control].labels):
                    self.problems.note(_controls.lacked(task, label))
                if self._taken(answer.control, label) and answer.region not in joined:
                    continue
                layer = (label if marking is None else self._spelled(marking, label)).lower()
                if marking is not None:
                    _controls.told(answer.control, marking.name, self.problems)
                    if layer not in marking.labels:
                        self.problems.note(_controls.lacked(marking, label))
                one = _Placed(self.named(item, annotation, "s"), layer, marking)
                if answer.region not in placed or (marking and not placed[answer.region].task):
                    placed[answer.region] = one
                yield Span(
                    id=one.id,
                    article=item.article.id,
                    annotator=annotation.annotator,
                    layer=layer,
                    start=start,
                    end=end,
                    attributes={} if marking is None else self._attributes(marking, layer, said[answer.region]),
                )
        yield from self._relations(item, annotation, placed, said)

    def _relations(
        self, item: Item, annotation: Annotation, placed: dict[str, _Placed], said: _Said
    ) -> Iterator[Relation]:
        found: dict[tuple[str, str, str, str | None], None] = {}  # an arrow both ways may say one thing twice
        for region, one in placed.items():
            for holder, link in () if one.task is None else regions.sided(one.task, one.layer, said[region]):
                found[holder, one.id, link.role, link.label] = None
        for arrow in annotation.arrows:
            if missing := [end for end in (arrow.head, arrow.tail) if end not in placed]:
                if not annotation.broken:  # else the region has been told of
                    wrong = f"it joins the region {missing[0]!r}, which is not there."
                    self.problems.add("relation", wrong, "Export the project again, unchanged")
                continue
            found |= dict.fromkeys(self._meant(arrow, placed[arrow.head], placed[arrow.tail]))
        for head, tail, role, label in found:
            yield Relation(
                id=self.named(item, annotation, "r"),
                article=item.article.id,
                annotator=annotation.annotator,
                head=head,
                tail=tail,
                role=role,
                label=label,
            )

    def _said(self, annotation: Annotation) -> _Said:
        """What is said, beside its layer, of every region that a task asks to be marked."""
        found: _Said = defaultdict(dict)
        answers = annotation.answers
        tasks = {one.region: self.asked.marking[one.control] for one in answers if one.control in self.asked.marking}
        for answer in answers:
            if answer.control in self.asked.about:
                if (task := tasks.get(answer.region)) is not None:
                    found[answer.region][answer.control] = tuple(self._spelled(task, label) for label in answer.labels)
                else:
                    wrong = f"{answer.control} is answered for a region that does not exist."
                    self.problems.add("region", wrong, "Export the project again, unchanged")
        for answer in annotation.written:
            if answer.region in tasks:
                found[answer.region][answer.control] = answer.labels
            else:
                self.problems.note("results of the type textarea, which khabar does not read")
        return found

    def _attributes(self, task: Task, layer: str, said: dict[str, tuple[str, ...]]) -> dict[str, str]:
        found = regions.described(task, layer, said)
        for name, value in found.items():
            head = task.heads.get(name)
            if head is not None and value not in head.labels:
                respelt = respelled(task.name, value, head.labels)
                self.problems.note(f"marks with a {name} that {task.name} lacks: {value} ({respelt})")
        return found

    def _meant(self, arrow: Arrow, head: _Placed, tail: _Placed) -> Iterator[tuple[str, str, str, str | None]]:
        """Head, tail, role and label of what an arrow says."""
        for given in arrow.labels or (RELATED,):
            if head.task is None or tail.task is None:
                yield head.id, tail.id, given, None
                continue
            name = self._spelled(head.task, given)
            found = regions.joined(head.task, head.layer, tail.layer, name)
            if found is None:
                self.problems.note(f"arrows that {head.task.name} lacks: {name} from {head.layer} to {tail.layer}")
                yield head.id, tail.id, name, None
            else:
                link, turned = found
                ends = (tail.id, head.id) if turned else (head.id, tail.id)
                yield *ends, link.role, link.label

    def _spelled(self, task: Task, label: str) -> str:
        return _controls.spelled(label, task.name, self.config)

    def _taken(self, control: str, label: str) -> bool:
        """Whether a mark says no more than a label of a task, or than that here is a sentence."""
        if control in self.asked.marking:
            return False
        return control in self.asked.units or (control in self.answers and label in self.controls[control].labels)
