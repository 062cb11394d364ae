"""What people see: one Shiny module per page, and the shell around them.

`send.ui("send")` and `send.server("send", desk)` put the Send page into any Shiny app.
"""
