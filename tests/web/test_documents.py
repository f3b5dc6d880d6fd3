"""Screens of a case's documents: uploads as browsers and as attackers send them."""

import io
import tempfile
from uuid import uuid4

import pytest
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db
from nrm.models import AuditEntry, SealedDocument
from nrm.services import document_files, documents, follow_up
from tests import attachments
from tests import world as worlds
from tests.guards import haystacks
from tests.page import check
from tests.page_checks import words

BOUNDARY = "practice-boundary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
MARKS = {
    "title": "a paper of kanarititle",
    "content": "a statement of kanaricontent",
    "refused": "a page of kanarirefused",
    "name": "list of kanariname.pdf",
    "photo": attachments.PLACE_TAKEN,
}


@pytest.fixture
def coordinator(signed_in):
    return signed_in("coordinator")


@pytest.fixture
def case(world):
    return worlds.flag(world)


@pytest.fixture
def folder(settings):
    return settings.documents


def stored(folder):
    return sorted(str(path) for path in folder.rglob("*") if path.is_file())


def count(world):
    with world.app.app_context():
        return len(db.session.scalars(select(SealedDocument)).all())


def entries(world, action):
    with world.app.app_context():
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
        return db.session.scalars(query).all()


def send(page, case, content=worlds.PDF, name="paper.pdf", status=None, **typed):
    """Choose a file and send the form as a browser does."""
    fields = {"compartment": "health", "title": "Practice paper"} | typed
    file = [(io.BytesIO(made), name) for made in ([content] if content is not None else [])]
    return page.post(f"/cases/{case}/documents/new", {"file": file, **fields}, status=status)


