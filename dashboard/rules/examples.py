"""Three rules to start from, on the made-up tastings that ship."""

from __future__ import annotations

from dataclasses import dataclass

from rules.guided import Guided, guided_sql
from rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Example:
    """A rule to start from, and what it does in a sentence."""

    rule: Rule
    words: str


DIACETYL = """\
SELECT batch, beer, diacetyl_ppb, limit_ppb, brewer, phone
FROM tastings
WHERE diacetyl_ppb > limit_ppb
"""
JUMP = Guided(
    "tastings",
    "diacetyl_ppb",
    "jump",
    limit="30",
    key=("beer",),
    time_column="tasted_at",
    minutes=1440,
    also=("phone",),
)
MISSING = Guided("tastings", "batch", "missing", time_column="tasted_at", minutes=60)
EXAMPLES = {
    "limit": Example(
        Rule(
            name="Diacetyl above limit",
            sql=DIACETYL,
            key=("batch",),
            message="Hello {{ brewer }}, batch {{ batch }} of your {{ beer }} is at "
            "{{ diacetyl_ppb }} ppb diacetyl. Please hold it back.",
            message_for_many="Hello, {{ count }} of your batches have too much diacetyl: "
            "{{ list }}. Please hold them back.",
            to_column="phone",
            acknowledge=True,
            every_seconds=10,
        ),
        "Calls the brewer of each batch that tastes of butter.",
    ),
    "missing": Example(
        Rule(
            name="No tastings come in",
            sql=guided_sql(MISSING),
            guided=MISSING,
            key=("source",),
            message="No tasting has come in for an hour. Please look at the tasting room.",
            every_seconds=60,
        ),
        "Calls whom you name once no row has come for an hour.",
    ),
    "jump": Example(
        Rule(
            name="Diacetyl jumps",
            sql=guided_sql(JUMP),
            guided=JUMP,
            key=("beer",),
            message="Diacetyl in {{ beer }} is at {{ mean_now }} ppb, after {{ mean_before }} in "
            "the week before.",
            to_column="phone",
            every_seconds=300,
        ),
        "Calls when a beer's mean is 30 % off that of the week before.",
    ),
}
