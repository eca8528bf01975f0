"""The page of an article: nothing in a text can change it, and the text is there to the letter."""

import html
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from khabar.inference.html import Page, marked
from khabar.inference.readings import Event, Evidence, Reading, Stance
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import QUESTION, TEXT

ABOUT = {"uri": "models:/<b>&", "version": "1", "fingerprint": "0123456789"}
TASKS = {name: tiny_bundle.task(name) for name in ("event_type", "stance")}
HOSTILE = [
    "<script>alert(1)</script>",
    '"quotes" \'and\' "><img src=x onerror=alert(1)>',
    "]]> <!-- --> </article></style><style>*{display:none}",
    "&amp; &lt; &#13; &nbsp;",
    "قبل \u202eمعكوس\u202c بعد \u2066x\u2069 \u2069\u202d",
    "إيموجي 😀 👩‍👩‍👧 \ufeff",
    "سطر\r\nسطر\rسطر\n\n\nسطر\n",
    "\n\n عنوان\n",
    "{{ 7 * 7 }} {% raw %}",
    "\x01\x1b[31m\x0c\x7f",
    "ـــ لا\u200cحرف \u200d\u200f",
]


class Shown(HTMLParser):
    """The text of an article without what was put in, the tags and attributes of the page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.attributes, self.stack = "", [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, given):
        given = dict(given)
        self.tags.append(tag)
        self.attributes += given.items()
        if tag not in ("meta", "col"):
            self.stack.append((tag, (given.get("class") or "").split()))

    def handle_endtag(self, tag):
        assert self.stack.pop()[0] == tag

    def handle_data(self, data):
        classes = {name for _, given in self.stack for name in given}
        if "t" in classes and not classes & {"chips", "refs"}:
            self.text += data


def whole(text, reading=None, account=None, **fields):
    page = Page(ABOUT, TASKS, accounts=account is not None)
    reading = reading or Reading("a", "عنوان", events=(Event("event_type", "AID", 0.9, 0, len(text), text),))
    return page.head() + page.article(1, {"text": text, **fields}, reading, account) + page.tail()


@pytest.mark.parametrize("text", [*HOSTILE, "\n".join(HOSTILE), " ".join(HOSTILE), "", " \n "])
def test_without_the_marks_it_is_the_text_to_the_letter(text):
    found = Shown(whole(text))
    assert found.text == text
    assert found.stack == []


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_any_field_stays_text(text):
    bad = Stance("stance", text, text, "favor", {"favor": 1.0}, Evidence(0, 1, text))
    reading = Reading(
        text,
        text,
        events=(Event("event_type", text, 0.5, 0, 1, text),),
        stances=(bad,),
        notes=(text,),
        error=None,
    )
    calm = whole("خبر", Reading("a", "b", events=(Event("event_type", "x", 0.5, 0, 1, "خ"),), notes=("x",),
                                stances=(Stance("stance", "x", "y", "favor", {"favor": 1.0}, Evidence(0, 1, "x")),)),
                 title="t", source="s", date="d", url="x")  # fmt: skip
    for page in (
        whole(text, reading, title=text, source=text, date=text, url=text),
        whole(text, Reading(text, text, error=text), title=text),
    ):
        found = Shown(page)
        assert set(found.tags) <= {*Shown(calm).tags, "span"}
        assert {name for name, _ in found.attributes} <= {
            "lang", "dir", "charset", "name", "content", "http-equiv", "class", "style", "title", "id", "scope", "href",
            "rel",
        }  # fmt: skip
        assert "script" not in found.tags
        assert found.tags.count("style") == 1


def test_only_addresses_of_pages_are_links():
    for url, linked in (
        ("https://example.com/?a=1&b=\"'<", True),
        ("http://x", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("http://[", False),
        (" javascript:x", False),
    ):
        page = whole("خبر", url=url)
        links = [value for name, value in Shown(page).attributes if name == "href" and not value.startswith("#")]
        assert links == ([url] if linked else []), url
        assert html.escape(url, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page


def test_what_turns_the_direction_is_shut_in_and_shown():
    shown = marked("أ\u202eب\u2069")
    assert shown == 'أ<span class="odd" title="U+202E">\u202e</span>ب<span class="odd" title="U+2069">\u2069</span>'
    assert ".odd { display: inline-block;" in whole("x")
    assert marked("\x00\ud800") == (
        '<span class="odd" title="U+0000">\ufffd</span><span class="odd" title="U+D800">\ufffd</span>'
    )


def test_marks_may_overlap_and_run_over_lines():
    text = "أبجد هوز\nحطي كلمن\nسعفص"
    spans = [(0, 12), (5, 15), (5, 15), (10, 22), (0, 22), (3, 4)]
    events = tuple(Event("event_type", "AID", 0.1 + n / 10, *span, text[slice(*span)]) for n, span in enumerate(spans))
    found = Evidence(2, 20, text[2:20])
    stances = tuple(
        Stance("stance", "أ", str(n), "against", {"favor": 0.2, "against": 0.8 - n / 10}, found) for n in range(3)
    )
    page = whole(text, Reading("a", "t", events=events, stances=stances))
    assert Shown(page).text == text
    assert Shown(page).stack == []
    assert page.count('<span class="chips">') == 4  # one behind each end
    assert page.count('class="refs"') == 1
    for there in ("s", "e"):  # both ways between the sentence and the table
        links, places = (re.findall(rf'{way}a1-{there}(\d)"', page) for way in ('href="#', 'id="'))
        assert links == places == ["1", "2", "3"]


def test_what_is_on_the_page_of_a_real_reading(model):
    reading = model.predict({"id": "m", "text": TEXT}, [QUESTION])[0]
    page = whole(TEXT, reading)
    assert Shown(page).text == TEXT
    assert page.startswith('<!DOCTYPE html>\n<html lang="ar" dir="rtl">')
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="(?!#)|url\(|@import|<script|<link', page)
    for event in reading.events:
        percent = f"{100 * event.score:.0f}"
        assert f">{event.label} <b>{percent}</b>" in page or f"{event.label} {percent}" in page
    assert "<bdi>إيران</bdi>" in page


def test_notes_errors_and_an_article_without_a_finding():
    page = whole("", Reading("in.jsonl:3", "", error="not JSON: <b>", notes=("no stance was asked",)))
    assert "not JSON: &lt;b&gt;</p>" in page
    assert "ما الذي حدث" not in page
    page = whole("خبر", Reading("a", "خبر", notes=("no stance was asked",)))
    assert "لا حدث في النص" in page
    assert "no stance was asked</p>" in page


def test_many_labels_fold_away(model):
    labels = TASKS["event_type"].labels
    events = tuple(Event("event_type", label, 0.5, 0, 3, "خبر") for label in labels)
    page = whole("خبر", Reading("a", "خبر", events=events))
    assert f"المزيد: {len(labels) - 6}" in page
    assert f">+{len(labels) - 4}<" in page
    assert all(label in page for label in labels)


@pytest.mark.chromium
def test_a_browser_shows_the_text_as_it_is_and_runs_nothing(tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium")
    text = "\n".join(HOSTILE)
    (tmp_path / "a.html").write_text(whole(text, title="<script>document.title='ran'</script>"), "utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    flags += "--disable-component-update --disable-sync"
    line = [browser, *flags.split(), f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run(
        [*line, "--dump-dom", (tmp_path / "a.html").as_uri()], capture_output=True, timeout=60, check=True
    )
    found = Shown(shown.stdout.decode())
    assert found.text == text
    assert "<title>خبر: قراءة المقالات</title>" in shown.stdout.decode()
