"""Each article once, however many rows or files hold it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from khabar.config import DataConfig
from khabar.data.rows import RowError
from khabar.schema import Article

SHOWN = ("title", "date", "source", "url")


class Articles:
    """Remembers the articles that were made, so that each is made at its first row."""

    def __init__(self, config: DataConfig) -> None:
        # a split by a column of the user's own naming needs no entry in `columns`
        self.split = config.split.field if config.split.rule == "field" else "split"
        self.known: dict[str, Article] = {}

    def take(
        self, text: str, id_: str | None, meta: dict[str, Any], shown: Mapping[str, str | None]
    ) -> tuple[Article, bool]:
        """The article of a row, and whether it is new; without an id it is known by its text and `meta`.

        Raises:
            RowError: an article of that id has another text, group or split.
        """
        given = id_ is not None
        id_ = id_ or hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        known = self.known.get(id_)
        if known is not None and not given and known.meta != meta:
            # one text under two groups or splits: two articles, or a leak would be hidden by moving its row
            id_ += "-" + hashlib.sha256(json.dumps(meta, sort_keys=True).encode()).hexdigest()[:4]
            known = self.known.get(id_)
        if known is None:
            self.known[id_] = Article(id=id_, text=text, meta=meta, **{name: shown.get(name) for name in SHOWN})
            return self.known[id_], True
        if known.text != text:
            raise RowError("text", f"the article {id_!r} has another text in an earlier row.", "Give it its own id")
        if known.meta != meta:
            field = "group" if known.meta.get("group") != meta.get("group") else self.split
            raise RowError(field, f"the article {id_!r} is {known.meta} in an earlier row, here {meta}.", "Keep one")
        return known, False
