"""Migrations of the history's tables: versions/ has one file per revision."""

from database.migrations.revisions import bring_up_to_date, check_that_it_can_be_written

__all__ = ["bring_up_to_date", "check_that_it_can_be_written"]
