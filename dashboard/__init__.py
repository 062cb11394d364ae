"""What people see: a folder per page with its Shiny module, and what all pages share.

`send.ui("send")` and `send.server("send", desk)` put the Send page into any Shiny app, and
`mount(app, desk)` lets that app deliver what is sent there.
"""

from dashboard.lifespan import mount

__all__ = ["mount"]
