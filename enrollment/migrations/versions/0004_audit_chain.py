"""The audit log gets a chain of keyed hashes, the version that acted, and signed checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add `audit_log.software`, `audit_log.mac` and `audit_checkpoints`, which is append-only too."""
    op.add_column("audit_log", sa.Column("software", sa.String(length=64), nullable=True))
    op.add_column("audit_log", sa.Column("mac", sa.String(length=64), nullable=True))
    op.create_table(
        "audit_checkpoints",
        sa.Column("tree_size", SEQUENCE, autoincrement=False, nullable=False),
        sa.Column("last_sequence", SEQUENCE, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("frontier", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tree_size", name=op.f("pk_audit_checkpoints")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER audit_checkpoints_append_only "
            "BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints "
            "FOR EACH STATEMENT EXECUTE FUNCTION tenprint_append_only()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_checkpoints_no_{act.lower()} BEFORE {act} ON audit_checkpoints "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
