"""What a word of a text is: a run of letters, digits and vowel signs."""

import re

WORD = re.compile(r"[\w\u064b-\u0652\u0670]+")
