"""People and access: second factors and invitations, bars and broken glass, owners, approvals."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_OPEN = sa.text("closed_at IS NULL")
_IN_FORCE = sa.text("lifted_at IS NULL")
_NOT_REVIEWED = sa.text("reviewed_at IS NULL")
_NOT_SEEN = sa.text("seen_at IS NULL")
_REQUESTED = sa.text("state = 'requested'")
_OF_AN_ACCOUNT = sa.text("subject_type = 'account'")
_OFFERED = sa.text("state = 'offered'")
_NOT_ENDED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    _accounts()
    _sittings()
    _owners()
    _signing_in()
    _bars()
    _broken_glass()
    _notices()
    _hand_overs()
    _approvals()


def downgrade() -> None:
    for table in (
        "approval", "hand_over", "notice", "broken_glass", "bar",
        "federated_identity", "sign_in_delay", "recovery_code", "second_factor", "invitation",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_index("ix_case_file_open_by_owner", "case_file")
    for column in ("left_by_id", "owner_id"):
        op.drop_column("case_file", column)
    op.drop_index("ix_audit_entry_of_an_account", "audit_entry")
    op.drop_column("auth_session", "device")
    op.drop_column("auth_session", "confirmed_at")
    for column in ("stand_in_id", "away_until", "enabled_at", "disabled_for", "seen_at"):
        op.drop_column("account", column)


def _accounts() -> None:
    for column in ("seen_at", "enabled_at", "away_until"):
        op.add_column("account", sa.Column(column, _MOMENT, nullable=True))
    op.add_column("account", sa.Column("disabled_for", sa.String(length=32), nullable=True))
    # When people signed in stands in the log: nobody is dormant for want of a column. Past the
    # guard that wants an entry for each change, because no act has happened.
    op.get_bind().connection.cursor().execute(
        "UPDATE account SET seen_at = (SELECT max(entry.occurred_at) FROM audit_entry AS entry"
        " WHERE entry.actor_id = account.id AND entry.action = 'session:sign-in')"
    )
    op.add_column("account", sa.Column("stand_in_id", sa.Uuid(), nullable=True))


def _sittings() -> None:
    # Everyone signs in anew: from now on with a second factor.
    op.execute("DELETE FROM auth_session")
    with op.batch_alter_table("auth_session") as sitting:
        sitting.add_column(sa.Column("confirmed_at", _MOMENT, nullable=True))
        sitting.add_column(sa.Column("device", sa.String(length=60), nullable=False))
    # The sign-ins of one account, failed ones too, which nobody signed in made.
    op.create_index(
        "ix_audit_entry_of_an_account",
        "audit_entry",
        ["subject_id", "occurred_at", "seq"],
        sqlite_where=_OF_AN_ACCOUNT,
        postgresql_where=_OF_AN_ACCOUNT,
    )


def _owners() -> None:
    for column in ("owner_id", "left_by_id"):
        op.add_column("case_file", sa.Column(column, sa.Uuid(), nullable=True))
    op.create_index(
        "ix_case_file_open_by_owner",
        "case_file",
        ["owner_id", "urgency", "due_at", "id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _signing_in() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_invitation_account_id"),
        sa.ForeignKeyConstraint(["made_by_id"], ["account.id"], name="fk_invitation_made_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
    )
    op.create_index("ix_invitation_account_id", "invitation", ["account_id"])
    op.create_index(
        "uq_invitation_open",
        "invitation",
        ["account_id"],
        unique=True,
        sqlite_where=_NOT_ENDED,
        postgresql_where=_NOT_ENDED,
    )
    op.create_table(
        "second_factor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=True),
        sa.Column("used_step", sa.BigInteger(), nullable=True),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("confirmed_at", _MOMENT, nullable=True),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_second_factor_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_second_factor"),
        sa.UniqueConstraint("credential_id", name="uq_second_factor_credential_id"),
    )
    op.create_index("ix_second_factor_account_id", "second_factor", ["account_id", "added_at"])
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_recovery_code_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id", "made_at"])
    op.create_table(
        "sign_in_delay",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", _MOMENT, nullable=True),
        sa.Column("waits_until", _MOMENT, nullable=True),
        sa.Column("succeeded_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("key_hash", name="pk_sign_in_delay"),
    )
    op.create_index("ix_sign_in_delay_failed_at", "sign_in_delay", ["failed_at"])
    op.create_table(
        "federated_identity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("connected_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_federated_identity_account_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_federated_identity"),
        sa.UniqueConstraint("account_id", name="uq_federated_identity_account_id"),
        sa.UniqueConstraint("issuer", "subject", name="uq_federated_identity_issuer_subject"),
    )


def _bars() -> None:
    op.create_table(
        "bar",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("placed_by_id", sa.Uuid(), nullable=False),
        sa.Column("placed_at", _MOMENT, nullable=False),
        sa.Column("lifted_by_id", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", _MOMENT, nullable=True),
        sa.CheckConstraint(
            "(account_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_bar_one_barred")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_bar_account_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name="fk_bar_case_id"),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["account.id"], name="fk_bar_lifted_by_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_bar_organisation_id"
        ),
        sa.ForeignKeyConstraint(["placed_by_id"], ["account.id"], name="fk_bar_placed_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bar"),
    )
    for column in ("case_id", "account_id", "organisation_id"):
        op.create_index(
            f"ix_bar_{column}", "bar", [column], sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE
        )
    op.create_index(
        "uq_bar_account",
        "bar",
        ["case_id", "account_id"],
        unique=True,
        sqlite_where=_IN_FORCE,
        postgresql_where=_IN_FORCE,
    )
    op.create_index(
        "uq_bar_organisation",
        "bar",
        ["case_id", "organisation_id"],
        unique=True,
        sqlite_where=_IN_FORCE,
        postgresql_where=_IN_FORCE,
    )


def _broken_glass() -> None:
    op.create_table(
        "broken_glass",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("broken_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("review_due_at", _MOMENT, nullable=False),
        sa.Column("escalated_at", _MOMENT, nullable=True),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("reviewed_by_id", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_broken_glass_account_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name="fk_broken_glass_case_id"),
        sa.ForeignKeyConstraint(
            ["reviewed_by_id"], ["account.id"], name="fk_broken_glass_reviewed_by_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broken_glass"),
    )
    op.create_index("ix_broken_glass_case_id", "broken_glass", ["case_id", "broken_at"])
    op.create_index(
        "ix_broken_glass_not_reviewed",
        "broken_glass",
        ["review_due_at", "id"],
        sqlite_where=_NOT_REVIEWED,
        postgresql_where=_NOT_REVIEWED,
    )


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("made_in", sa.String(length=64), nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_notice_account_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name="fk_notice_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index(
        "ix_notice_not_seen",
        "notice",
        ["account_id", "made_at", "id"],
        sqlite_where=_NOT_SEEN,
        postgresql_where=_NOT_SEEN,
    )


def _hand_overs() -> None:
    op.create_table(
        "hand_over",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("offered_by_id", sa.Uuid(), nullable=False),
        sa.Column("offered_at", _MOMENT, nullable=False),
        sa.Column("to_account_id", sa.Uuid(), nullable=False),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name="fk_hand_over_case_id"),
        sa.ForeignKeyConstraint(
            ["offered_by_id"], ["account.id"], name="fk_hand_over_offered_by_id"
        ),
        sa.ForeignKeyConstraint(
            ["to_account_id"], ["account.id"], name="fk_hand_over_to_account_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_hand_over"),
    )
    op.create_index(
        "ix_hand_over_to_account_id", "hand_over", ["to_account_id", "state", "offered_at", "id"]
    )
    op.create_index(
        "uq_hand_over_case_id",
        "hand_over",
        ["case_id"],
        unique=True,
        sqlite_where=_OFFERED,
        postgresql_where=_OFFERED,
    )


def _approvals() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("wanted", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.Column("refused_because", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["account.id"], name="fk_approval_answered_by_id"
        ),
        sa.ForeignKeyConstraint(["asked_by_id"], ["account.id"], name="fk_approval_asked_by_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name="fk_approval_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    op.create_index("ix_approval_state", "approval", ["state", "asked_at", "id"])
    op.create_index(
        "uq_approval_subject",
        "approval",
        ["kind", "subject_id"],
        unique=True,
        sqlite_where=_REQUESTED,
        postgresql_where=_REQUESTED,
    )
