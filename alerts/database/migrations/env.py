"""What Alembic runs: the migrations, on the connection that `upgrade` handed over."""

from alembic import context

from alerts.database.migrations.revisions import REVISION_TABLE
from alerts.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=REVISION_TABLE.name,
)
context.run_migrations()
