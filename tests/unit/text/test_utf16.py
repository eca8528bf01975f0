from hypothesis import given
from hypothesis import strategies as st

from khabar.text import utf16


@given(st.text(alphabet="ا ب🙂\U0001f468\r\n"))
def test_offsets_are_the_lengths_in_utf16_of_what_comes_before(text):
    assert list(utf16.offsets(text)) == [len(text[:at].encode("utf-16-le")) // 2 for at in range(len(text) + 1)]


@given(st.text(alphabet="ا🙂\r\n"))
def test_a_windows_line_end_counts_once_where_asked(text):
    assert utf16.offsets(text, line_ends=True)[-1] == len(text.replace("\r\n", "\n").encode("utf-16-le")) // 2
