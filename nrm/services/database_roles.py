"""The roles of PostgreSQL: what each process can do in the database, and not one thing more.

Whoever takes over one process, or slips a statement into it, has no more than its role has. The
table below is all there is: whatever is not written in it is taken away at every run.
"""

from collections.abc import Iterable

from psycopg.errors import DuplicateObject, InsufficientPrivilege, UniqueViolation
from sqlalchemy import DDL, bindparam, text
from sqlalchemy.exc import DBAPIError

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import RefusedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.services.audit import record

# Migrations, new keys, witnesses: whoever runs the system, at its console. All tables are its own.
OWNER = "nrm_owner"
APP = "nrm_app"
SEQUENCER = "nrm_sequencer"
STATISTICS = "nrm_statistics"
READER = "nrm_reader"
BACKUP = "nrm_backup"
ROLES = (OWNER, APP, SEQUENCER, STATISTICS, READER, BACKUP)

_READ = "SELECT"
_ADD = "SELECT, INSERT"
_CHANGE = "SELECT, INSERT, UPDATE"
_ADD_AND_REMOVE = "SELECT, INSERT, DELETE"
_ANYTHING = "SELECT, INSERT, UPDATE, DELETE"
# An insert asks for the number that the entry was given, and for nothing else of the log.
_WRITE_THE_LOG = "INSERT, SELECT (seq)"
_DEPARTURES = "SELECT, INSERT, UPDATE (finished_at)"
_HEADS = "SELECT, INSERT, UPDATE (current_revision)"
# Locking a row takes the right to change one column of it: the one that does no harm.
_HOLD_KEY_RING = "SELECT, UPDATE (created_at)"
# Who somebody is and where they belong never changes; what they may do, and whether, does.
_ACCOUNTS = (
    "SELECT, INSERT, UPDATE (password_hash, role, seen_at, disabled_at, disabled_for, enabled_at,"
    " away_until, stand_in_id)"
)
# Whoever may destroy a case's key may spoil it as well: nothing is added to what it can do.
_CASE_KEYS = "SELECT, INSERT, UPDATE (ring_id), DELETE"
# Who somebody is elsewhere is never changed, only removed and connected anew.
_IDENTITIES = "SELECT, INSERT, UPDATE (used_at), DELETE"
# Whoever signs in through the process for readers is seen there; it keeps nobody's password.
_COME_IN = "SELECT, UPDATE (seen_at)"
# It tells whoever signs in there what was changed about that, and tells nobody of a case.
_TELL_OF_SIGN_IN = (
    "SELECT, INSERT (account_id, id, kind, made_at, made_in, subject_id), UPDATE (seen_at)"
)

_EVERY_PROCESS = (APP, SEQUENCER, STATISTICS, READER)
_KEYS = dict.fromkeys((SEQUENCER, STATISTICS, READER), _READ)

