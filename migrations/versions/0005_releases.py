"""Releases of the statistics: protected figures, which nobody changes once they are written."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
# No figure is written, changed or taken away when a release is frozen, nor a signature.
_KEPT = ("release_cell", "release_signature")
_REFUSED = "a release of the statistics is never changed"


def upgrade() -> None:
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        _keep_on_sqlite()
    else:
        _keep_on_postgresql()


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        for table in (*_KEPT, "release"):
            op.execute(f"DROP TRIGGER {table}_kept ON {table}")
            op.execute(f"DROP TRIGGER {table}_never_emptied ON {table}")
        op.execute("DROP TRIGGER release_cell_before_frozen ON release_cell")
        op.execute("DROP FUNCTION release_kept()")
        op.execute("DROP FUNCTION release_cell_before_frozen()")
    for table in ("release_progress", *_KEPT, "release"):
        op.drop_table(table)


def _tables() -> None:
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_quarter", sa.String(length=6), nullable=False),
        sa.Column("last_quarter", sa.String(length=6), nullable=False),
        sa.Column("annual", sa.Boolean(), nullable=False),
        sa.Column("edition", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("counted_at", _MOMENT, nullable=True),
        sa.Column("frozen_at", _MOMENT, nullable=True),
        sa.Column("left_out", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["asked_by_id"], ["account.id"], name="fk_release_asked_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_release"),
    )
    op.create_index(
        "uq_release_period",
        "release",
        ["first_quarter", "last_quarter", "annual", "edition"],
        unique=True,
    )
    op.create_index("ix_release_state", "release", ["state", "asked_at"])
    op.create_table(
        "release_signature",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("signed_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["release.id"], name="fk_release_signature_release_id"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_release_signature_account_id"
        ),
        sa.PrimaryKeyConstraint("release_id", "account_id", name="pk_release_signature"),
    )
    op.create_table(
        "release_cell",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("counts", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("codes", sa.String(length=160), nullable=False),
        sa.Column("figure", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name="fk_release_cell_release_id"),
        sa.PrimaryKeyConstraint("release_id", "counts", "by", "codes", name="pk_release_cell"),
    )
    op.create_table(
        "release_progress",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["release.id"], name="fk_release_progress_release_id"
        ),
        sa.PrimaryKeyConstraint("release_id", name="pk_release_progress"),
    )


def _keep_on_sqlite() -> None:
    for table in _KEPT:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            )
    op.execute(
        "CREATE TRIGGER release_no_update BEFORE UPDATE ON release WHEN OLD.state = 'frozen' "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    )
    op.execute(
        "CREATE TRIGGER release_no_delete BEFORE DELETE ON release "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    )
    op.execute(
        "CREATE TRIGGER release_cell_before_frozen BEFORE INSERT ON release_cell "
        "WHEN (SELECT state FROM release WHERE id = NEW.release_id) <> 'queued' "
        "BEGIN SELECT RAISE(ABORT, 'a release of the statistics is never changed'); END"
    )


def _keep_on_postgresql() -> None:
    op.execute(
        f"""
        CREATE FUNCTION release_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{_REFUSED}';
        END
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION release_cell_before_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT state FROM release WHERE id = NEW.release_id) <> 'queued' THEN
                RAISE EXCEPTION 'a release of the statistics is never changed';
            END IF;
            RETURN NEW;
        END
        $$
        """
    )
    for table in _KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION release_kept()"
        )
    op.execute(
        "CREATE TRIGGER release_kept BEFORE UPDATE OR DELETE ON release "
        "FOR EACH ROW WHEN (OLD.state = 'frozen') EXECUTE FUNCTION release_kept()"
    )
    for table in (*_KEPT, "release"):
        op.execute(
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION release_kept()"
        )
    op.execute(
        "CREATE TRIGGER release_cell_before_frozen BEFORE INSERT ON release_cell "
        "FOR EACH ROW EXECUTE FUNCTION release_cell_before_frozen()"
    )
