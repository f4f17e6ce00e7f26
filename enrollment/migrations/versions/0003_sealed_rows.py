"""Sealing: a data key per encounter, sealed particulars, pictures under the address of their sealed bytes.

What was stored before stays readable and is sealed by `tenprint encryption seal`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `data_keys`, `encounters.sealed` and `images.blob`."""
    op.create_table(
        "data_keys",
        sa.Column("encounter_id", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id"],
            ["encounters.encounter_id"],
            name=op.f("fk_data_keys_encounter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("encounter_id", name=op.f("pk_data_keys")),
    )
    op.create_index(op.f("ix_data_keys_key_id"), "data_keys", ["key_id"], unique=False)
    op.add_column("encounters", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column("images", sa.Column("blob", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_images_blob"), "images", ["blob"], unique=False)
