"""A bar beats every grant: whoever is kept out of a case finds no trace of it, and is not told."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import (
    ConflictError,
    InvalidInputError,
    MechanismError,
    NotFoundError,
    RefusedError,
)
from nrm.domain.lifecycle import Assistance, ReferralState
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Bar, Case, HandOver, Notice, Referral
from nrm.services import (
    bars,
    casefile,
    erasure,
    glass,
    identification,
    log_export,
    log_search,
    notices,
    provision,
    referral,
    search,
    sightings,
    signs,
    vault,
    visibility,
)
from nrm.services.audit import record
from tests import ledger as ledgers
from tests import world as worlds
from tests.services.test_races import meet
from tests.world import SERVICE

NOBODYS = "7K4M-29QX-C"


def the(model, reference):
    db.session.rollback()
    return db.session.scalars(select(model).where(model.reference == reference)).one()


def owned(reference, account_id):
    """Let somebody look after a case, as taking it would."""
    with unit_of_work() as unit:
        the_case = db.session.scalars(select(Case).where(Case.reference == reference)).one()
        the_case.owner_id = account_id
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)


# Placing and lifting.


def test_nobody_keeps_themselves_out_nor_their_own_organisation(world):
    reference = worlds.flag(world)
    me = world.actor("coordinator")
    for whom in (bars.Whom(account_id=me.id), bars.Whom(organisation_id=me.organisation_id)):
        with ledgers.nothing_changes(), pytest.raises(InvalidInputError) as refused:
            bars.place(me, reference, whom, "other", "Practice.", pack=world.pack)
        assert refused.value.field == "whom"


@pytest.mark.parametrize(
    ("whom", "reason", "field"),
    [
        (lambda _world: bars.Whom(), "other", "whom"),
        (lambda world: bars.Whom(account_id=world.organisations["lakes"]), "other", "whom"),
        (lambda world: bars.Whom(account_id=world.accounts["provider"]), "gossip", "reason"),
    ],
)
def test_a_bar_names_somebody_and_a_reason(world, whom, reason, field):
    reference = worlds.flag(world)
    actor = world.actor("coordinator")
    with ledgers.nothing_changes(), pytest.raises(InvalidInputError) as refused:
        bars.place(actor, reference, whom(world), reason, "Practice.", pack=world.pack)
    assert refused.value.field == field


def test_somebody_is_kept_out_once_and_let_in_once(world):
    reference = worlds.flag(world)
    bar_id = worlds.kept_out(world, reference, "provider")
    with ledgers.nothing_changes(), pytest.raises(ConflictError):
        worlds.kept_out(world, reference, "provider", by="second_coordinator")
    worlds.let_in(world, reference, bar_id)
    with ledgers.nothing_changes(), pytest.raises(ConflictError):
        worlds.let_in(world, reference, bar_id)
    worlds.kept_out(world, reference, "provider")
    kept = bars.page(world.actor("coordinator"), reference).kept_out
    assert [one.bar.lifted_at is None for one in kept] == [True, False]
    assert {one.whom for one in kept} == {world.person_name("provider")}


def test_a_bar_is_of_its_own_case_alone(world):
    reference, other = worlds.flag(world), worlds.flag(world)
    bar_id = worlds.kept_out(world, reference, "provider")
    with ledgers.nothing_changes(), pytest.raises(NotFoundError):
        worlds.let_in(world, other, bar_id)


def test_whoever_is_let_in_again_has_what_their_role_has(world):
    reference = worlds.flag(world)
    bar_id = worlds.kept_out(world, reference, "second_coordinator")
    with pytest.raises(NotFoundError):
        casefile.overview(world.actor("second_coordinator"), reference, {})
    worlds.let_in(world, reference, bar_id)
    assert casefile.overview(world.actor("second_coordinator"), reference, {}).file.case


# What an organisation loses with it.


@pytest.mark.parametrize(
    ("made", "becomes"),
    [(worlds.referred, ReferralState.WITHDRAWN), (worlds.accepted, ReferralState.ENDED)],
)
def test_an_organisation_that_has_a_referral_loses_it_in_the_same_act(world, made, becomes):
    case, sent = made(world)
    book = ledgers.Ledger()
    worlds.kept_out(world, case, "lakes")
    assert book.only().action == "bar:place"
    assert the(Referral, sent).state is becomes
    assert the(Referral, sent).ended_at is not None
    assert the(Case, case).assistance is Assistance.NEEDS_RECORDED
    provider = world.actor("provider")
    for act in (provision.read, provision.ending, provision.working_on, glass.at_referral):
        with pytest.raises(NotFoundError):
            act(provider, sent)
    with pytest.raises(NotFoundError):
        provision.accept(provider, sent, world.pack)
    assert provision.closed(provider).rows == []


def test_a_provider_that_is_kept_out_is_offered_no_more_and_cannot_be_sent_to(world):
    reference = worlds.consented(world)
    coordinator = world.actor("coordinator")

    def offered():
        found = referral.choose(coordinator, reference, SERVICE, world.pack).candidates
        return {one.entry.listing.organisation_id for one in found}

    assert world.organisations["lakes"] in offered()
    worlds.kept_out(world, reference, "lakes")
    assert world.organisations["lakes"] not in offered()
    assert offered()
    with ledgers.nothing_changes(), pytest.raises(RefusedError, match="kept out"):
        referral.send(
            coordinator,
            reference,
            SERVICE,
            world.organisations["lakes"],
            referral.Words(),
            version=worlds.version(world, reference),
            pack=world.pack,
        )


def test_a_person_who_is_kept_out_leaves_their_organisation_its_referral(world):
    case, sent = worlds.accepted(world)
    worlds.kept_out(world, case, "provider")
    assert the(Referral, sent).state is ReferralState.ACCEPTED
    with pytest.raises(NotFoundError):
        provision.read(world.actor("provider"), sent)
    assert provision.read(world.actor("colleague"), sent).referral


def test_whoever_looked_after_the_case_does_so_no_more(world):
    reference = worlds.flag(world)
    account = world.accounts["second_coordinator"]
    owned(reference, account)
    with unit_of_work() as unit:
        offer = HandOver(
            case_id=the(Case, reference).id,
            state="offered",
            offered_by_id=world.accounts["coordinator"],
            offered_at=datetime.now(UTC),
            to_account_id=account,
        )
        db.session.add(offer)
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)
    worlds.kept_out(world, reference, "second_coordinator")
    kept = the(Case, reference)
    # It is marked like a case that somebody left: somebody had it, and nobody has now.
    assert (kept.owner_id, kept.left_by_id) == (None, account)
    assert db.session.scalars(select(HandOver.state)).one() == "retracted"


# What a bar hides.


def test_for_whoever_is_kept_out_the_case_was_never_there(world):
    """Every role, every list and every search; an emergency and a bar that comes later as well."""
    case, sent = worlds.served(world)
    coordinator = world.actor("coordinator")
    worlds.opened_in_emergency(world, case, "second_coordinator")
    worlds.opened_in_emergency(world, case, "first_responder")
    case_id = the(Case, case).id
    for name in ("second_coordinator", "first_responder", "auditor", "provider"):
        worlds.kept_out(world, case, name)
    second, responder = world.actor("second_coordinator"), world.actor("first_responder")
    assert [row.case.reference for row in casefile.worklist(second, casefile.Queue.ALL).rows] == []
    assert search.find(second, "Practice Person", "", world.pack).matches == []
    assert search.find(coordinator, "Practice Person", "", world.pack).matches
    assert identification.my_flags(responder).flags == []
    assert provision.inbox(world.actor("provider"), ReferralState.ACCEPTED).rows == []
    for who in (second, responder):
        with pytest.raises(NotFoundError):
            glass.at_case(who, case)
        with pytest.raises(NotFoundError):
            glass.break_case(who, case, "danger_to_life", "Practice.")
    with pytest.raises(NotFoundError):
        glass.break_referral(world.actor("provider"), sent, "danger_to_life", "Practice.")
    with pytest.raises(NotFoundError):
        bars.page(second, case)
    assert notices.waiting(world.actor("auditor")) == []
    assert case_id not in {
        told.notice.case_id for told in notices.waiting(world.actor("second_coordinator"))
    }


def test_the_log_of_an_auditor_who_is_kept_out_lacks_the_case(world):
    case, sent = worlds.served(world)
    other = worlds.flag(world)
    case_id = the(Case, case).id
    auditor = world.actor("auditor")
    erased, _ = worlds.closed(world)
    asked = erasure.ask(world.actor("coordinator"), erased, "duplicate")
    mentioned = log_search.search(auditor, log_search.Search(case_reference=case)).lines
    monday = datetime.now(UTC).date() - timedelta(days=datetime.now(UTC).weekday())
    zone = world.pack.zone

    def files_of_the_week():
        found = signs.of_week(auditor, monday, zone)
        return sum(sign.number for sign in found.unusual_hours)

    whole_week = files_of_the_week()
    worlds.kept_out(world, case, "auditor")
    worlds.kept_out(world, erased, "auditor")

    found = log_search.search(auditor, log_search.Search()).lines
    assert found
    assert case_id not in {line.entry.case_id for line in found}
    for asked_for in ({"case_reference": case}, {"referral_reference": sent}):
        assert log_search.search(auditor, log_search.Search(**asked_for)).lines == []
    for line in mentioned:
        with pytest.raises(NotFoundError):
            log_search.entry(auditor, line.entry.id)
    taken = "".join(log_export.take_out(auditor, log_search.Search()))
    assert not {case, sent, str(case_id)} & set(taken.replace('"', ",").split(","))
    assert other in taken
    with pytest.raises(InvalidInputError) as of_the_case:
        sightings.of_file(auditor, case)
    with pytest.raises(InvalidInputError) as of_none:
        sightings.of_file(auditor, NOBODYS)
    assert vars(of_the_case.value) == vars(of_none.value)
    begin, end = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    for name in ("coordinator", "provider"):
        saw = sightings.of_account(auditor, world.accounts[name], begin, end)
        assert case not in {file.reference for file in saw.files}
    with pytest.raises(NotFoundError):
        erasure.read(auditor, asked)
    hidden_week = files_of_the_week()
    assert hidden_week <= whole_week


def test_the_vault_itself_refuses_whoever_is_kept_out(world):
    """Were a page to forget its question, nothing would open."""
    reference = worlds.flag(world)
    worlds.kept_out(world, reference, "coordinator", by="second_coordinator")
    record_of_it = the(Case, reference)
    standing = visibility.case_standing(record_of_it)
    with pytest.raises(RefusedError), unit_of_work() as unit:
        vault.open_compartments(
            unit, world.actor("coordinator"), record_of_it.id, {"identity": standing}
        )


def test_nobody_is_told_that_they_are_kept_out(world):
    case, _ = worlds.accepted(world)
    for name in ("lakes", "auditor", "second_coordinator"):
        worlds.kept_out(world, case, name)
    assert db.session.scalars(select(Notice.id)).all() == []


# Two at once.


@pytest.mark.parametrize("round_", range(5))
def test_a_referral_is_never_accepted_by_an_organisation_that_is_being_kept_out(
    world, round_, counted
):
    """One comes before the other: accepted and then ended, or taken back and then not there."""
    case, sent = worlds.referred(world)
    outcomes = meet_with(
        world,
        lambda: provision.accept(world.actor("provider"), sent, world.pack),
        lambda: worlds.kept_out(world, case, "lakes"),
    )
    state = the(Referral, sent).state
    assert not isinstance(outcomes[1], list)
    if isinstance(outcomes[0], list):
        # Whoever came second was not even told that there was something to accept.
        assert isinstance(outcomes[0][0], NotFoundError)
        assert state is ReferralState.WITHDRAWN
    else:
        assert state is ReferralState.ENDED
    assert the(Case, case).assistance is Assistance.NEEDS_RECORDED
    counted(f"round {round_ + 1}: {state}")


def test_two_who_keep_the_same_out_at_once_place_one_bar(world):
    reference = worlds.flag(world)
    outcomes = meet_with(
        world,
        *(
            lambda by=by: worlds.kept_out(world, reference, "hills", by=by)
            for by in ("coordinator", "second_coordinator")
        ),
    )
    [refusal] = [outcome[0] for outcome in outcomes if isinstance(outcome, list)]
    assert isinstance(refusal, ConflictError)
    assert len(db.session.scalars(select(Bar.id)).all()) == 1


def meet_with(world, *acts):
    """Let them meet; a refusal of any kind is an answer here, in a list of its own."""

    def answered(act):
        def run():
            try:
                return act()
            except MechanismError as error:
                return [error]

        return run

    return meet(world, *map(answered, acts))
