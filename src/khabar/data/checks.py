"""The rules a row must keep, whoever imported it: each breach is a problem that names the row, and the row is left out.

A problem with an article takes its annotations along silently: twenty lines that repeat one mistake help nobody.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from khabar.config import DataConfig
from khabar.data import rows
from khabar.data.addresses import without_addresses
from khabar.data.problems import Place, Problems, respelled
from khabar.registry import suggest
from khabar.schema import HOLDERS, Article, Label, Relation, Span, Task

Annotation = Label | Span | Relation


class Checks:
    """Checks rows as they come, and those that need the whole corpus at the end (`finish`).

    `offered` names the tasks that may occur at all (None: any); `tasks` are those that were asked for, whose labels
    and questions are checked. A label is put into khabar's spelling by `label_map` first. `chance` are those of holder
    and target that nobody named: where no asked task asks for them they are passed over.
    """

    def __init__(
        self,
        problems: Problems,
        tasks: Mapping[str, Task],
        config: DataConfig | None = None,
        chance: Collection[str] = (),
    ) -> None:
        self.problems = problems
        self.offered = None if config is None or not config.tasks else _offered(config, tasks)
        self.label_map = {} if config is None else config.label_map
        self.readers = {task.reads: task for task in tasks.values() if task.reads and task.reads not in tasks}
        self.tasks = tasks
        self.chance = set(chance) - {part for task in tasks.values() for part in task.asks}
        self.articles: dict[str, Article] = {}
        self.annotations: dict[tuple[type[Annotation], str], tuple[Annotation, Place]] = {}
        self.rejected: set[str] = set()
        self.refused: set[tuple[str, str]] = set()  # article and task of labels that were left out

    def take(self, noun: Article | Annotation) -> None:
        """One row, at `problems.place`."""
        if fault := _unwritable(noun):
            self.problems.add(*fault)
            if isinstance(noun, Article) and noun.id not in self.articles:
                self.rejected.add(noun.id)
            return
        if isinstance(noun, Article):
            self._article(noun)
            return
        key = (type(noun), noun.id)
        if key in self.annotations:
            first = self.annotations[key][1]
            self.problems.add("id", f"{noun.id!r} is taken already, at {first}.", "Give each row an id of its own")
            return
        if isinstance(noun, Label):
            mapped = self._label(noun)
            if mapped is None:
                self.refused.add((noun.article, noun.task))
                return
            noun = mapped
        if "@" in noun.annotator:
            noun = replace(noun, annotator=without_addresses(noun.annotator))
        self.annotations[key] = (noun, self.problems.place)

    def finish(self) -> None:
        """Drop the annotations whose article, span or label does not exist."""
        for key, (noun, _) in list(self.annotations.items()):
            if noun.article in self.rejected:
                del self.annotations[key]
            elif fault := self._fault(noun):
                self._refuse(key, fault)
        exist = {kind: {id_ for cls, id_ in self.annotations if cls is kind} for kind in (Label, Span)}
        for key, (noun, _) in list(self.annotations.items()):
            if fault := self._dangling(noun, exist):
                self._refuse(key, fault)

    def _refuse(self, key: tuple[type[Annotation], str], fault: tuple[str, str, str]) -> None:
        noun, place = self.annotations.pop(key)
        self.problems.add(*fault, place)
        if isinstance(noun, Label):
            self.refused.add((noun.article, noun.task))

    def _article(self, article: Article) -> None:
        if article.id in self.articles or article.id in self.rejected:
            self.problems.add("id", f"the article {article.id!r} exists already.", "Give each article an id of its own")
        elif not article.id.strip():
            self.problems.add("id", "empty.", "Give the article an id")
        elif not article.text.strip():
            self.problems.add("text", f"the article {article.id!r} has no text.", "Add its text or leave the row out")
            self.rejected.add(article.id)
        else:
            self.articles[article.id] = article

    def _label(self, label: Label) -> Label | None:
        """The label in khabar's spelling, or None where it breaks a rule that needs no other row."""
        if self.offered is not None and label.task not in self.offered:
            self.problems.add(
                "task", f"this data set offers no task {label.task!r}.", suggest(label.task, self.offered)
            )
            return None
        task, reader = self.tasks.get(label.task), self.readers.get(label.task)
        mapped = label.task
        if task is not None and task.reads and not self.label_map.get(mapped):
            mapped = task.reads if self.label_map.get(task.reads) else mapped
        spelling = self.label_map.get(mapped, {})
        exist = _labels(task, reader)
        for given in label.labels:
            name = spelling.get(given, given)
            if exist is not None and name not in exist:
                fix = f"{suggest(name, exist)} Spell it so: {respelled(mapped, given, exist)}{self._other_task()}"
                self.problems.add("labels", f"{name!r} is no label of {label.task}.", fix, once=True)
                return None
        # dict.fromkeys: two spellings of one label are one label, in the order given
        labels = tuple(dict.fromkeys(spelling.get(name, name) for name in label.labels))
        if task is not None and task.kind == "single" and len(labels) > 1:
            self.problems.add(
                "labels", f"{label.task} takes one label, here are {len(labels)}: {', '.join(labels)}.", "Keep one"
            )
            return None
        label = self._without_chance(replace(label, labels=labels), task or reader)
        return label if self._asked(label, task or reader) else None

    def _other_task(self) -> str:
        """What to do if the wrong task was asked, such as the one that a data set assumes where none is chosen."""
        if self.offered is None or len(self.tasks) != 1 or not self.offered - self.tasks.keys():
            return ""
        return f"; if it answers another task than {next(iter(self.tasks))}, choose that: task=[NAME]"

    def _without_chance(self, label: Label, task: Task | None) -> Label:
        there = [name for name in self.chance if getattr(label, name) is not None] if task is not None else []
        for name in there:
            self.problems.note(f"cells of the column {name}, for which no asked task asks, passed over")
        return replace(
            label,
            holder=None if "holder" in there else label.holder,
            target=None if "target" in there else label.target,
        )

    def _asked(self, label: Label, task: Task | None) -> bool:
        for name in ("holder", "target"):
            value = getattr(label, name)
            if value is not None and not value.strip():
                self.problems.add(name, "blank.", f"Name the {name}, or leave the field out")
                return False
            if task is not None and name in task.asks and value is None:
                self.problems.add(name, f"missing; {task.name} asks for {' and '.join(task.asks)}.", f"Add the {name}")
                return False
            if task is not None and name not in task.asks and value is not None:
                # were it ignored, answers to different questions would be counted as votes on one
                self.problems.add(
                    name, f"{value!r} is given, but {task.name} does not ask for a {name}.", "Leave the field out"
                )
                return False
        return True

    def _fault(self, noun: Annotation) -> tuple[str, str, str] | None:
        article = self.articles.get(noun.article)
        if article is None:
            return "article", f"there is no article {noun.article!r}.", _nearest(noun.article, self.articles)
        spans = {"span": (noun.start, noun.end)} if isinstance(noun, Span) else {}
        if isinstance(noun, Label):
            spans = {name: at for name in ("span", "evidence") if (at := getattr(noun, name)) is not None}
        for name, (start, end) in spans.items():
            if not 0 <= start < end <= len(article.text):
                wrong = f"[{start}, {end}) lies outside the text of {article.id!r} ({len(article.text)} characters)."
                return name, wrong, "Offsets are code points from 0, start before end, end not included"
            if name == "span" and not article.text[start:end].strip():
                return name, f"[{start}, {end}) of {article.id!r} is white space only.", "Mark the words"
        return None

    def _dangling(self, noun: Annotation, exist: Mapping[type[Label | Span], set[str]]) -> tuple[str, str, str] | None:
        """The end of an arrow, or an adjudicated label, that does not exist; `exist` are those to suggest."""
        needed: list[tuple[str, type[Label | Span], str]] = []
        if isinstance(noun, Relation):
            needed = [("head", Span, noun.head), ("tail", Span, noun.tail)]
            if noun.role == "stance" and noun.head in HOLDERS:
                del needed[0]
        elif isinstance(noun, Label):
            needed = [("adjudicates", Label, name) for name in noun.adjudicates]
        for field, kind, name in needed:
            if (kind, name) not in self.annotations:
                return field, f"there is no {kind.__name__.lower()} {name!r}.", _nearest(name, exist[kind])
            if self.annotations[kind, name][0].article != noun.article:
                return field, f"{name!r} belongs to another article.", f"{field} must lie in {noun.article!r}"
        return None


