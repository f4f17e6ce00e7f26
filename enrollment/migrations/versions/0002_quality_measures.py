"""Other quality values beside our own, NFIQ 2 first: one JSON column. Fingers stored before have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `fingers.measures`: a list of algorithm, value, failure; or null."""
    op.add_column("fingers", sa.Column("measures", sa.JSON(), nullable=True))
