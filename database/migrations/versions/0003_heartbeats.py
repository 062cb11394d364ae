"""Let workers write down when they were last alive. Those that never did count as dead."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "workers", sa.Column("seen_at", sa.Double, nullable=False, server_default=sa.text("0"))
    )
