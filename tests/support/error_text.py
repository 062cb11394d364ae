"""Everything that a log could show about an error."""

from __future__ import annotations

import traceback


def error_text(error: BaseException) -> str:
    """Everything that could be printed about an error: the error itself, its traceback with local
    variables, and every error it came from, shown or not."""
    parts = [repr(error), str(error), repr(vars(error))]
    parts += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    behind = [each for each in (error.__cause__, error.__context__) if each is not None]
    return "\n".join(parts + [error_text(each) for each in behind])
