import signal
import sqlite3


def states(instance):
    with sqlite3.connect(instance / "nrm.sqlite3") as database:
        return dict(database.execute("SELECT state, count(*) FROM referral GROUP BY state"))


def make_one_late(instance):
    with sqlite3.connect(instance / "nrm.sqlite3") as database:
        database.execute(
            "UPDATE referral SET answer_due_at = sent_at WHERE id = "
            "(SELECT id FROM referral WHERE state = 'sent' ORDER BY answer_due_at DESC LIMIT 1)"
        )


def test_tick_takes_back_a_referral_that_nobody_answered(nrm, practice_instance):
    before = states(practice_instance)
    make_one_late(practice_instance)
    done = nrm("tick")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Housekeeping: 1 unanswered referrals taken back")
    after = states(practice_instance)
    assert after["expired"] == before["expired"] + 1
    assert after["sent"] == before["sent"] - 1


def test_tick_goes_on_after_a_round_that_failed(start, practice_instance):
    with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
        database.execute("ALTER TABLE form_receipt RENAME TO away")
    process = start("tick", "--every", "1")
    failed = process.stdout.readline()
    assert failed == "nrm: a round of housekeeping failed (OperationalError)\n"
    with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
        database.execute("ALTER TABLE away RENAME TO form_receipt")
    make_one_late(practice_instance)
    told = process.stdout.readline()
    while told == failed:
        told = process.stdout.readline()
    assert told.startswith("Housekeeping: 1 unanswered referrals taken back")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0


def test_tick_closes_what_was_begun_long_ago_and_never_finished(nrm, practice_instance):
    with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
        database.execute(
            "INSERT INTO departure (entry_id, action, begun_at)"
            " SELECT id, 'audit:export', '2026-01-05 08:00:00.000000' FROM audit_entry LIMIT 1"
        )
    told = "1 files or messages given up, not known to have left"
    assert told in nrm("tick").stdout
    assert told not in nrm("tick").stdout
    with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
        closed = database.execute(
            "SELECT outcome, purpose FROM audit_entry WHERE action = 'audit:export'"
        ).fetchall()
    assert closed == [("failed", "unknown")]


def signer_of(instance):
    return str(instance / "keys" / "signer.key")


def signed(instance):
    with sqlite3.connect(instance / "nrm.sqlite3") as database:
        return [size for (size,) in database.execute("SELECT size FROM audit_checkpoint")]


def test_the_signer_puts_the_log_into_its_tree_and_signs_it(nrm, practice_instance):
    with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
        ((entries,),) = database.execute("SELECT count(*) FROM audit_entry")
    done = nrm("tick", NRM_KEY_FILE=signer_of(practice_instance))
    assert done.stdout == (
        f"Log: {entries} entries put into the tree, a checkpoint of {entries} entries signed.\n"
    ), done.stderr
    again = nrm("tick", NRM_KEY_FILE=signer_of(practice_instance))
    assert again.stdout == "Log: 0 entries put into the tree, nothing new to sign.\n"
    assert signed(practice_instance) == [entries]
    (file,) = (practice_instance / "checkpoints").iterdir()
    assert f"\n{entries}\n" in file.read_text()


def test_checkpoints_go_to_the_place_that_the_setting_names(nrm, practice_instance, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    nrm("tick", NRM_KEY_FILE=signer_of(practice_instance), NRM_CHECKPOINTS=str(elsewhere))
    assert [file.suffix for file in elsewhere.iterdir()] == [".checkpoint"]
    assert not (practice_instance / "checkpoints").exists()


def test_the_signer_signs_no_other_log_than_the_one_it_signed_before(
    nrm, refusal, practice_instance
):
    nrm("tick", NRM_KEY_FILE=signer_of(practice_instance))
    with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
        for trigger in ("audit_tile_no_delete", "audit_checkpoint_no_delete"):
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("DELETE FROM audit_tile")
        database.execute("DELETE FROM audit_checkpoint")
    line = refusal("tick", NRM_KEY_FILE=signer_of(practice_instance))
    assert "the log has 0 entries in its tree" in line
    assert line.endswith("nothing is signed\n")
    assert signed(practice_instance) == []


def test_a_second_place_that_cannot_be_read_stops_the_signing(nrm, refusal, practice_instance):
    nrm("tick", NRM_KEY_FILE=signer_of(practice_instance))
    (file,) = (practice_instance / "checkpoints").iterdir()
    file.write_text("nothing of the kind\n")
    line = refusal("tick", NRM_KEY_FILE=signer_of(practice_instance))
    damaged = f"nrm: {file.name} in the second place is damaged: "
    assert line == f"{damaged}this is no checkpoint of a log\n"


def test_a_signer_without_its_key_file_says_so(refusal, practice_instance):
    (practice_instance / "keys" / "signer.key").unlink()
    line = refusal("tick", NRM_KEY_FILE=signer_of(practice_instance))
    assert "signer.key" in line


def test_the_key_of_the_statistics_is_for_releases_alone(nrm, practice_instance):
    key = str(practice_instance / "keys" / "statistics.key")
    done = nrm("tick", NRM_KEY_FILE=key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Statistics: 0 releases counted, 0 put off for want of cases, 0 frozen.\n"
    )


def test_a_mail_server_that_is_not_there_is_named_and_stops_nothing_else(
    refusal, practice_instance, free_port
):
    line = refusal(
        "tick",
        NRM_KEY_FILE=signer_of(practice_instance),
        NRM_MAIL=f"smtp://127.0.0.1:{free_port}",
        NRM_CHECKPOINT_EMAIL="keeper@practice.example",
    )
    assert line == "nrm: the mail server did not take it (ConnectionRefusedError)\n"
    assert len(signed(practice_instance)) == 1
