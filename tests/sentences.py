"""Which of a rule's sentences a finding says: its file has several, and a case may ask for one by name (`says`)."""

from __future__ import annotations

import re

from jdv_qa.checks.catalogue import Rule, text

_GAP = re.compile(r"\{[a-z_]*\}")


def sentence_of(rule: Rule, message: str) -> str:
    """The name of the sentence that a message is, in the language in use; of several that fit, the one with most words of its own."""
    fitting = {}
    for name, words in rule.messages.items():
        pieces = _GAP.split(text(words))
        if re.fullmatch(".*?".join(map(re.escape, pieces)), message, re.DOTALL):
            fitting[name] = len("".join(pieces))
    assert fitting, f"{rule.id}: no sentence of the rule reads {message!r}"
    return max(fitting, key=lambda name: fitting[name])
