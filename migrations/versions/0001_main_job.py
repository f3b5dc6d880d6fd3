"""tables of the main job."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "leaf_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.String(length=32), nullable=False),
        sa.Column("session_ref", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("compartments", sa.String(length=120), nullable=False),
        sa.Column("purpose", sa.String(length=120), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("detail_sha256", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=True),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_entry_id")),
        sa.UniqueConstraint("leaf_index", name=op.f("uq_audit_entry_leaf_index")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_action_seq", ["action", "seq"], unique=False)
        batch_op.create_index("ix_audit_entry_actor_id_seq", ["actor_id", "seq"], unique=False)
        batch_op.create_index(
            "ix_audit_entry_actor_organisation_id_seq",
            ["actor_organisation_id", "seq"],
            unique=False,
        )
        batch_op.create_index("ix_audit_entry_case_id_seq", ["case_id", "seq"], unique=False)

    op.create_table(
        "facts_head",
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("current_revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_facts_head")),
        sa.UniqueConstraint("case_id", name=op.f("uq_facts_head_case_id")),
    )
    op.create_table(
        "key_holder",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_key_holder")),
    )
    op.create_table(
        "key_ring",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_ring")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("district", sa.String(length=8), nullable=False),
        sa.Column("is_provider", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
    )
    op.create_table(
        "sealed_facts",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", "revision", name=op.f("pk_sealed_facts")),
        sa.UniqueConstraint("case_id", "revision", name=op.f("uq_sealed_facts_case_id_revision")),
    )
    op.create_table(
        "sealed_facts_event",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", "revision", name=op.f("pk_sealed_facts_event")),
    )
    with op.batch_alter_table("sealed_facts_event", schema=None) as batch_op:
        batch_op.create_index("ix_sealed_facts_event_case_id", ["case_id"], unique=False)

    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_account_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "case_key",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("ring_id", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["ring_id"], ["key_ring.id"], name=op.f("fk_case_key_ring_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("case_key", schema=None) as batch_op:
        batch_op.create_index("ix_case_key_owner_id", ["owner_id"], unique=False)

    op.create_table(
        "facts_key",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ring_id", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["ring_id"], ["key_ring.id"], name=op.f("fk_facts_key_ring_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("facts_key", schema=None) as batch_op:
        batch_op.create_index("ix_facts_key_case_id", ["case_id"], unique=False)

    op.create_table(
        "sealed_master_key",
        sa.Column("ring_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["holder"], ["key_holder.name"], name=op.f("fk_sealed_master_key_holder")
        ),
        sa.ForeignKeyConstraint(
            ["ring_id"], ["key_ring.id"], name=op.f("fk_sealed_master_key_ring_id")
        ),
        sa.PrimaryKeyConstraint("ring_id", "holder", name=op.f("pk_sealed_master_key")),
    )
    op.create_table(
        "auth_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_auth_session_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_auth_session_token_hash")),
    )
    with op.batch_alter_table("auth_session", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_auth_session_account_id"), ["account_id"], unique=False
        )
        batch_op.create_index("ix_auth_session_expires_at", ["expires_at"], unique=False)

    op.create_table(
        "case_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("identification", sa.String(length=32), nullable=False),
        sa.Column("assistance", sa.String(length=32), nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flagged_by_id", sa.Uuid(), nullable=False),
        sa.Column("flagged_by_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("flagged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("presumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flagged_by_id"], ["account.id"], name=op.f("fk_case_file_flagged_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["flagged_by_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_case_file_flagged_by_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("reference", name=op.f("uq_case_file_reference")),
    )
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.create_index(
            "ix_case_file_flagged_by", ["flagged_by_id", "flagged_at", "id"], unique=False
        )
        batch_op.create_index("ix_case_file_incident", ["incident_id"], unique=False)
        batch_op.create_index(
            "ix_case_file_open",
            ["urgency", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_case_file_open_by_assistance",
            ["assistance", "urgency", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_case_file_open_by_identification",
            ["identification", "urgency", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "flag_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_flag_draft_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_draft")),
    )
    with op.batch_alter_table("flag_draft", schema=None) as batch_op:
        batch_op.create_index(
            "ix_flag_draft_account_id_saved_at", ["account_id", "saved_at"], unique=False
        )

    op.create_table(
        "form_receipt",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_form_receipt_account_id")
        ),
        sa.PrimaryKeyConstraint("form_id", "account_id", name=op.f("pk_form_receipt")),
    )
    with op.batch_alter_table("form_receipt", schema=None) as batch_op:
        batch_op.create_index("ix_form_receipt_done_at", ["done_at"], unique=False)

    op.create_table(
        "listing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("district", sa.String(length=8), nullable=False),
        sa.Column("serves", sa.String(length=200), nullable=False),
        sa.Column("languages", sa.String(length=120), nullable=False),
        sa.Column("places", sa.Integer(), nullable=True),
        sa.Column("submitted_by_id", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_until", sa.Date(), nullable=True),
        sa.Column("suspended_reason", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["account.id"], name=op.f("fk_listing_approved_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_listing_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"], ["account.id"], name=op.f("fk_listing_submitted_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_listing_organisation_id")),
    )
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.create_index(
            "ix_listing_state_approved_until", ["state", "approved_until"], unique=False
        )

    op.create_table(
        "compartment_head",
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("compartment", sa.String(length=16), nullable=False),
        sa.Column("current_revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_compartment_head_case_id")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_compartment_head")),
        sa.UniqueConstraint(
            "case_id", "compartment", name=op.f("uq_compartment_head_case_id_compartment")
        ),
    )
    op.create_table(
        "consent_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("basis", sa.String(length=32), nullable=False),
        sa.Column("compartments", sa.String(length=120), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_consent_answer_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["organisation.id"], name=op.f("fk_consent_answer_recipient_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["account.id"], name=op.f("fk_consent_answer_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_answer")),
    )
    with op.batch_alter_table("consent_answer", schema=None) as batch_op:
        batch_op.create_index("ix_consent_answer_case_id", ["case_id", "recorded_at"], unique=False)

    op.create_table(
        "listing_service",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_listing_service_listing_id")
        ),
        sa.PrimaryKeyConstraint("listing_id", "service", name=op.f("pk_listing_service")),
    )
    with op.batch_alter_table("listing_service", schema=None) as batch_op:
        batch_op.create_index("ix_listing_service_service", ["service", "listing_id"], unique=False)

    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("sent_by_id", sa.Uuid(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["account.id"], name=op.f("fk_referral_answered_by_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_referral_case_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_referral_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["sent_by_id"], ["account.id"], name=op.f("fk_referral_sent_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint("reference", name=op.f("uq_referral_reference")),
    )
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.create_index("ix_referral_case_id", ["case_id", "sent_at"], unique=False)
        batch_op.create_index("ix_referral_expiry", ["state", "answer_due_at"], unique=False)
        batch_op.create_index(
            "ix_referral_inbox", ["organisation_id", "state", "answer_due_at", "id"], unique=False
        )

    op.create_table(
        "sealed_compartment",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("compartment", sa.String(length=16), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_sealed_compartment_case_id")
        ),
        sa.PrimaryKeyConstraint("row_id", "revision", name=op.f("pk_sealed_compartment")),
        sa.UniqueConstraint(
            "case_id",
            "compartment",
            "revision",
            name=op.f("uq_sealed_compartment_case_id_compartment_revision"),
        ),
    )
    op.create_table(
        "sealed_draft",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["flag_draft.id"], name=op.f("fk_sealed_draft_draft_id")
        ),
        sa.PrimaryKeyConstraint("row_id", "revision", name=op.f("pk_sealed_draft")),
    )
    with op.batch_alter_table("sealed_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sealed_draft_draft_id"), ["draft_id"], unique=False)

    op.create_table(
        "sealed_note",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("compartment", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_sealed_note_case_id")),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["account.id"], name=op.f("fk_sealed_note_written_by_id")
        ),
        sa.PrimaryKeyConstraint("row_id", "revision", name=op.f("pk_sealed_note")),
    )
    with op.batch_alter_table("sealed_note", schema=None) as batch_op:
        batch_op.create_index("ix_sealed_note_case_id_kind", ["case_id", "kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_sealed_note_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "sealed_envelope",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_file.id"], name=op.f("fk_sealed_envelope_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_sealed_envelope_referral_id")
        ),
        sa.PrimaryKeyConstraint("row_id", "revision", name=op.f("pk_sealed_envelope")),
        sa.UniqueConstraint("referral_id", name=op.f("uq_sealed_envelope_referral_id")),
    )
    op.create_table(
        "service_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["account.id"], name=op.f("fk_service_record_recorded_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_service_record_referral_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_record")),
    )
    with op.batch_alter_table("service_record", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_service_record_referral_id"), ["referral_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("service_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_record_referral_id"))

    op.drop_table("service_record")
    op.drop_table("sealed_envelope")
    with op.batch_alter_table("sealed_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sealed_note_subject_id"))
        batch_op.drop_index("ix_sealed_note_case_id_kind")

    op.drop_table("sealed_note")
    with op.batch_alter_table("sealed_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sealed_draft_draft_id"))

    op.drop_table("sealed_draft")
    op.drop_table("sealed_compartment")
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.drop_index("ix_referral_inbox")
        batch_op.drop_index("ix_referral_expiry")
        batch_op.drop_index("ix_referral_case_id")

    op.drop_table("referral")
    with op.batch_alter_table("listing_service", schema=None) as batch_op:
        batch_op.drop_index("ix_listing_service_service")

    op.drop_table("listing_service")
    with op.batch_alter_table("consent_answer", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_answer_case_id")

    op.drop_table("consent_answer")
    op.drop_table("compartment_head")
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_index("ix_listing_state_approved_until")

    op.drop_table("listing")
    with op.batch_alter_table("form_receipt", schema=None) as batch_op:
        batch_op.drop_index("ix_form_receipt_done_at")

    op.drop_table("form_receipt")
    with op.batch_alter_table("flag_draft", schema=None) as batch_op:
        batch_op.drop_index("ix_flag_draft_account_id_saved_at")

    op.drop_table("flag_draft")
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_case_file_open_by_identification",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_case_file_open_by_assistance",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_case_file_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index("ix_case_file_incident")
        batch_op.drop_index("ix_case_file_flagged_by")

    op.drop_table("case_file")
    with op.batch_alter_table("auth_session", schema=None) as batch_op:
        batch_op.drop_index("ix_auth_session_expires_at")
        batch_op.drop_index(batch_op.f("ix_auth_session_account_id"))

    op.drop_table("auth_session")
    op.drop_table("sealed_master_key")
    with op.batch_alter_table("facts_key", schema=None) as batch_op:
        batch_op.drop_index("ix_facts_key_case_id")

    op.drop_table("facts_key")
    with op.batch_alter_table("case_key", schema=None) as batch_op:
        batch_op.drop_index("ix_case_key_owner_id")

    op.drop_table("case_key")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_organisation_id"))

    op.drop_table("account")
    with op.batch_alter_table("sealed_facts_event", schema=None) as batch_op:
        batch_op.drop_index("ix_sealed_facts_event_case_id")

    op.drop_table("sealed_facts_event")
    op.drop_table("sealed_facts")
    op.drop_table("organisation")
    op.drop_table("key_ring")
    op.drop_table("key_holder")
    op.drop_table("facts_head")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_case_id_seq")
        batch_op.drop_index("ix_audit_entry_actor_organisation_id_seq")
        batch_op.drop_index("ix_audit_entry_actor_id_seq")
        batch_op.drop_index("ix_audit_entry_action_seq")

    op.drop_table("audit_entry")
