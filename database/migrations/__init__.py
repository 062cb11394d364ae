"""How the tables of the history came about and change: one file a revision in versions/."""

from database.migrations.revisions import bring_up_to_date, check_that_it_can_be_written

__all__ = ["bring_up_to_date", "check_that_it_can_be_written"]
