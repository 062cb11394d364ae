"""The types of SSML attributes. https://www.w3.org/TR/speech-synthesis11/

None leaves the attribute out, as in `twiml.values`.
"""

from typing import Annotated, Literal, get_args

from twiml.kinds import OneOf, Pattern

StrengthWord = Literal["none", "x-weak", "weak", "medium", "strong", "x-strong"]
Strength = Annotated[StrengthWord | None, OneOf(*get_args(StrengthWord))]
LevelWord = Literal["strong", "moderate", "reduced"]
Level = Annotated[LevelWord | None, OneOf(*get_args(LevelWord))]

# Ten seconds are the most: https://docs.aws.amazon.com/polly/latest/dg/break-tag.html
Time = Annotated[
    str | None,
    Pattern(
        r"(10(\.0+)?|[0-9]?(\.[0-9]+)|[0-9])s|(10000|[0-9]{1,4})ms",
        "a time up to 10 s such as 500ms or 2s",
    ),
]
Volume = Annotated[
    str | None,
    Pattern(
        r"default|silent|x-soft|soft|medium|loud|x-loud|[+-][0-9]+(\.[0-9]+)?dB",
        "a volume such as loud or +6dB",
    ),
]
Rate = Annotated[
    str | None,
    Pattern(
        r"x-slow|slow|medium|fast|x-fast|[0-9]+(\.[0-9]+)?%",
        "a rate such as slow or 80%",
    ),
]
Pitch = Annotated[
    str | None,
    Pattern(
        r"default|x-low|low|medium|high|x-high|[+-][0-9]+(\.[0-9]+)?%",
        "a pitch such as high or +10%",
    ),
]
