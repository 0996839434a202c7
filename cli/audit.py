"""`permanence audit`: proof that the log holds what was recorded, and rights agree."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.directory.addresses import compare_or_record
from cli.shell.desk import HOME, Database, DeskAddress, Home, Lever, VaultKey
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from services.intake.directory.address_audit import AddressesCompared
from services.projections.audit.verifications import Verification, keep, may_keep
from services.projections.audit.verify import (
    Read,
    Verified,
    parse_checkpoint,
    read_all,
    read_checkpoint,
    verify,
    write_checkpoint,
    written,
)
from services.projections.audit.walk import BEGINNING, Checkpoint
from shared.clock import real_clock
from shared.eventlog.log import EventLog
from shared.security.grants.check import Compared, compare

From = Annotated[
    str | None,
    typer.Option(
        "--from", help="Begin after this checkpoint, as an earlier run said it."
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Begin after the checkpoint in this file, if there is one; renew it.",
    ),
]

Record = Annotated[
    bool,
    typer.Option(
        "--record",
        help="Record what the directory has now where the log has nothing: once, "
        "after the upgrade to the version that compares addresses.",
    ),
]

app = typer.Typer()
audit = typer.Typer(
    help="Prove the log, and that people have the rights in it.", no_args_is_help=True
)
app.add_typer(audit, name="audit")


@audit.command("verify")
def verify_command(
    start: From = None,
    file: File = None,
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Verify the hash chain from the first event: nothing was changed since.

    Finds events that were changed, deleted, moved or inserted, and reports the first
    such position. It compares with what every reader remembers. With a checkpoint, only
    later events are read; a checkpoint that the log does not contain is a finding. The
    file is renewed if the chain is intact. Then the documents and attached files that
    events name are compared with their hashes. The result is shown on the page of
    auditors, unless the role only reads. Exit codes: 0 intact, 1 not, 2 not a
    checkpoint, 3 the database is unavailable.
    """
    checkpoint = _checkpoint(start, file)
    with (
        DeskAddress(database, home).log() as log,
        bar({"walk": "walking the chain"}) as report,
    ):
        verified = verify(log, partial(report, "walk"), checkpoint)
        _keep(log, verified)
    reached = Checkpoint(verified.position, bytes.fromhex(verified.chain))
    if file is not None and verified.finding is None and verified.position:
        try:
            write_checkpoint(file, reached)
        except OSError as error:
            sentence = f"the log is whole, but {file} cannot be written: {error}"
            raise refused(sentence, Exit.INVALID) from error
    plain = {"ok": verified.finding is None, **asdict(verified)}
    if verified.finding is None and verified.position:
        plain["checkpoint"] = written(reached)
    answer(plain, _sentence(verified, reached))
    if verified.finding is not None:
        raise typer.Exit(Exit.DIFFERS)


@audit.command("rights")
def rights_command(
    database: Database = None, home: Home = HOME, as_json: AsJson = False
) -> None:
    """Compare the rights that the desk checks with those that the log gives.

    The desk checks rights in tables, which it writes with each event about a person.
    Names each right that was added, removed or changed in the database, with its limits
    and who gave it. Exit codes: 0 they agree, 1 not, 3 the database is unavailable.
    """
    with DeskAddress(database, home).log() as log:
        compared = compare(log)
    answer({"ok": not compared.differences, **asdict(compared)}, *_compared(compared))
    if compared.differences:
        raise typer.Exit(Exit.DIFFERS)


@audit.command("addresses")
def addresses_command(  # its options
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    record: Record = False,
    lever: Lever = None,
    as_json: AsJson = False,
) -> None:
    """Compare people's addresses in the directory with what the log recorded of them.

    Each change of a mail address, a telephone number or a contact method is recorded
    with a fingerprint that takes the vault's key. Names the people whose address was
    changed in the database only: nothing is sent there. Exit codes: 0 they agree, 1
    not, 2 an option is wrong, 3 the database is unavailable.
    """
    desk = DeskAddress(database, home, lever)
    compared = compare_or_record(desk, vault_key, record=record)
    if isinstance(compared, int):
        answer({"recorded": compared}, f"{_addresses(compared)} recorded.")
        return
    plain = {"ok": not compared.differences, **asdict(compared)}
    answer(plain, *_compared_addresses(compared))
    if compared.differences:
        raise typer.Exit(Exit.DIFFERS)


