"""The first tables: everything that release 0.1 stores. Frozen: later changes are later steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: SQLite gives ascending keys only to INTEGER; PostgreSQL wants eight bytes.
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables, and make the audit log append-only."""
    _create_api_keys()
    _create_audit_log()
    _create_change_log()
    _create_export_batches()
    _create_idempotency_keys()
    _create_persons()
    _create_released_blobs()
    _create_encounters()
    _create_encounter_galleries()
    _create_export_queue()
    _create_fingers()
    _create_images()
    _create_links()
    _create_judgements()
    _create_templates()
    _refuse_changes_of_audit_log()


def _refuse_changes_of_audit_log() -> None:
    """Have the database itself refuse UPDATE, DELETE and (on PostgreSQL) TRUNCATE."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION tenprint_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION tenprint_append_only()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_no_{act.lower()} BEFORE {act} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_keys_sha256")),
    )


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.String(length=128), nullable=True),
        sa.Column("purpose", sa.String(length=256), nullable=True),
        sa.Column("legal_basis", sa.String(length=256), nullable=True),
        sa.Column("file_number", sa.String(length=128), nullable=True),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("returned", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"], unique=False)
    op.create_index(op.f("ix_audit_log_file_number"), "audit_log", ["file_number"], unique=False)


def _create_change_log() -> None:
    op.create_table(
        "change_log",
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("encounter_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("operation IN ('ADD', 'REMOVE')", name=op.f("ck_change_log_operation")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_change_log")),
        sqlite_autoincrement=True,
    )


def _create_export_batches() -> None:
    op.create_table(
        "export_batches",
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_count", sa.Integer(), nullable=True),
        sa.Column("manifest_sha256", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("batch", name=op.f("pk_export_batches")),
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)


def _create_persons() -> None:
    op.create_table(
        "persons",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_persons")),
    )


def _create_released_blobs() -> None:
    op.create_table(
        "released_blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_released_blobs")),
    )


def _create_encounters() -> None:
    op.create_table(
        "encounters",
        sa.Column("encounter_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("encounter_type", sa.String(length=64), nullable=False),
        sa.Column("client_data", sa.LargeBinary(), nullable=True),
        sa.Column("biographic", sa.JSON(), nullable=False),
        sa.Column("contextual", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('ACTIVE', 'INACTIVE')", name=op.f("ck_encounters_status")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name=op.f("fk_encounters_person_id")),
        sa.PrimaryKeyConstraint("encounter_id", name=op.f("pk_encounters")),
    )
    op.create_index(op.f("ix_encounters_person_id"), "encounters", ["person_id"], unique=False)


def _create_encounter_galleries() -> None:
    op.create_table(
        "encounter_galleries",
        sa.Column("encounter_id", sa.String(length=64), nullable=False),
        sa.Column("gallery", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id"],
            ["encounters.encounter_id"],
            name=op.f("fk_encounter_galleries_encounter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("encounter_id", "gallery", name=op.f("pk_encounter_galleries")),
    )
    op.create_index(
        "ix_encounter_galleries_gallery", "encounter_galleries", ["gallery", "encounter_id"], unique=False
    )


def _create_export_queue() -> None:
    op.create_table(
        "export_queue",
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("encounter_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("reference_number", sa.String(length=64), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("batch", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=255), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'exported', 'failed')", name=op.f("ck_export_queue_state")),
        sa.ForeignKeyConstraint(
            ["encounter_id"],
            ["encounters.encounter_id"],
            name=op.f("fk_export_queue_encounter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_export_queue")),
        sa.UniqueConstraint("encounter_id", name=op.f("uq_export_queue_encounter_id")),
        sa.UniqueConstraint("reference_number", name=op.f("uq_export_queue_reference_number")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_export_queue_batch"), "export_queue", ["batch"], unique=False)
    op.create_index(op.f("ix_export_queue_state"), "export_queue", ["state"], unique=False)


def _create_fingers() -> None:
    op.create_table(
        "fingers",
        sa.Column("encounter_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("impression", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("advice", sa.Text(), nullable=True),
        sa.Column("quality", sa.SmallInteger(), nullable=True),
        sa.Column("quality_algorithm", sa.String(length=64), nullable=True),
        sa.Column("defects", sa.JSON(), nullable=True),
        sa.Column("extractor", sa.String(length=64), nullable=True),
        sa.CheckConstraint("(reason IS NULL) = (extractor IS NOT NULL)", name=op.f("ck_fingers_outcome")),
        sa.CheckConstraint("position BETWEEN 0 AND 10", name=op.f("ck_fingers_position")),
        sa.ForeignKeyConstraint(
            ["encounter_id"],
            ["encounters.encounter_id"],
            name=op.f("fk_fingers_encounter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("encounter_id", "position", name=op.f("pk_fingers")),
    )


def _create_images() -> None:
    op.create_table(
        "images",
        sa.Column("encounter_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("impression", sa.SmallInteger(), nullable=False),
        sa.Column("format", sa.String(length=64), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("ppi", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("position BETWEEN 0 AND 15", name=op.f("ck_images_position")),
        sa.ForeignKeyConstraint(
            ["encounter_id"],
            ["encounters.encounter_id"],
            name=op.f("fk_images_encounter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("encounter_id", "position", name=op.f("pk_images")),
    )
    op.create_index(op.f("ix_images_sha256"), "images", ["sha256"], unique=False)


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("left_encounter_id", sa.String(length=64), nullable=False),
        sa.Column("right_encounter_id", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("gallery_size", sa.Integer(), nullable=True),
        sa.Column("as_of", SEQUENCE, nullable=True),
        sa.Column("matcher", sa.String(length=64), nullable=True),
        sa.Column("extractor", sa.String(length=64), nullable=True),
        sa.Column("suggested_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("origin IN ('search', 'claim', 'examiner')", name=op.f("ck_links_origin")),
        sa.CheckConstraint("left_encounter_id <> right_encounter_id", name=op.f("ck_links_two_encounters")),
        sa.ForeignKeyConstraint(
            ["left_encounter_id"],
            ["encounters.encounter_id"],
            name=op.f("fk_links_left_encounter_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["right_encounter_id"],
            ["encounters.encounter_id"],
            name=op.f("fk_links_right_encounter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_links")),
        sa.UniqueConstraint(
            "left_encounter_id",
            "right_encounter_id",
            name=op.f("uq_links_left_encounter_id_right_encounter_id"),
        ),
    )
    op.create_index(op.f("ix_links_left_encounter_id"), "links", ["left_encounter_id"], unique=False)
    op.create_index(op.f("ix_links_right_encounter_id"), "links", ["right_encounter_id"], unique=False)
    op.create_index(op.f("ix_links_suggested_at"), "links", ["suggested_at"], unique=False)


def _create_judgements() -> None:
    op.create_table(
        "judgements",
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("judgement_id", sa.String(length=64), nullable=False),
        sa.Column("link_id", sa.String(length=64), nullable=False),
        sa.Column("judgement", sa.String(length=64), nullable=True),
        sa.Column("withdraws", sa.String(length=64), nullable=True),
        sa.Column("examiner", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "judgement IN ('same', 'different', 'inconclusive')", name=op.f("ck_judgements_judgement")
        ),
        sa.CheckConstraint(
            "(judgement IS NULL) = (withdraws IS NOT NULL)", name=op.f("ck_judgements_decision_or_withdrawal")
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["links.link_id"], name=op.f("fk_judgements_link_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["withdraws"],
            ["judgements.judgement_id"],
            name=op.f("fk_judgements_withdraws"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_judgements")),
        sa.UniqueConstraint("judgement_id", name=op.f("uq_judgements_judgement_id")),
        sa.UniqueConstraint("withdraws", name=op.f("uq_judgements_withdraws")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_judgements_link_id"), "judgements", ["link_id"], unique=False)


def _create_templates() -> None:
    op.create_table(
        "templates",
        sa.Column("encounter_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("codec", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id", "position"],
            ["fingers.encounter_id", "fingers.position"],
            name=op.f("fk_templates_encounter_id_position"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("encounter_id", "position", name=op.f("pk_templates")),
    )
