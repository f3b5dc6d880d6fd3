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
