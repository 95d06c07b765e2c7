"""The tables of ``access``; on SQLite, requests, approvals, grants and their ends refuse every update."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002_access"
down_revision: Final = "0001_programme_vault"

_IMMUTABLE: Final = ("access_request", "access_approval", "access_grant", "access_revocation")


def upgrade() -> None:
    """Make them."""
    _requests()
    _grants()
    op.create_table(
        "access_policy",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy_hash", sa.String(length=43), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_access_policy")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for table in _IMMUTABLE:
            op.execute(
                f"CREATE TRIGGER {table}_is_immutable BEFORE UPDATE ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is never changed'); END"
            )


def _requests() -> None:
    op.create_table(
        "access_request",
        sa.Column("request", sa.String(length=26), nullable=False),
        sa.Column("hash", sa.String(length=43), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("grant_hash", sa.String(length=43), nullable=False),
        sa.Column("grant_body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_access_request")),
        sa.UniqueConstraint("hash", name=op.f("uq_access_request_hash")),
        sa.UniqueConstraint("grant_hash", name=op.f("uq_access_request_grant_hash")),
    )
    op.create_index(op.f("ix_access_request_received_at"), "access_request", ["received_at"], unique=False)
    op.create_table(
        "access_approval",
        sa.Column("grant_hash", sa.String(length=43), nullable=False),
        sa.Column("key", sa.String(length=43), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("signature", sa.String(length=86), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_hash"], ["access_request.grant_hash"], name=op.f("fk_access_approval_grant_hash")
        ),
        sa.PrimaryKeyConstraint("grant_hash", "key", name=op.f("pk_access_approval")),
    )


def _grants() -> None:
    op.create_table(
        "access_grant",
        sa.Column("grant_hash", sa.String(length=43), nullable=False),
        sa.Column("request", sa.String(length=26), nullable=True),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("in_force_at", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("grant_hash", name=op.f("pk_access_grant")),
        sa.UniqueConstraint("request", name=op.f("uq_access_grant_request")),
    )
    op.create_table(
        "access_reader",
        sa.Column("credential", sa.String(length=43), nullable=False),
        sa.Column("grant_hash", sa.String(length=43), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_hash"], ["access_grant.grant_hash"], name=op.f("fk_access_reader_grant_hash")
        ),
        sa.PrimaryKeyConstraint("credential", "grant_hash", name=op.f("pk_access_reader")),
    )
    op.create_table(
        "access_revocation",
        sa.Column("grant_hash", sa.String(length=43), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_hash"], ["access_grant.grant_hash"], name=op.f("fk_access_revocation_grant_hash")
        ),
        sa.PrimaryKeyConstraint("grant_hash", name=op.f("pk_access_revocation")),
    )
