"""The pictures of an encounter in one file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `images.blob_at`; pictures stored before have files of their own, and keep them."""
    op.add_column("images", sa.Column("blob_at", sa.Integer(), nullable=True))
