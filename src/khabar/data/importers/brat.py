"""brat's folders of NAME.txt with NAME.ann beside it: marked spans, events, relations and attributes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from khabar.config import DataConfig
from khabar.data.decoding import PLAIN, decode, told
from khabar.data.importers import _brat, _exports
from khabar.data.importers._brat import Annotations, Arrow
from khabar.data.importers._controls import Control
from khabar.data.importers._exports import Answers, Mark
from khabar.data.problems import Problems
from khabar.errors import DataError
from khabar.schema import GOLD, Article, Label, Offsets, Relation, Span, Task

EXPORT = "brat keeps its annotations as NAME.txt and NAME.ann: give the folder that holds them"


@dataclass(frozen=True)
class Document:
    """One text as one annotator marked it, None where that one's annotations are missing; `file` is without suffix."""

    id: str
    file: str
    annotator: str
    text: str
    found: Annotations | None


def tasks(config: DataConfig) -> dict[str, Task]:
    """The task that the types of the events answer; those of all spans where no event is marked.

    Raises:
        ConfigError: an option or a column that does not exist.
        DataError: no such folder, or nothing in it makes a task.
    """
    problems = Problems()
    return _exports.answered(_questions(_documents(config, problems))[:1], config, problems)


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label | Span | Relation]:
    """Every document once, its marks as labels or spans, the roles of its events and its relations as relations.

    Folders that hold the same document are one annotator each, named after them; elsewhere the annotator is gold. A
    document's id is its path. brat has no labels of whole documents.

    Raises:
        ConfigError: an option or a column that does not exist.
        DataError: no such folder, or nothing in it answers an asked task.
    """
    documents = _documents(config, problems)
    answers = Answers(_questions(documents), config, problems)
    events = _events(documents)
    texts: dict[str, Document] = {}
    for document in documents:
        problems.at(f"{document.file}.txt")
        first = texts.setdefault(document.id, document)
        if first.text != document.text:
            wrong = f"{first.file}.txt, the same document of another annotator, holds another text."
            problems.add("text", wrong, "Give every annotator the same text")
            continue
        if first is document:
            yield Article(id=document.id, text=document.text)
        if document.found is None:
            problems.note("documents without an .ann file")
        else:
            yield from _nouns(document, document.found, events, answers, problems)


def _nouns(
    document: Document, found: Annotations, events: set[str], answers: Answers, problems: Problems
) -> Iterator[Label | Span | Relation]:
    file = f"{document.file}.ann"
    held = {id_ for arrow in found.arrows for id_ in (arrow.head, arrow.tail)}
    together: defaultdict[tuple[str, Offsets], list[Mark]] = defaultdict(list)
    for mark in found.marks.values():
        together["events" if mark.label in events else "spans", (mark.start, mark.end)].append(mark)
    for (control, _), marks in together.items():
        problems.at(file, found.lines[marks[0].id])
        yield from answers.marks(control, marks, document.id, document.annotator, {}, held)
    for arrow in found.arrows:
        problems.at(file, arrow.line)
        yield _relation(arrow, document)


def _relation(arrow: Arrow, document: Document) -> Relation:
    id_, head, tail = (
        _exports.span_id(document.id, document.annotator, name) for name in (arrow.id, arrow.head, arrow.tail)
    )
    return Relation(
        id=id_,
        article=document.id,
        annotator=document.annotator,
        head=head,
        tail=tail,
        role=arrow.role,
        label=arrow.event,
    )


def _events(documents: Sequence[Document]) -> set[str]:
    return {type_ for document in documents if document.found for type_ in document.found.events}


def _questions(documents: Sequence[Document]) -> list[Control]:
    events = _events(documents)
    texts = [[*document.found.marks.values()] for document in documents if document.found]
    of_events = [[mark for mark in marks if mark.label in events] for marks in texts]
    others = [[mark for mark in marks if mark.label not in events] for marks in texts]
    return [*_exports.span_control("events", of_events), *_exports.span_control("spans", others)]


def _documents(config: DataConfig, problems: Problems) -> list[Document]:
    _exports.known_columns(config, ())
    root = Path(config.path or ".")
    if not root.is_dir():
        raise DataError(f"{root} is no folder. {EXPORT}: data.path={root.parent}")
    texts, annotations = (_relative(root, suffix) for suffix in (".txt", ".ann"))
    if not annotations:
        raise DataError(f"{root} holds {len(texts)} .txt files and no .ann file. {EXPORT}")
    for file in sorted(annotations - texts):
        problems.at(f"{file}.ann")
        problems.add("file", f"there is no {file}.txt beside it.", "Add the text or leave the annotations out")
    read = {file: _text(root, file, problems) for file in sorted(texts)}
    separate = _several_annotators({file: text for file, (text, _) in read.items()})
    documents = []
    for file, (text, marked) in read.items():
        folder, _, inner = file.partition("/")
        found = None
        if file in annotations:
            content, _ = decode((root / f"{file}.ann").read_bytes(), f"{file}.ann")
            found = _brat.parse(content, text, f"{file}.ann", problems, marked=marked)
        id_, annotator = (inner, _exports.person(folder)) if separate else (file, GOLD)
        documents.append(Document(id_, file, annotator, text, found))
    return documents


def _relative(root: Path, suffix: str) -> set[str]:
    """The files of a suffix below a folder, as relative paths without it; hidden ones are not looked at."""
    found = (path.relative_to(root) for path in root.rglob(f"*{suffix}") if path.is_file())
    return {path.with_suffix("").as_posix() for path in found if not any(part.startswith(".") for part in path.parts)}


def _text(root: Path, file: str, problems: Problems) -> tuple[str, bool]:
    """A text with its line breaks as they are, for they count, and whether it had a byte order mark."""
    text, encoding = decode((root / f"{file}.txt").read_bytes(), f"{file}.txt")
    if encoding != PLAIN:
        problems.note(f"texts read as {told(encoding)}")
    return text, encoding == "utf-8-sig"


def _several_annotators(texts: dict[str, str]) -> bool:
    """Whether the folders at the top are annotators: all documents lie in one, and one document in two of them."""
    if not all("/" in file for file in texts):
        return False
    seen: set[tuple[str, str]] = set()
    for file, text in texts.items():
        document = (file.partition("/")[2], text)
        if document in seen:
            return True
        seen.add(document)
    return False
