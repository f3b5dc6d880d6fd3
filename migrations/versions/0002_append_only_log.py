"""The log is append-only: the database itself refuses to change or delete an entry."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Only the place in the tree may be filled in later, once; it is no part of what the leaf covers.
_COVERED = (
    "seq",
    "id",
    "occurred_at",
    "actor_id",
    "actor_organisation_id",
    "actor_role",
    "session_ref",
    "action",
    "subject_type",
    "subject_id",
    "case_id",
    "compartments",
    "purpose",
    "outcome",
    "rows",
    "detail_sha256",
    "leaf_hash",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        _upgrade_postgresql()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_no_update")
        op.execute("DROP TRIGGER audit_entry_place_once")
        op.execute("DROP TRIGGER audit_entry_no_delete")
    else:
        op.execute("DROP TRIGGER audit_entry_append_only ON audit_entry")
        op.execute("DROP TRIGGER audit_entry_never_emptied ON audit_entry")
        op.execute("DROP FUNCTION audit_entry_append_only()")


def _upgrade_sqlite() -> None:
    columns = ", ".join(f'"{column}"' for column in _COVERED)
    op.execute(
        f"CREATE TRIGGER audit_entry_no_update BEFORE UPDATE OF {columns} ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_place_once BEFORE UPDATE OF leaf_index ON audit_entry "
        "WHEN OLD.leaf_index IS NOT NULL "
        "BEGIN SELECT RAISE(ABORT, 'an entry keeps its place'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
    )


def _upgrade_postgresql() -> None:
    changed = " OR ".join(f'NEW."{column}" IS DISTINCT FROM OLD."{column}"' for column in _COVERED)
    op.execute(
        f"""
        CREATE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
                RAISE EXCEPTION 'the log is append-only';
            END IF;
            IF {changed} THEN
                RAISE EXCEPTION 'the log is append-only';
            END IF;
            IF OLD.leaf_index IS NOT NULL AND NEW.leaf_index IS DISTINCT FROM OLD.leaf_index THEN
                RAISE EXCEPTION 'an entry keeps its place';
            END IF;
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_append_only()"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_never_emptied BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_append_only()"
    )
