"""The data card says what the report says, and nothing in the data writes Markdown."""

from khabar.config import DataConfig
from khabar.data import dataset
from khabar.data import report as reports
from khabar.schema import Task


def card(tmp_path, labels=("yes", "no"), source="منبر"):
    rows = [f"نص رقم {i} عن حدث,{labels[i % 2]},{source},2024-01-{i % 28 + 1:02d}" for i in range(40)]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["text,label,source,date", *rows]), "utf-8")
    task = Task(name="tone", labels=labels)
    config = DataConfig(name="t", importer="files", path=str(table), tasks=("tone",), licence="CC BY 4.0")
    return reports.build(dataset.load(config, {"tone": task})).to_card()


def test_it_has_counts_splits_sources_dates_and_licence(tmp_path):
    text = card(tmp_path)
    assert text.startswith("# Data: t\n")
    assert "Licence: CC BY 4.0." in text
    assert "40 articles, 2024-01-01 to 2024-01-28, 40 labels by 1 annotator." in text
    assert "Sources: منبر (40)." in text
    counts = [line for line in text.splitlines() if line.startswith("| rows |")]
    assert sum(map(int, counts[0].split("|")[2:-1])) == 40
    assert "## What to mend or to know" in text


def test_markup_of_the_data_is_shown_as_it_is(tmp_path):
    text = card(tmp_path, labels=("<b>x</b>", "[a](http://b)"), source="<script>")
    assert "\\<script\\>" in text
    assert "<b>" not in text
    assert "[a](" not in text.replace("\\[a\\](", "")
