"""The tables of ``programme`` and ``vault``.

Signed documents are stored as their canonical bytes; ``programme.database.SignedColumn`` reads them.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001_programme_vault"
down_revision: Final = None


def upgrade() -> None:
    """Make them."""
    _programme()
    _vault()


def _programme() -> None:
    op.create_table(
        "consent",
        sa.Column("hash", sa.String(length=43), nullable=False),
        sa.Column("tag", sa.String(length=43), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_tag"), "consent", ["tag"], unique=False)
    op.create_table(
        "consent_batch",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("commitments", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_consent_batch")),
    )
    op.create_table(
        "enrolment",
        sa.Column("tag", sa.String(length=43), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=43), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tag", "number", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("hash", name=op.f("uq_enrolment_hash")),
    )
    op.create_table(
        "programme_document",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=43), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("succession", sa.LargeBinary(), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_programme_document")),
        sa.UniqueConstraint("hash", name=op.f("uq_programme_document_hash")),
    )
    op.create_table(
        "relay",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("custodian", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("hash", sa.String(length=43), nullable=False),
        sa.Column("refused", sa.String(length=63), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay")),
        sa.UniqueConstraint("custodian", "kind", "hash", name=op.f("uq_relay_custodian")),
    )
    op.create_table(
        "standing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=43), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=43), nullable=False),
        sa.Column("state", sa.String(length=63), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing")),
        sa.UniqueConstraint("hash", name=op.f("uq_standing_hash")),
    )
    op.create_index(op.f("ix_standing_tag"), "standing", ["tag"], unique=False)
    op.create_table(
        "switch",
        sa.Column("activity", sa.String(length=63), nullable=False),
        sa.Column("is_off", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("activity", name=op.f("pk_switch")),
    )
    op.create_table(
        "switch_change",
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_hash", sa.String(length=43), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("off", sa.String(length=200), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_switch_change")),
        sa.UniqueConstraint("order_hash", name=op.f("uq_switch_change_order_hash")),
    )
    op.create_table(
        "consent_event",
        sa.Column("document", sa.String(length=43), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("tag", sa.String(length=43), nullable=False),
        sa.Column("salt", sa.String(length=43), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["batch"], ["consent_batch.number"], name=op.f("fk_consent_event_batch")),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_consent_event")),
    )
    op.create_index("ix_consent_event_batch", "consent_event", ["batch"], unique=False)
    op.create_index("ix_consent_event_tag", "consent_event", ["tag"], unique=False)
    op.create_table(
        "enrolment_receipt",
        sa.Column("enrolment", sa.String(length=43), nullable=False),
        sa.Column("custodian", sa.String(length=63), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment"], ["enrolment.hash"], name=op.f("fk_enrolment_receipt_enrolment")
        ),
        sa.PrimaryKeyConstraint("enrolment", "custodian", name=op.f("pk_enrolment_receipt")),
    )


def _vault() -> None:
    op.create_table(
        "segment",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("tag", sa.String(length=43), nullable=False),
        sa.Column("recording", sa.String(length=26), nullable=False),
        sa.Column("application_group", sa.String(length=63), nullable=False),
        sa.Column("task_label", sa.String(length=63), nullable=False),
        sa.Column("consent", sa.String(length=43), nullable=False),
        sa.Column("device", sa.String(length=43), nullable=False),
        sa.Column("previous", sa.String(length=43), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("header_hash", sa.String(length=43), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("upload_day", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("device", "previous", name=op.f("uq_segment_device")),
        sa.UniqueConstraint("header_hash", name=op.f("uq_segment_header_hash")),
    )
    op.create_index(op.f("ix_segment_application_group"), "segment", ["application_group"], unique=False)
    op.create_index(op.f("ix_segment_recording"), "segment", ["recording"], unique=False)
    op.create_index(op.f("ix_segment_tag"), "segment", ["tag"], unique=False)
    op.create_index(op.f("ix_segment_upload_day"), "segment", ["upload_day"], unique=False)
    op.create_table(
        "deposit_receipt",
        sa.Column("segment", sa.String(length=26), nullable=False),
        sa.Column("role", sa.String(length=2), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_deposit_receipt_segment")),
        sa.PrimaryKeyConstraint("segment", "role", name=op.f("pk_deposit_receipt")),
    )
