"""The vault: documents, search tokens, erasures, and one primary key for each purpose."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_PRIMARY = sa.text("state = 'primary'")
_NOT_COMPARED = sa.text("compared_at IS NULL")
_OPEN_ERASURE = sa.text("state IN ('asked', 'done')")


def upgrade() -> None:
    op.create_index(
        "uq_key_ring_primary",
        "key_ring",
        ["purpose"],
        unique=True,
        sqlite_where=_PRIMARY,
        postgresql_where=_PRIMARY,
    )
    op.add_column("case_file", sa.Column("compared_at", _MOMENT, nullable=True))
    op.add_column("case_file", sa.Column("erased_at", _MOMENT, nullable=True))
    op.create_index(
        "ix_case_file_not_compared",
        "case_file",
        ["flagged_at", "id"],
        sqlite_where=_NOT_COMPARED,
        postgresql_where=_NOT_COMPARED,
    )
    _documents()
    _search()
    _erasures()


def downgrade() -> None:
    op.drop_table("erasure")
    op.drop_table("identifier_token")
    op.drop_table("name_token")
    op.drop_table("name_index")
    op.drop_table("sealed_document")
    op.drop_index("ix_case_file_not_compared", "case_file")
    op.drop_column("case_file", "erased_at")
    op.drop_column("case_file", "compared_at")
    op.drop_index("uq_key_ring_primary", "key_ring")


def _documents() -> None:
    op.create_table(
        "sealed_document",
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("compartment", sa.String(length=16), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_sealed_document_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["account.id"], name=op.f("fk_sealed_document_added_by_id")
        ),
        sa.PrimaryKeyConstraint("row_id", "revision", name=op.f("pk_sealed_document")),
        sa.UniqueConstraint("file_id", name=op.f("uq_sealed_document_file_id")),
    )
    op.create_index("ix_sealed_document_case_id", "sealed_document", ["case_id"])


def _search() -> None:
    op.create_table(
        "name_index",
        sa.Column("version", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ring_id", sa.Integer(), nullable=False),
        sa.Column("folding", sa.SmallInteger(), nullable=False),
        sa.Column("bits", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["ring_id"], ["key_ring.id"], name=op.f("fk_name_index_ring_id")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_name_index")),
        sqlite_autoincrement=True,
    )
    for table, token in (
        ("name_token", sa.Integer()),
        ("identifier_token", sa.LargeBinary(length=16)),
    ):
        op.create_table(
            table,
            sa.Column("version", sa.Integer(), nullable=False),
            sa.Column("token", token, autoincrement=False, nullable=False),
            sa.Column("case_id", sa.Uuid(), nullable=False),
            sa.ForeignKeyConstraint(
                ["version"],
                ["name_index.version"],
                name=op.f(f"fk_{table}_version"),
            ),
            sa.ForeignKeyConstraint(
                ["case_id"], ["case_file.id"], name=op.f(f"fk_{table}_case_id")
            ),
            sa.PrimaryKeyConstraint("version", "token", "case_id", name=op.f(f"pk_{table}")),
            sqlite_with_rowid=False,
        )
        op.create_index(f"ix_{table}_case_id", table, ["case_id"])


def _erasures() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_erasure_case_id")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["account.id"], name=op.f("fk_erasure_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["account.id"], name=op.f("fk_erasure_answered_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index(
        "uq_erasure_case_id",
        "erasure",
        ["case_id"],
        unique=True,
        sqlite_where=_OPEN_ERASURE,
        postgresql_where=_OPEN_ERASURE,
    )
    op.create_index("ix_erasure_state", "erasure", ["state", "asked_at", "id"])