# By table, then by role. The backup reads every table, the owner does anything.
GRANTS: dict[str, dict[str, str]] = {
    "account": {APP: _ACCOUNTS, READER: _COME_IN},
    "alembic_version": dict.fromkeys(_EVERY_PROCESS, _READ),
    "approval": {
        APP: "SELECT, INSERT, UPDATE (state, answered_by_id, answered_at, refused_because)"
    },
    "audit_checkpoint": {APP: _READ, SEQUENCER: _ADD},
    "audit_cosignature": {APP: _READ},
    "audit_entry": {
        APP: _ADD,
        SEQUENCER: "SELECT, INSERT, UPDATE (leaf_index)",
        STATISTICS: _WRITE_THE_LOG,
        READER: _WRITE_THE_LOG,
    },
    "audit_sight": {APP: _READ, SEQUENCER: "INSERT"},
    "audit_tile": {APP: _READ, SEQUENCER: "SELECT, INSERT, UPDATE (hashes)"},
    "audit_witness": {APP: _READ},
    "auth_session": {APP: _ANYTHING, READER: _ANYTHING},
    # Whether somebody is to be told something hangs on bars; the analysts' process sees ids alone.
    "bar": {
        APP: "SELECT, INSERT, UPDATE (lifted_at, lifted_by_id)",
        READER: "SELECT (account_id, case_id, lifted_at, organisation_id)",
    },
    "broken_glass": {
        APP: "SELECT, INSERT, UPDATE (escalated_at, reviewed_at, reviewed_by_id, verdict)",
    },
    "case_file": {APP: _CHANGE},
    "case_key": {APP: _CASE_KEYS},
    "compartment_head": {APP: _HEADS},
    "consent_answer": {APP: _ADD},
    "departure": dict.fromkeys((APP, SEQUENCER, READER), _DEPARTURES),
    "erasure": {APP: _CHANGE},
    "facts_head": {APP: _HEADS, STATISTICS: _READ},
    "facts_key": {APP: _ADD_AND_REMOVE, STATISTICS: _READ},
    "federated_identity": dict.fromkeys((APP, READER), _IDENTITIES),
    "flag_draft": {APP: _ANYTHING},
    "form_receipt": {APP: _ADD_AND_REMOVE, READER: _ADD},
    "hand_over": {APP: "SELECT, INSERT, UPDATE (state, answered_at)"},
    "identifier_token": {APP: _ADD_AND_REMOVE},
    "invitation": {APP: "SELECT, INSERT, UPDATE (ended_at)"},
    "key_holder": {APP: _READ, **_KEYS},
    "key_ring": {APP: _HOLD_KEY_RING, **_KEYS, READER: _HOLD_KEY_RING},
    "listing": {APP: _CHANGE},
    "listing_service": {APP: _ADD},
    "name_index": {APP: "SELECT, UPDATE (state)"},
    "name_token": {APP: _ADD_AND_REMOVE},
    "notice": {APP: "SELECT, INSERT, UPDATE (seen_at)", READER: _TELL_OF_SIGN_IN},
    "organisation": {APP: "SELECT, INSERT, UPDATE (name, kind, district)", READER: _READ},
    "recovery_code": {APP: _ANYTHING, READER: _ANYTHING},
    "referral": {APP: _CHANGE},
    "release": {
        APP: "SELECT, INSERT, UPDATE (state)",
        STATISTICS: "SELECT, INSERT, UPDATE (state, counted_at, frozen_at, left_out)",
        READER: "SELECT, INSERT, UPDATE (state)",
    },
    "release_cell": {APP: _READ, STATISTICS: _ADD, READER: _READ},
    "release_progress": {APP: _READ, STATISTICS: _ANYTHING, READER: _READ},
    "release_signature": {APP: _ADD, STATISTICS: _READ, READER: _ADD},
    "sealed_compartment": {APP: _ADD},
    "sealed_document": {APP: _ADD_AND_REMOVE},
    "sealed_draft": {APP: _ADD_AND_REMOVE},
    "sealed_envelope": {APP: _ADD},
    "sealed_facts": {APP: _ADD, STATISTICS: _READ},
    "sealed_facts_event": {APP: _ADD, STATISTICS: _READ},
    "sealed_master_key": {APP: _READ, **_KEYS},
    "sealed_note": {APP: _ADD},
    "second_factor": {APP: _ANYTHING, READER: _ANYTHING},
    "service_record": {APP: _ADD},
    "sign_in_delay": {APP: _ANYTHING, READER: _ANYTHING},
}

_NOT_ALLOWED = f"it takes a superuser of the database the first time, and later {OWNER}"
_STRONG = text(
    "SELECT rolname FROM pg_roles WHERE rolname IN :roles AND"
    " (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)"
).bindparams(bindparam("roles", ROLES, expanding=True))
_MEMBERSHIPS = text(
    "SELECT held.rolname, holder.rolname FROM pg_auth_members"
    " JOIN pg_roles AS held ON held.oid = roleid JOIN pg_roles AS holder ON holder.oid = member"
    " WHERE holder.rolname IN :roles"
).bindparams(bindparam("roles", ROLES, expanding=True))
_OTHERS_TABLES = text(
    "SELECT tablename FROM pg_tables"
    " WHERE schemaname = current_schema() AND tableowner <> :owner AND tablename IN :tables"
).bindparams(bindparam("tables", tuple(GRANTS), expanding=True))
# What the triggers call that keep the log as it was written.
_OTHERS_FUNCTIONS = text(
    "SELECT DISTINCT proname FROM pg_proc"
    " JOIN pg_trigger ON tgfoid = pg_proc.oid JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE NOT tgisinternal AND pg_get_userbyid(proowner) <> :owner AND relname IN :tables"
).bindparams(bindparam("tables", tuple(GRANTS), expanding=True))
# Every number that the database gives comes from a sequence of its own.
_SEQUENCES = text(
    "SELECT of.relname, sequence.relname FROM pg_class AS sequence"
    " JOIN pg_depend ON objid = sequence.oid AND deptype IN ('a', 'i')"
    " JOIN pg_class AS of ON of.oid = refobjid"
    " WHERE sequence.relkind = 'S' AND of.relnamespace = current_schema()::regnamespace"
)
# Whoever has a right on a table or a column, or all the rights of one of our roles.
_OUTSIDERS = text(
    "SELECT pg_get_userbyid(given.grantee) AS name FROM pg_class LEFT JOIN pg_attribute"
    " ON attrelid = pg_class.oid, aclexplode(relacl || attacl) AS given"
    " WHERE relnamespace = current_schema()::regnamespace"
    " AND pg_get_userbyid(given.grantee) NOT IN :roles"
    " UNION SELECT holder.rolname FROM pg_auth_members"
    " JOIN pg_roles AS held ON held.oid = roleid JOIN pg_roles AS holder ON holder.oid = member"
    " WHERE held.rolname IN :roles ORDER BY name"
).bindparams(bindparam("roles", ROLES, expanding=True))


