"""Everything that a log could show about an error."""

from __future__ import annotations

import traceback


def whole_story(error: BaseException) -> str:
    """Everything that could be printed about an error: the error itself, its traceback with local
    variables, and every error it came from, shown or not."""
    story = [repr(error), str(error), repr(vars(error))]
    story += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    behind = [each for each in (error.__cause__, error.__context__) if each is not None]
    return "\n".join(story + [whole_story(each) for each in behind])
