"""Copies of texts as leaks come: in other spellings, with words changed, an agency put first, a sentence left out."""

import functools
import json
import random
import re
from collections.abc import Callable

from khabar.config import resource
from khabar.text import sentences

Way = Callable[[str, random.Random, list[str]], str]

MARKS = "ًٌٍَُِّْ"
AGENCIES = ("الصواري: ", "وكالات - ", "(عاجل) ", "مراسلنا من بندر الساج: ", "خاص | ")


def exact(text, draw, words):
    return text


def alef(text, draw, words):
    """Another carrier at the beginnings of words."""
    return re.sub(r"(?<!\w)[اأإآ]", lambda _: draw.choice("اأإآ"), text)


def ya(text, draw, words):
    return re.sub(r"[يى](?!\w)", lambda _: draw.choice("يى"), text)


def ta_marbuta(text, draw, words):
    return re.sub(r"[ةه](?!\w)", lambda _: draw.choice("ةه"), text)


def diacritics(text, draw, words):
    """A mark after about every fourth letter."""
    return "".join(char + draw.choice(MARKS) if char.isalpha() and draw.random() < 0.25 else char for char in text)


def tatweel(text, draw, words):
    """Letters stretched within words."""
    return re.sub(r"(?<=[بتسيمن])(?=[ء-ي])", lambda _: draw.choice(("", "ـ", "ــ")), text)


def punctuation(text, draw, words):
    """Other marks, other space, a quotation mark here and there."""
    out = re.sub(r"[.،:؛]", lambda _: draw.choice(("", "!", " ،")), text)
    return "  ".join(f"«{word}»" if draw.random() < 0.1 else word for word in out.split(" ")) + " ..."


def words_changed(text, draw, words):
    """One word in ten is another one."""
    parts = text.split()
    for at in draw.sample(range(len(parts)), max(1, round(len(parts) / 10))):
        parts[at] = draw.choice(words)
    return " ".join(parts)


def agency(text, draw, words):
    return draw.choice(AGENCIES) + text


def sentence_dropped(text, draw, words):
    start, end = draw.choice(sentences.split(text))
    return text[:start] + text[end:]


SPELLINGS = (exact, alef, ya, ta_marbuta, diacritics, tatweel, punctuation)
REWORDINGS = (words_changed, agency)


def plant(how, texts, words, seed=0):
    """A copy of each text."""
    draw = random.Random(f"{how.__name__} {seed}")
    return [how(text, draw, words) for text in texts]


@functools.cache
def articles():
    """The project's own articles: fifty stories of which no two tell the same."""
    lines = resource("seeds/corpus/articles.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def units(texts):
    """Their sentences."""
    return [text[start:end] for text in texts for start, end in sentences.split(text)]


@functools.cache
def words():
    """All words of the project's articles."""
    return sorted({word for text in articles() for word in text.split()})
