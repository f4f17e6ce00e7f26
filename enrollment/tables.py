"""Every table of the project, one MetaData: enrollment's, and those whose rules live in workflow and api."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

#: Constraint names are fixed, so that a later migration can name what it changes on both databases.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, UTC on both databases (SQLite has no time zones: UTC is stored and put back)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody knows what they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


#: SQLite gives ascending keys only to INTEGER; PostgreSQL wants eight bytes.
Sequence = BigInteger().with_variant(Integer, "sqlite")
Identifier = String(64)
Word = String(64)


def _encounter_id(*, primary_key: bool = False) -> Column[str]:
    """A reference to an encounter that disappears with it: erasing one row erases what hangs on it."""
    return Column(
        "encounter_id",
        Identifier,
        ForeignKey("encounters.encounter_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


persons = Table(
    "persons",
    metadata,
    Column("person_id", Identifier, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

encounters = Table(
    "encounters",
    metadata,
    Column("encounter_id", Identifier, primary_key=True),
    Column("person_id", Identifier, ForeignKey("persons.person_id"), nullable=False, index=True),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("purpose", Word, nullable=False),
    Column("category", Word),
    Column("status", Word, nullable=False),
    Column("encounter_type", Word, nullable=False),
    # Empty where `sealed` holds them (`enrollment.envelope`): only stores from before sealing have them here.
    Column("client_data", LargeBinary),
    Column("biographic", JSON, nullable=False),
    Column("contextual", JSON, nullable=False),
    Column("sealed", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("status IN ('ACTIVE', 'INACTIVE')", name="status"),
)

encounter_galleries = Table(
    "encounter_galleries",
    metadata,
    _encounter_id(primary_key=True),
    Column("gallery", Word, primary_key=True),
    Index("ix_encounter_galleries_gallery", "gallery", "encounter_id"),
)

#: One row per captured finger; `reason` and `advice` are set when no template was made of it.
fingers = Table(
    "fingers",
    metadata,
    _encounter_id(primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("impression", SmallInteger, nullable=False),
    Column("reason", Word),
    Column("advice", Text),
    Column("quality", SmallInteger),
    Column("quality_algorithm", Word),
    Column("defects", JSON),
    Column("extractor", Word),
    Column("measures", JSON(none_as_null=True)),
    CheckConstraint("position BETWEEN 0 AND 10", name="position"),
    CheckConstraint("(reason IS NULL) = (extractor IS NOT NULL)", name="outcome"),
)

#: `data` is sealed under the encounter's data key.
templates = Table(
    "templates",
    metadata,
    Column("encounter_id", Identifier, primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("codec", Word, nullable=False),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["encounter_id", "position"], ["fingers.encounter_id", "fingers.position"], ondelete="CASCADE"
    ),
)

#: What a gallery holds of an encounter's prints (`matcher.prepared_prints`), sealed under its data key:
#: made of its templates by `made_by`, and made again of them by whoever finds it missing or of another.
prepared_prints = Table(
    "prepared_prints",
    metadata,
    _encounter_id(primary_key=True),
    Column("made_by", Word, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

#: The bytes lie sealed in `enrollment.blobs` under the address `blob`, from byte `blob_at` on, with the other
#: pictures of the encounter (no `blob_at`: alone); all other columns are of the picture as received. Without
#: `blob` they lie there as received, under `sha256`: stores from before sealing.
images = Table(
    "images",
    metadata,
    _encounter_id(primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("impression", SmallInteger, nullable=False),
    Column("format", Word, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("ppi", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("blob", String(64), index=True),
    Column("blob_at", Integer),
    CheckConstraint("position BETWEEN 0 AND 15", name="position"),
)

#: One data key per encounter, wrapped by the key `key_id` of the keyring; rules: `enrollment.envelope`.
data_keys = Table(
    "data_keys",
    metadata,
    _encounter_id(primary_key=True),
    Column("key_id", Word, nullable=False, index=True),
    Column("wrapped", LargeBinary, nullable=False),
)

#: Blobs that lost a row and are to be deleted when no other row names them; emptied after each commit.
released_blobs = Table(
    "released_blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
)

#: What the gallery follows. Rows stay when the encounter is erased: they hold its id and nothing else.
change_log = Table(
    "change_log",
    metadata,
    Column("sequence", Sequence, primary_key=True),
    Column("operation", Word, nullable=False),
    Column("encounter_id", Identifier, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("operation IN ('ADD', 'REMOVE')", name="operation"),
    sqlite_autoincrement=True,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("answer", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

#: Append-only: triggers refuse UPDATE and DELETE (`enrollment.audit_log`).
audit_log = Table(
    "audit_log",
    metadata,
    Column("sequence", Sequence, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor", String(128), nullable=False),
    Column("role", Word, nullable=False),
    Column("action", Word, nullable=False),
    Column("outcome", Word, nullable=False),
    Column("authority", String(128)),
    Column("purpose", String(256)),
    Column("legal_basis", String(256)),
    Column("file_number", String(128), index=True),
    Column("asked", JSON, nullable=False),
    Column("returned", JSON, nullable=False),
    Column("software", Word),
    Column("mac", String(64)),
    sqlite_autoincrement=True,
)

#: Signed roots over the audit log, append-only as well; rules: `enrollment.audit_checkpoints`.
audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("tree_size", Sequence, primary_key=True, autoincrement=False),
    Column("last_sequence", Sequence, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("note", Text, nullable=False),
    Column("frontier", JSON, nullable=False),
)

#: The ledger's suggestions, one row per pair, smaller id on the left; rules: `workflow.identity`.
#: The first suggestion stays as it was; that a later search found the pair again is in the audit log.
links = Table(
    "links",
    metadata,
    Column("link_id", Identifier, primary_key=True),
    Column(
        "left_encounter_id",
        Identifier,
        ForeignKey("encounters.encounter_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column(
        "right_encounter_id",
        Identifier,
        ForeignKey("encounters.encounter_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("origin", Word, nullable=False),
    Column("score", Float),
    Column("threshold", Float),
    Column("gallery_size", Integer),
    Column("as_of", Sequence),
    Column("matcher", Word),
    Column("extractor", Word),
    Column("suggested_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("left_encounter_id", "right_encounter_id"),
    CheckConstraint("origin IN ('search', 'claim', 'examiner')", name="origin"),
    CheckConstraint("left_encounter_id <> right_encounter_id", name="two_encounters"),
)

#: The ledger's decisions, in order. A withdrawal is a row with `withdraws` and no judgement.
judgements = Table(
    "judgements",
    metadata,
    Column("sequence", Sequence, primary_key=True),
    Column("judgement_id", Identifier, nullable=False, unique=True),
    Column(
        "link_id", Identifier, ForeignKey("links.link_id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("judgement", Word),
    Column(
        "withdraws",
        Identifier,
        ForeignKey("judgements.judgement_id", ondelete="CASCADE"),
        unique=True,
    ),
    Column("examiner", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    CheckConstraint("judgement IN ('same', 'different', 'inconclusive')", name="judgement"),
    CheckConstraint("(judgement IS NULL) = (withdraws IS NOT NULL)", name="decision_or_withdrawal"),
    sqlite_autoincrement=True,
)

#: Encounters waiting for, or written by, the EURODAC-style export; rules: `workflow.eurodac`.
export_queue = Table(
    "export_queue",
    metadata,
    Column("sequence", Sequence, primary_key=True),
    _encounter_id(),
    Column("state", Word, nullable=False, index=True),
    Column("category", Word, nullable=False),
    Column("reference_number", Word, unique=True),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("exported_at", UtcDateTime),
    Column("batch", Word, index=True),
    Column("file_name", String(255)),
    Column("sha256", String(64)),
    Column("error", Text),
    UniqueConstraint("encounter_id"),
    CheckConstraint("state IN ('queued', 'exported', 'failed')", name="state"),
    sqlite_autoincrement=True,
)

#: One export run: opened before its first file is written, closed after its manifest is.
export_batches = Table(
    "export_batches",
    metadata,
    Column("batch", Word, primary_key=True),
    Column("profile", Word, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("file_count", Integer),
    Column("manifest_sha256", String(64)),
    Column("folder", Text),
)

#: Exported copies of encounters that were erased since; emptied as they are removed from the disk.
released_exports = Table(
    "released_exports",
    metadata,
    Column("batch", Word, primary_key=True),
    Column("file_name", String(255), primary_key=True),
    Column("folder", Text, nullable=False),
)

#: What may not be erased until the hold is lifted; rules: `workflow.retention`.
legal_holds = Table(
    "legal_holds",
    metadata,
    Column("hold_id", Identifier, primary_key=True),
    Column(
        "encounter_id",
        Identifier,
        ForeignKey("encounters.encounter_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("reason", Text, nullable=False),
    Column("placed_by", String(128), nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("lifted_by", String(128)),
    Column("lifted_at", UtcDateTime),
)

#: Only the hash of a key is kept; rules: `api`.
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Identifier, primary_key=True),
    Column("role", Word, nullable=False),
    Column("name", String(128), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