def apply() -> list[str]:
    """Make the roles that are missing, and give each exactly what the table says.

    All of it or nothing, while the program serves; to be run again after every migration. Returns
    which other roles have rights on the tables: they are whoever runs the server's to judge.
    """
    if db.engine.dialect.name != "postgresql":
        raise RefusedError("SQLite has no roles: whoever can write to its file can do anything")
    try:
        with unit_of_work() as unit:
            _make_roles()
            _own()
            _take_all_away()
            _grant()
            outsiders = list(db.session.scalars(_OUTSIDERS))
            record(unit, HOUSEKEEPING, Action.DATABASE_ROLES)
    except DBAPIError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RefusedError(_NOT_ALLOWED) from None
        raise
    return outsiders


def _make_roles() -> None:
    """Make what is missing; a role that is there loses what would lead around its grants."""
    there = set(db.session.scalars(text("SELECT rolname FROM pg_roles")))
    for role in ROLES:
        if role not in there:
            _make(role)
    # Without this the database would warn of each right that it cannot give, and go on.
    if not db.session.scalar(text("SELECT pg_has_role(:owner, 'USAGE')"), {"owner": OWNER}):
        raise RefusedError(_NOT_ALLOWED)
    for role in db.session.scalars(_STRONG).all():
        _run(
            "ALTER ROLE %(role)s NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION",
            role=role,
        )
    for held, holder in db.session.execute(_MEMBERSHIPS).all():
        _run("REVOKE %(held)s FROM %(holder)s", held=held, holder=holder)


def _make(role: str) -> None:
    """Make a role that can sign in and has no password: who may, the server's own rules say."""
    try:
        with db.session.begin_nested():
            _run("CREATE ROLE %(role)s LOGIN", role=role)
    except DBAPIError as error:
        # Roles are the whole server's: another database of it may be given its own meanwhile.
        if not isinstance(error.orig, DuplicateObject | UniqueViolation):
            raise


def _own() -> None:
    """Make whatever a migration changes the owner's: the tables, and what their triggers call."""
    owner = {"owner": OWNER}
    database, owned_by = db.session.execute(
        text(
            "SELECT datname, pg_get_userbyid(datdba) FROM pg_database"
            " WHERE datname = current_database()"
        )
    ).one()
    if owned_by != OWNER:
        _run("ALTER DATABASE %(database)s OWNER TO %(owner)s", database=database, **owner)
    for table in db.session.scalars(_OTHERS_TABLES, owner).all():
        _run("ALTER TABLE %(table)s OWNER TO %(owner)s", table=table, **owner)
    for function in db.session.scalars(_OTHERS_FUNCTIONS, owner).all():
        _run("ALTER FUNCTION %(function)s() OWNER TO %(owner)s", function=function, **owner)


def _take_all_away() -> None:
    everybody = _listed(role for role in ROLES if role != OWNER) + ", PUBLIC"
    for statement in (
        "REVOKE ALL ON DATABASE %(database)s FROM",
        "REVOKE ALL ON SCHEMA %(schema)s FROM",
        "REVOKE ALL ON ALL TABLES IN SCHEMA %(schema)s FROM",
        "REVOKE ALL ON ALL SEQUENCES IN SCHEMA %(schema)s FROM",
    ):
        _run(f"{statement} {everybody} CASCADE", **_place())


def _grant() -> None:
    _run(f"GRANT CONNECT ON DATABASE %(database)s TO {_listed(ROLES)}", **_place())
    _run(f"GRANT USAGE ON SCHEMA %(schema)s TO {_listed(ROLES)}", **_place())
    _run(f"GRANT CREATE ON SCHEMA %(schema)s TO {OWNER}", **_place())
    _run(f"GRANT SELECT ON ALL TABLES IN SCHEMA %(schema)s TO {BACKUP}", **_place())
    _run(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA %(schema)s TO {BACKUP}", **_place())
    for table, granted in GRANTS.items():
        for role, rights in granted.items():
            _run(f"GRANT {rights} ON TABLE %(table)s TO {role}", table=table)
    for table, sequence in db.session.execute(_SEQUENCES).all():
        for role, rights in GRANTS.get(table, {}).items():
            if "INSERT" in rights:
                _run(f"GRANT USAGE ON SEQUENCE %(sequence)s TO {role}", sequence=sequence)


def _listed(roles: Iterable[str]) -> str:
    return ", ".join(roles)


def _place() -> dict[str, str]:
    """Name the database and the schema that the tables are in."""
    found = db.session.execute(text("SELECT current_database(), current_schema()")).one()
    return {"database": found[0], "schema": found[1]}


def _run(statement: str, **names: str) -> None:
    """Run a statement of ours; rights and names cannot be bound, so names are quoted instead."""
    quote = db.engine.dialect.identifier_preparer.quote
    quoted = {key: quote(name) for key, name in names.items()}
    db.session.execute(DDL(statement, context=quoted))  # type: ignore[no-untyped-call] # theirs