def body(fields, files):
    """Write a form with files as it travels."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, content in files:
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
        kind = "Content-Type: application/octet-stream\r\n\r\n"
        parts.append(f"--{BOUNDARY}\r\n{head}{kind}".encode() + content + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def hidden(page, case):
    html = page.get(f"/cases/{case}/documents/new")
    form = html.find("form", enctype="multipart/form-data")
    return {field["name"]: field["value"] for field in form.select("input[type=hidden]")}


def travel(page, case, files, *, length=None, address=None, **typed):
    """Send a form as bytes, such as a browser never would make them."""
    fields = {**hidden(page, case), "compartment": "health", "title": "Practice paper", **typed}
    sent = body(fields, files)
    return page.client.post(
        address or f"/cases/{case}/documents/new",
        input_stream=io.BytesIO(sent[:length]),
        content_length=len(sent),
        content_type=TYPE,
    )


def test_a_document_is_added_read_and_removed(world, coordinator, case, folder):
    html = coordinator.get(f"/cases/{case}")
    html = coordinator.click("Documents")
    assert "No document yet." in words(html.main)
    coordinator.click("Add a document")
    send(coordinator, case, attachments.pdf(MARKS["content"]))
    html = coordinator.follow()
    assert "The document was added." in words(html.main)
    row = words(html.select_one(".govuk-summary-list__row"))
    assert row.startswith("Practice paper PDF, 1 KB Added by Practice Coordinator, ")

    answer = coordinator.client.get(html.find("a", href=lambda at: at.endswith("/file"))["href"])
    assert answer.data == attachments.pdf(MARKS["content"])
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    document = entries(world, Action.DOCUMENT_ADD)[0].subject_id
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="{case}-document-{document.hex[:8]}.pdf"'
    )

    html = coordinator.get(f"/cases/{case}/documents/{document}/remove")
    assert "It is destroyed with its key." in words(html.main)
    assert "Practice paper" in words(html.main)
    coordinator.post(f"/cases/{case}/documents/{document}/remove")
    assert "The document was removed." in words(coordinator.follow().main)
    assert count(world) == 0
    assert stored(folder) == []
    assert coordinator.client.get(f"/cases/{case}/documents/{document}/file").status_code == 404


def test_the_timeline_says_that_a_document_came_and_went(world, coordinator, case, folder):
    document = worlds.attach(world, case)
    with world.app.app_context():
        documents.remove(world.actor("coordinator"), case, document, folder)
    told = words(coordinator.get(f"/cases/{case}").aside)
    assert "Document added" in told
    assert "Document removed" in told


def test_the_log_has_it_before_the_first_byte(world, coordinator, case):
    document = worlds.attach(world, case)
    answer = coordinator.client.get(f"/cases/{case}/documents/{document}/file")
    # Not a byte of the answer was read yet.
    [entry] = entries(world, Action.DOCUMENT_OPEN)
    assert (entry.subject_id, entry.compartments) == (document, "health")
    assert answer.data == worlds.PDF


def test_the_police_part_looks_closed(coordinator, case):
    html = coordinator.get(f"/cases/{case}/documents")
    headings = [words(heading) for heading in html.select("main h2")]
    assert headings == [
        "Name and identity",
        "Safe contact",
        "What happened",
        "Health",
        "Police and prosecution",
    ]
    assert words(html.select_one(".nrm-masked")) == "closed"
    html = coordinator.get(f"/cases/{case}/documents/new")
    assert html.find("input", attrs={"name": "compartment", "value": "enforcement"}) is None


def test_a_closed_case_takes_no_more_and_can_be_read(world, coordinator, case):
    document = worlds.attach(world, case)
    kept = hidden(coordinator, case)
    with world.app.app_context():
        follow_up.close(
            world.actor("coordinator"),
            case,
            "contact_lost",
            "",
            version=worlds.version(world, case),
            pack=world.pack,
        )
    html = coordinator.get(f"/cases/{case}/documents")
    assert "Add a document" not in words(html.main)
    assert "none can be added" in words(coordinator.get(f"/cases/{case}/documents/new").main)
    assert coordinator.client.get(f"/cases/{case}/documents/{document}/file").status_code == 200
    late = {**kept, "compartment": "health", "file": (io.BytesIO(worlds.PDF), "a.pdf")}
    coordinator.post_raw(f"/cases/{case}/documents/new", late, status=409)
    assert count(world) == 1


# Bad input: a clear message at its field, and nothing kept.

WRONG = {
    "a drawing under the name of a photo": (
        [("photo.jpg", attachments.REFUSED["a drawing with a script"])],
        {},
        "The file must be a PDF",
    ),
    "a program under the name of a paper": (
        [("paper.pdf", attachments.REFUSED["a program"])],
        {},
        "The file must be a PDF",
    ),
    "a page behind a PDF": (
        [("paper.pdf", attachments.pdf() + b"<script>alert(1)</script>")],
        {},
        "The file must be a PDF",
    ),
    "a picture that unfolds without end": (
        [("photo.png", attachments.bomb())],
        {},
        "more points than we can take",
    ),
    "an archive that unfolds without end": (
        [("paper.docx", attachments.zip_bomb())],
        {},
        "The file must be a PDF",
    ),
    "half a photo": (
        [("photo.jpg", attachments.BROKEN["a photo that breaks off"])],
        {},
        "cannot be read to its end",
    ),
    "a file of 26 MB": (
        [("paper.pdf", attachments.pdf(size=26 * 1024 * 1024))],
        {},
        "larger than 25 MB",
    ),
    "a name of 300 characters": (
        [("x" * 296 + ".pdf", worlds.PDF)],
        {"title": ""},
        "Write a short title",
    ),
    "a name of a path alone": ([("../", worlds.PDF)], {"title": ""}, "Write a short title"),
    "an empty file": ([("paper.pdf", b"")], {}, "The file is empty"),
    "no file": ([], {}, "Choose a file"),
    "a form without a choice": ([("", b"")], {}, "Choose a file"),
    "two files": (
        [("one.pdf", worlds.PDF), ("two.pdf", worlds.PDF)],
        {},
        "Choose one file at a time",
    ),
    "nowhere to put it": (
        [("paper.pdf", worlds.PDF)],
        {"compartment": ""},
        "Choose where the document belongs",
    ),
    "a part that stays closed": (
        [("paper.pdf", worlds.PDF)],
        {"compartment": "enforcement"},
        "Choose an answer from the list",
    ),
}


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(
    world, coordinator, case, folder, subtests
):
    for what, (files, typed, message) in WRONG.items():
        with subtests.test(what):
            answer = travel(coordinator, case, files, **{"title": "Kept", **typed})
            assert answer.status_code == 422
            html = check(answer.get_data(as_text=True), what)
            summary = html.select_one(".govuk-error-summary")
            assert message in words(summary)
            field = summary.select_one("a[href]")["href"].removeprefix("#")
            assert html.find(id=field) is not None
            assert html.find(id="title")["value"] == typed.get("title", "Kept")
            assert count(world) == 0
            assert stored(folder) == []


def test_a_name_with_path_parts_is_no_more_than_a_title(coordinator, case, folder):
    names = ["../../../etc/passwd.pdf", "/tmp/paper.pdf"]  # noqa: S108 - only a name
    for name in names:
        coordinator.get(f"/cases/{case}/documents/new")
        send(coordinator, case, name=name, title="")
    html = coordinator.get(f"/cases/{case}/documents")
    titles = [words(key) for key in html.select("dt")]
    assert titles == ["passwd.pdf", "paper.pdf"]
    assert len(stored(folder)) == len(names)


def test_far_too_much_is_refused_before_it_is_read(coordinator, case, folder):
    answer = travel(coordinator, case, [("paper.pdf", bytes(40 * 1024 * 1024))])
    assert answer.status_code == 413
    said = words(check(answer.get_data(as_text=True)).main)
    assert "A document may have up to 25 MB." in said
    assert stored(folder) == []


def test_what_breaks_off_on_its_way_leaves_nothing(world, coordinator, case, folder):
    content = attachments.pdf(size=300_000)
    for length in (0, 200, 100_000, 250_000):
        answer = travel(coordinator, case, [("paper.pdf", content)], length=length)
        assert answer.status_code == 400
        assert stored(folder) == []
    assert count(world) == 0


def test_without_the_forms_protection_nothing_is_kept(world, coordinator, case, folder, signed_in):
    files = [("paper.pdf", attachments.pdf(size=200_000))]
    assert travel(coordinator, case, files, csrf_token="x").status_code == 400
    # Whoever may not add is refused before a byte is read.
    fields = {"compartment": "health"}
    for who, status in (("provider", 403), (None, 303)):
        client = signed_in(who).client if who else world.app.test_client()
        answer = client.post(
            f"/cases/{case}/documents/new",
            input_stream=io.BytesIO(body(fields, files)),
            content_type=TYPE,
        )
        assert answer.status_code == status
    assert count(world) == 0
    assert stored(folder) == []


def test_a_file_sent_where_none_is_asked_for_goes_nowhere(
    coordinator, case, folder, monkeypatch, tmp_path
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    files = [("paper.pdf", attachments.pdf(size=900_000))]
    answer = travel(coordinator, case, files, address="/cases/find", reference="nothing")
    assert answer.status_code in {404, 422}
    answer = travel(coordinator, case, [("a.pdf", bytes(2 * 1024 * 1024))], address="/cases/find")
    assert answer.status_code == 413
    assert stored(folder) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_case_that_is_not_there_takes_nothing(coordinator, case, folder):
    answer = travel(
        coordinator, case, [("paper.pdf", worlds.PDF)], address="/cases/7K4M-29QX-C/documents/new"
    )
    assert answer.status_code == 404
    assert stored(folder) == []


def test_a_form_that_is_sent_twice_adds_one_document(world, coordinator, case, folder):
    fields = {**hidden(coordinator, case), "form_id": str(uuid4())}
    for _time in range(3):
        answer = travel(coordinator, case, [("paper.pdf", worlds.PDF)], **fields)
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"/cases/{case}/documents"
    assert count(world) == 1
    assert len(stored(folder)) == 1


def test_a_document_that_was_removed_in_another_window_is_removed_once(world, coordinator, case):
    document = worlds.attach(world, case)
    address = f"/cases/{case}/documents/{document}/remove"
    coordinator.get(address)
    fields = hidden(coordinator, case)
    coordinator.post_raw(address, fields, status=303)
    coordinator.post_raw(address, fields, status=303)
    coordinator.post_raw(address, {**fields, "form_id": str(uuid4())}, status=404)
    assert len(entries(world, Action.DOCUMENT_REMOVE)) == 1


def test_a_damaged_document_is_not_shown(world, coordinator, case, folder):
    document = worlds.attach(world, case)
    [path] = folder.glob("??/*")
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    answer = coordinator.client.get(f"/cases/{case}/documents/{document}/file")
    assert answer.status_code == 503
    assert b"Practice" not in answer.data.replace(b"Practice copy", b"")
    path.unlink()
    assert coordinator.client.get(f"/cases/{case}/documents/{document}/file").status_code == 503


# Nothing of a document lies anywhere in clear.


@pytest.mark.databases("sqlite", "postgresql")
def test_no_word_of_a_document_lies_anywhere_in_clear(
    world, coordinator, case, tmp_path, monkeypatch
):
    """Looked at while the upload is being worked on, too: that is when a framework spools."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    places = {}
    look = documents.recognised

    def recognised(file):
        places.update(everywhere(world, tmp_path, f"during {len(places)}"))
        return look(file)

    monkeypatch.setattr(documents, "recognised", recognised)
    with haystacks.listening() as (own, others):
        uploads = [
            ("paper.pdf", attachments.pdf(MARKS["content"] + " ", size=600_000), 303),
            ("photo.jpg", attachments.photo(), 303),
            ("page.pdf", f"<html>{MARKS['refused']}".encode() + bytes(600_000), 422),
            (MARKS["name"], worlds.PDF, 303),
        ]
        for name, content, status in uploads:
            title = "" if name == MARKS["name"] else MARKS["title"]
            answer = travel(coordinator, case, [(name, content)], title=title)
            assert answer.status_code == status
            places |= everywhere(world, tmp_path, f"after {name[:5]}")
        shown = coordinator.get(f"/cases/{case}/documents")
        for link in shown.select("a[href$='/file']"):
            answer = coordinator.client.get(link["href"])
            places[f"headers {link['href']}"] = str(answer.headers).encode()
        places |= {"log": own.getvalue().encode(), "others": others.getvalue().encode()}
        places |= haystacks.of_details(world) | everywhere(world, tmp_path, "at the end")
    assert len(places) > 30
    assert haystacks.found(MARKS.values(), places) == []
    # The search finds what there is to find.
    said = {"page": words(shown.main).encode()}
    assert {value for value, _ in haystacks.found(MARKS.values(), said)} == {
        MARKS["title"],
        MARKS["name"],
    }


def everywhere(world, folder, when):
    """Read every file of the installation, or every table, and the folder of documents."""
    found = haystacks.of_the_database(world, folder)
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {f"{when}: {name}": content for name, content in (found | files).items()}


def test_an_upload_that_lasts_is_left_to_itself_by_the_sweep(world, case, folder):
    with world.app.app_context():
        file = worlds.incoming(world, worlds.PDF)
        assert document_files.sweep(folder) == 0
        new = documents.NewDocument("health", "Practice paper", "", file)
        documents.add(world.actor("coordinator"), case, new)
    assert count(world) == 1