@audit.command("readable")
def readable_command(
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Read every event of the log, and name those that cannot be read.

    Such events are of a later version or damaged, or their key is missing. What was
    forgotten counts as read. Without the vault's key, sealed words are not tried. Exit
    codes: 0 all can be read, 1 not, 3 the database is unavailable.
    """
    desk = DeskAddress(database, home)
    desk.url()
    with (
        desk.log(desk.master(vault_key)) as log,
        bar({"read": "reading the log"}) as report,
    ):
        found = read_all(log, partial(report, "read"))
    answer({"ok": not found.count, **asdict(found)}, *_readable(found))
    if found.count:
        raise typer.Exit(Exit.DIFFERS)


def _keep(log: EventLog, verified: Verified) -> None:
    """Record the verification for the page of auditors, where this role may write."""
    finding = verified.finding
    verification = Verification(
        real_clock(),
        None,
        verified.since,
        verified.position,
        bytes.fromhex(verified.chain),
        finding.sentence if finding else None,
        finding.position if finding else None,
    )
    with log.transaction() as cursor:
        if may_keep(cursor):
            keep(cursor, verification)


def _readable(found: Read) -> list[str]:
    if not found.count:
        return [f"All of {counted(found.events, 'event')} can be read."]
    named = [
        f"{each.position}: {each.type} in {each.stream}: {each.why}"
        for each in found.unreadable
    ]
    more = found.count - len(named)
    rest = [f"and {counted(more, 'event')} more"] if more else []
    cannot = counted(found.count, "event")
    advice = (
        f"{cannot} cannot be read, {found.events} can. If a later version wrote them, "
        "upgrade this one; if a key is missing, restore vault.keys and the file of "
        "the master key from a backup."
    )
    return [*named, *rest, advice]


def _compared(compared: Compared) -> list[str]:
    if not compared.differences:
        people = counted(compared.people, "stream")
        return [f"The rights are those in the log: {people} of people compared."]
    number = counted(len(compared.differences), "difference")
    advice = (
        f"{number}. Find out who can write to the database, then run `permanence "
        "restored --rights`: it writes the tables again from the log."
    )
    return [*(each.sentence for each in compared.differences), advice]


def _addresses(number: int) -> str:
    return "1 address" if number == 1 else f"{number} addresses"


def _compared_addresses(compared: AddressesCompared) -> list[str]:
    unknown = (
        [f"{_addresses(compared.unknown)} not recorded, or forgotten."]
        if compared.unknown
        else []
    )
    if not compared.differences:
        number = _addresses(compared.addresses - compared.unknown)
        return [f"The addresses are those in the log: {number} compared.", *unknown]
    number = counted(len(compared.differences), "difference")
    advice = (
        f"{number}. Nothing is sent to these addresses. Find out who can write to the "
        "database, change that password, then correct each entry: `permanence people "
        "correct`. A person removes and adds a contact method themselves."
    )
    return [*(each.sentence for each in compared.differences), *unknown, advice]


def _checkpoint(start: str | None, file: Path | None) -> Checkpoint:
    if start is not None and file is not None:
        raise refused("give --from or --checkpoint, not both", Exit.INVALID)
    try:
        if start is not None:
            return parse_checkpoint(start)
        return (read_checkpoint(file) if file else None) or BEGINNING
    except ValueError as error:
        raise refused(str(error), Exit.INVALID) from error


def _sentence(verified: Verified, reached: Checkpoint) -> str:
    if verified.finding is not None:
        return verified.finding.sentence
    remembered = ", and as the readers remember" if verified.anchors else ""
    after = f" after {verified.since}" if verified.since else ""
    counts = ((verified.documents, "document"), (verified.files, "file"))
    named = " and ".join(counted(number, what) for number, what in counts if number)
    documents = f", and {named} as named" if named else ""
    checkpoint = f"; checkpoint {written(reached)}" if verified.position else ""
    return (
        f"The chain is whole: {counted(verified.events, 'event')}{after}, each as it "
        f"was recorded{remembered}{documents}; the last hash is "
        f"{verified.chain}{checkpoint}"
    )