def _unwritable(noun: Article | Annotation) -> tuple[str, str, str] | None:
    """What of a row no file can hold, which would be found out only once a corpus is saved or a text is tokenised."""
    plain = rows.plain(noun)
    try:
        rows.dumps(plain).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        name = next(name for name, value in plain.items() if half in rows.dumps({"": value}))
        return name, "holds half a character (a lone surrogate).", "Cut between characters, or leave the row out"
    except ValueError:  # of json
        return "meta", "holds a number that is not finite.", "Leave it out"
    return None


def _offered(config: DataConfig, tasks: Mapping[str, Task]) -> set[str]:
    return {*config.tasks, *config.label_map, *(task.reads for task in tasks.values() if task.reads)}


def _labels(task: Task | None, reader: Task | None) -> tuple[str, ...] | None:
    """The labels a row may carry; None where its task was not asked for, so that nothing is known of it."""
    if task is not None:
        return task.labels
    return None if reader is None else tuple(name for name in reader.labels if name != reader.empty_as)


def _nearest(asked: str, exist: Mapping[str, object] | set[str]) -> str:
    """Like `suggest`, without the list: a corpus has thousands of ids."""
    import difflib

    near = difflib.get_close_matches(asked, exist, n=1) if len(exist) <= 2000 else []
    return f"Did you mean {near[0]!r}?" if near else f"There are {len(exist):,}, none of them alike; correct the id"
