"""Words of others in the log: of rows, rules, visitors and requests.

Apart, because whatever logs them needs it: alerts, rules and pages.
"""

from __future__ import annotations


def on_one_line(words: object) -> str:
    r"""Return words in which nothing can pass for a further line, or change how the log is shown.

    Line breaks, terminals' control codes and marks of direction become \n, \x1b, \u202e and so on.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in str(words)
    )
