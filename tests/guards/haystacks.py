"""Where a value might lie in clear, read as plain bytes, and the search for it."""

import io
import logging
import re
from contextlib import contextmanager
from email import message_from_string, policy
from urllib.parse import quote, quote_plus

from sqlalchemy import select, text

from nrm.db import db
from nrm.models import AuditEntry, AuthSession
from nrm.services import sessions
from nrm.web.logs import LOGGER, JsonLines
from tests.ledger import detail

# How a screen would write the days; the phone number as it would be dialled at home.
ALSO_WRITTEN = {
    "1987-03-19": ["19 March 1987", "19/03/1987"],
    "2026-02-13": ["13 February 2026", "13/02/2026"],
    "+250788481516": ["788481516"],
    "+250788162342": ["788162342"],
}


def found(values, places):
    """List every (value, place) where a value can be read, in whatever case or spelling."""
    lowered = {name: content.lower() for name, content in places.items()}
    return [
        (value, name)
        for value in values
        for name, content in lowered.items()
        if any(spelling in content for spelling in spellings(value))
    ]


def spellings(value):
    """Write a value in every way in which it could lie about; of a phrase, its one odd word."""
    said = re.findall(r"[a-z]*kanari[a-z]*", value.lower()) or [value.lower()]
    for word in [*said, *(other.lower() for other in ALSO_WRITTEN.get(value, []))]:
        plain = word.encode()
        yield plain
        yield quote(word).lower().encode()
        yield quote_plus(word).lower().encode()
        yield word.encode("utf-16-le")
        yield plain.hex().encode()


def of_the_database(world, folder):
    """Read all that the database keeps: its files as they lie on the disk, or its every row."""
    with world.entered():
        if db.engine.dialect.name == "sqlite":
            return of_files(folder)
        return of_tables()


def of_files(folder):
    """Read every file of the installation: database, write-ahead log, shared memory."""
    files = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {"nrm.sqlite3", "nrm.sqlite3-wal", "nrm.sqlite3-shm"} <= set(files)
    return files


def of_tables():
    """Read every table as its own text, where bytes are hex, and the bytes once more as such."""
    places = {}
    with db.engine.connect() as connection:
        for table, columns in tables(connection).items():
            rows = connection.execute(text(f'SELECT t::text FROM "{table}" t')).scalars().all()
            places[table] = "\n".join(rows).encode()
            for column in columns:
                kept = connection.execute(text(f'SELECT "{column}" FROM "{table}"')).scalars()
                places[f"{table}.{column}"] = b"\n".join(bytes(value or b"") for value in kept)
    return places


def tables(connection):
    """Name all tables there are, ours or not, with their columns of bytes."""
    rows = connection.execute(
        text(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
    ).all()
    found_columns = {table: [] for table, _column, _kind in rows}
    for table, column, kind in rows:
        if kind == "bytea":
            found_columns[table].append(column)
    return found_columns


def of_sessions(world):
    """Read what the sittings remember, unsealed."""
    with world.entered():
        sittings = db.session.scalars(select(AuthSession)).all()
        return {f"sitting {at}": text_of(sessions._unseal(row)) for at, row in enumerate(sittings)}


def of_details(world):
    """Read what the log says of fields and counts, unsealed."""
    with world.entered():
        entries = db.session.scalars(select(AuditEntry)).all()
        return {f"entry {entry.seq}": text_of(detail(entry)) for entry in entries}


def of_traces(traces):
    """Read what a visit left behind; the pages themselves are shown to whoever may see them."""
    kept = ("addresses", "leads", "cookies", "titles", "headings")
    return {name: "\n".join(getattr(traces, name)).encode() for name in kept}


def of_messages(server):
    """Read each e-mail as it went over the line, with all that was said about it, and decoded."""
    heard = {"mail server": "\n".join(server.heard).encode()}
    for at, sent in enumerate(server.messages):
        message = message_from_string(sent, policy=policy.default)
        headers = [f"{name}: {value}" for name, value in message.items()]
        heard[f"e-mail {at}"] = "\n".join([sent, *headers, message.get_content()]).encode()
    return heard


def text_of(data):
    return repr(data).encode()


@contextmanager
def listening():
    """Write down every line that the program logs: its own as it formats them, others as usual."""
    own, others = io.StringIO(), io.StringIO()
    ours, theirs = logging.StreamHandler(own), logging.StreamHandler(others)
    ours.setFormatter(JsonLines())
    root, level = logging.getLogger(), LOGGER.level
    LOGGER.addHandler(ours)
    LOGGER.setLevel(logging.INFO)
    root.addHandler(theirs)
    try:
        yield own, others
    finally:
        LOGGER.setLevel(level)
        LOGGER.removeHandler(ours)
        root.removeHandler(theirs)
