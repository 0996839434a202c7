"""Message templates for users, in English."""

from collections.abc import Mapping

from shared.i18n.notice_kinds import UserKind
from shared.i18n.template import Paragraph, Template

_PROMISED = (
    ("promises", "This is what we promise you:"),
    "{promises}",
    ("promises", "These times count the hours that your contract covers."),
)
_STILL_PROMISED = (
    ("promises", "What we promised you still holds:"),
    "{promises}",
)
_KEPT_INFORMED = "We will keep you informed at every step."
_NOT_SO = (
    "If the trouble goes on or comes back, just answer this message: we will take it "
    "up again at once."
)


def _letter(
    subject: str, *paragraphs: Paragraph, reference: str = "{incident}"
) -> Template:
    return Template(
        subject,
        (
            "{greeting}",
            *paragraphs,
            (
                "To answer or to add something, keep the reference "
                f"[{reference}] in the subject of your message, "
                "or give it on the phone."
            ),
            "The service desk",
        ),
    )


TEMPLATES: Mapping[UserKind, Template] = {
    "receipt": _letter(
        "We have received your report: {title}",
        "Thank you for telling us. Your report “{title}” is on record under the "
        "reference {incident}.",
        ("words", "You wrote or told us:"),
        "{words}",
        ("taken", "A person is working on it already."),
        *_PROMISED,
        _KEPT_INFORMED,
    ),
    "receipt_attached": _letter(
        "We have received your message: {title}",
        "Thank you for telling us. We knew of this incident already: your message has "
        "been added to {incident}, “{title}”.",
        ("words", "You wrote or told us:"),
        "{words}",
        ("taken", "A person is working on it already."),
        *_PROMISED,
        _KEPT_INFORMED,
    ),
    "receipt_unconfirmed": _letter(
        "A report reached us in your name",
        "Somebody reported a problem to the service desk and gave this address. The "
        "report is on record under the reference {incident}.",
        "We do not repeat it here, because nothing proves who sent it.",
        "If it was you, there is nothing for you to do.",
        *_PROMISED,
        "If it was not you, answer this message and say so.",
    ),
    "taken": _letter(
        "Somebody is working on your report: {title}",
        "A person at the service desk has just taken on your report {incident}, "
        "“{title}”.",
        *_STILL_PROMISED,
        _KEPT_INFORMED,
    ),
    "escalated": _letter(
        "Our specialists are working on your report: {title}",
        "To get on faster, we have passed your report {incident}, “{title}”, to "
        "{to_level}.",
        "The service desk stays your contact: you need not repeat anything.",
    ),
    "returned": _letter(
        "Who is working on your report now: {title}",
        "Your report {incident}, “{title}”, is back with {to_level}, who go on working "
        "on it.",
        "The service desk stays your contact: you need not repeat anything.",
    ),
    "question": _letter(
        "We need your answer: {title}",
        "To go on with your report {incident}, “{title}”, we have a question for you:",
        "{question}",
        "Just answer this message; we go on as soon as you do.",
        (
            "clock_stands",
            "Until then, the time to resolve that we promised you is suspended.",
        ),
    ),
    "update": _letter(
        "News of your report: {title}",
        "This is how your report {incident}, “{title}”, stands:",
        "{message}",
    ),
    "workaround": _letter(
        "You can go on for now: {title}",
        "A workaround lets you go on working, for your report {incident}, “{title}”.",
        "{note}",
        "We go on looking for the lasting solution.",
        _NOT_SO,
    ),
    "restored": _letter(
        "The service works again: {title}",
        "The service works again, for your report {incident}, “{title}”.",
        "{note}",
        _NOT_SO,
    ),
    "resolved": _letter(
        "Your report is resolved: {title}",
        "Your report {incident}, “{title}”, is resolved.",
        ("solution", "What we did:"),
        "{solution}",
        "Unless you answer, we will close it on {closes_at}.",
        _NOT_SO,
        "Thank you for your patience.",
    ),
    "reopened": _letter(
        "We are taking up your report again: {title}",
        "Your report {incident}, “{title}”, was not finished: it is open again and we "
        "are working on it.",
        *_PROMISED,
        _KEPT_INFORMED,
    ),
    "cancelled": _letter(
        "Your report is closed without action: {title}",
        "We have closed your report {incident}, “{title}”, without action: {reason}.",
        "{note}",
        "If we are wrong, just answer this message.",
    ),
    "merged": _letter(
        "Your report is now followed under {into}: {title}",
        "Your report {incident}, “{title}”, is about an incident that we are working "
        "on already. It is now followed under the reference {into}.",
        "You will go on hearing from us; there is nothing for you to do.",
        reference="{into}",
    ),
    "problem_workaround": _letter(
        "There is a workaround: {title}",
        "Your report {incident}, “{title}”, has a cause that we have identified "
        "({problem}). Until it is removed, this is what to do:",
        "{workaround}",
        "Your report stays open and we will keep you informed.",
    ),
    "extension": _letter(
        "May we take longer? {title}",
        "For your report {incident}, “{title}”, we cannot hold the time that we "
        "promised you. This is why:",
        "{why}",
        "We had promised it by {was_due_at}.",
        "We ask you to agree to this instead: {new_due_at}.",
        "Whether you agree or not, please tell us by {answer_by}: just answer this "
        "message. Until you agree, what we promised you stays as it is.",
        "Or answer here, without a password: {url}",
    ),
    "agreed": _letter(
        "You agreed to a longer delay: {title}",
        "You agreed that your report {incident}, “{title}”, may take until {due_at}.",
        "Before, we had promised it by {was_due_at}.",
        ("evidence", "This is what we took down:"),
        "{evidence}",
        "If that is not so, just answer this message: we will put it right.",
    ),
}
