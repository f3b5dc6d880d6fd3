"""The log becomes a tree that a stranger can verify: tiles, checkpoints, cosignatures."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
# SQLite counts only in INTEGER columns.
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ASKED_BY = ("actor_id", "actor_organisation_id", "case_id", "action")
_PEOPLE = ("actor_id", "actor_organisation_id")
_NOT_DONE = sa.text("outcome <> 'done'")
_NOT_IN_THE_TREE = sa.text("leaf_index IS NULL")
_UNFINISHED = sa.text("finished_at IS NULL")
# Tables whose rows stay as they are, like the log's own.
_KEPT = ("audit_checkpoint", "audit_cosignature")


def upgrade() -> None:
    _indexes()
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        _keep_on_sqlite()
    else:
        _keep_on_postgresql()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_placed_later")
    else:
        op.execute("DROP TRIGGER audit_entry_placed_later ON audit_entry")
        op.execute("DROP FUNCTION audit_entry_placed_later()")
        for table in (*_KEPT, "audit_tile"):
            op.execute(f"DROP TRIGGER {table}_kept ON {table}")
            op.execute(f"DROP TRIGGER {table}_never_emptied ON {table}")
        op.execute("DROP FUNCTION audit_tree_kept()")
    for table in (
        *("departure", "audit_sight", "audit_cosignature", "audit_witness"),
        *("audit_checkpoint", "audit_tile"),
    ):
        op.drop_table(table)
    for name in ("not_in_the_tree", "not_done", "occurred_at_seq"):
        op.drop_index(f"ix_audit_entry_{name}", "audit_entry")
    for column in _PEOPLE:
        op.drop_index(f"ix_audit_entry_{column}_action", "audit_entry")
    for column in (*_PEOPLE, "action"):
        op.drop_index(f"ix_audit_entry_{column}_not_done", "audit_entry")
    for column in _ASKED_BY:
        op.drop_index(f"ix_audit_entry_{column}_occurred_at_seq", "audit_entry")
        op.create_index(f"ix_audit_entry_{column}_seq", "audit_entry", [column, "seq"])


def _indexes() -> None:
    for column in _ASKED_BY:
        op.drop_index(f"ix_audit_entry_{column}_seq", "audit_entry")
        name = f"ix_audit_entry_{column}_occurred_at_seq"
        op.create_index(name, "audit_entry", [column, "occurred_at", "seq"])
    op.create_index("ix_audit_entry_occurred_at_seq", "audit_entry", ["occurred_at", "seq"])
    for column in _PEOPLE:
        name = f"ix_audit_entry_{column}_action"
        op.create_index(name, "audit_entry", [column, "action", "occurred_at", "seq"])
    for by in ((), *((column,) for column in (*_PEOPLE, "action"))):
        op.create_index(
            "_".join(["ix_audit_entry", *by, "not_done"]),
            "audit_entry",
            [*by, "outcome", "occurred_at", "seq"],
            sqlite_where=_NOT_DONE,
            postgresql_where=_NOT_DONE,
        )
    op.create_index(
        "ix_audit_entry_not_in_the_tree",
        "audit_entry",
        ["seq"],
        sqlite_where=_NOT_IN_THE_TREE,
        postgresql_where=_NOT_IN_THE_TREE,
    )


def _tables() -> None:
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", _COUNTER, autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name="pk_audit_tile"),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", _COUNTER, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signed_at", _MOMENT, nullable=False),
        sa.Column("verifier_key", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoint"),
    )
    op.create_table(
        "audit_witness",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("verifier_key", sa.String(length=200), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_audit_witness"),
    )
    op.create_table(
        "audit_cosignature",
        sa.Column("size", _COUNTER, autoincrement=False, nullable=False),
        sa.Column("witness", sa.String(length=120), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("cosigned_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["audit_checkpoint.size"], name="fk_audit_cosignature_size"
        ),
        sa.ForeignKeyConstraint(
            ["witness"], ["audit_witness.name"], name="fk_audit_cosignature_witness"
        ),
        sa.PrimaryKeyConstraint("size", "witness", name="pk_audit_cosignature"),
    )
    op.create_table(
        "audit_sight",
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("seq", _COUNTER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("row_id", "seq", name="pk_audit_sight"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_sight_seq", "audit_sight", ["seq"])
    op.create_table(
        "departure",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("begun_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name="pk_departure"),
    )
    op.create_index(
        "ix_departure_unfinished",
        "departure",
        ["begun_at"],
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    )


def _keep_on_sqlite() -> None:
    op.execute(
        "CREATE TRIGGER audit_entry_placed_later BEFORE INSERT ON audit_entry "
        "WHEN NEW.leaf_index IS NOT NULL "
        "BEGIN SELECT RAISE(ABORT, 'the signer gives an entry its place'); END"
    )
    for table in _KEPT:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
            )
    op.execute(
        "CREATE TRIGGER audit_tile_no_delete BEFORE DELETE ON audit_tile "
        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_tile_grows BEFORE UPDATE ON audit_tile "
        "WHEN NEW.level IS NOT OLD.level OR NEW.position IS NOT OLD.position "
        "OR length(NEW.hashes) < length(OLD.hashes) "
        "OR substr(NEW.hashes, 1, length(OLD.hashes)) IS NOT OLD.hashes "
        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
    )


def _keep_on_postgresql() -> None:
    op.execute(
        """
        CREATE FUNCTION audit_entry_placed_later() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the signer gives an entry its place';
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER audit_entry_placed_later BEFORE INSERT ON audit_entry "
        "FOR EACH ROW WHEN (NEW.leaf_index IS NOT NULL) "
        "EXECUTE FUNCTION audit_entry_placed_later()"
    )
    op.execute(
        """
        CREATE FUNCTION audit_tree_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_TABLE_NAME = 'audit_tile' AND TG_OP = 'UPDATE' THEN
                IF NEW.level = OLD.level AND NEW.position = OLD.position
                    AND substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) = OLD.hashes
                THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'the log is append-only';
        END
        $$
        """
    )
    for table in (*_KEPT, "audit_tile"):
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION audit_tree_kept()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_tree_kept()"
        )
