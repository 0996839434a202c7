"""Message templates for users, in French."""

from collections.abc import Mapping

from shared.i18n.notice_kinds import UserKind
from shared.i18n.template import Paragraph, Template

_PROMISED = (
    ("promises", "Voici ce que nous vous promettons :"),
    "{promises}",
    ("promises", "Ces durées comptent les heures d'ouverture de votre contrat."),
)
_STILL_PROMISED = (
    ("promises", "Ce que nous vous avons promis reste valable :"),
    "{promises}",
)
_KEPT_INFORMED = "Nous vous tenons au courant de chaque étape."
_NOT_SO = (
    "Si le problème persiste ou revient, répondez simplement à ce message : "
    "nous reprendrons aussitôt."
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
                "Pour nous répondre ou ajouter une précision, gardez la référence "
                f"[{reference}] dans l'objet de votre message, "
                "ou donnez-la au téléphone."
            ),
            "Le centre de services",
        ),
    )


TEMPLATES: Mapping[UserKind, Template] = {
    "receipt": _letter(
        "Nous avons bien reçu votre signalement : {title}",
        "Merci de nous avoir prévenus. Votre signalement « {title} » est enregistré "
        "sous la référence {incident}.",
        ("words", "Vous nous avez écrit ou dit :"),
        "{words}",
        ("taken", "Une personne s'en occupe déjà."),
        *_PROMISED,
        _KEPT_INFORMED,
    ),
    "receipt_attached": _letter(
        "Nous avons bien reçu votre message : {title}",
        "Merci de nous avoir prévenus. Cet incident nous était déjà signalé : nous "
        "avons ajouté votre message au dossier {incident}, « {title} ».",
        ("words", "Vous nous avez écrit ou dit :"),
        "{words}",
        ("taken", "Une personne s'en occupe déjà."),
        *_PROMISED,
        _KEPT_INFORMED,
    ),
    "receipt_unconfirmed": _letter(
        "Un signalement nous est parvenu à votre nom",
        "Un problème a été signalé au centre de services avec votre adresse. Le "
        "signalement est enregistré sous la référence {incident}.",
        "Nous n'en reprenons pas le texte, car rien ne prouve qui l'a envoyé.",
        "S'il vient bien de vous, vous n'avez rien à faire.",
        *_PROMISED,
        "S'il ne vient pas de vous, dites-le-nous en répondant à ce message.",
    ),
    "taken": _letter(
        "Une personne s'occupe de votre signalement : {title}",
        "Une personne du centre de services vient de prendre en charge votre "
        "signalement {incident}, « {title} ».",
        *_STILL_PROMISED,
        _KEPT_INFORMED,
    ),
    "escalated": _letter(
        "Nos spécialistes travaillent sur votre signalement : {title}",
        "Pour avancer plus vite, nous avons confié votre signalement {incident}, "
        "« {title} », à {to_level}.",
        "Le centre de services reste votre interlocuteur : vous n'avez rien à répéter.",
    ),
    "returned": _letter(
        "Qui s'occupe maintenant de votre signalement : {title}",
        "Votre signalement {incident}, « {title} », est revenu à {to_level}, qui en "
        "poursuivent le traitement.",
        "Le centre de services reste votre interlocuteur : vous n'avez rien à répéter.",
    ),
    "question": _letter(
        "Nous avons besoin de votre réponse : {title}",
        "Pour continuer à traiter votre signalement {incident}, « {title} », nous "
        "avons une question à vous poser :",
        "{question}",
        "Il suffit de répondre à ce message ; nous reprenons dès votre réponse.",
        (
            "clock_stands",
            "D'ici là, le délai de résolution que nous vous avons promis est suspendu.",
        ),
    ),
    "update": _letter(
        "Des nouvelles de votre signalement : {title}",
        "Voici où en est votre signalement {incident}, « {title} » :",
        "{message}",
    ),
    "workaround": _letter(
        "Une solution provisoire vous permet de continuer : {title}",
        "Une solution de contournement vous permet de continuer à travailler, pour "
        "votre signalement {incident}, « {title} ».",
        "{note}",
        "Nous continuons à chercher la solution définitive.",
        _NOT_SO,
    ),
    "restored": _letter(
        "Le service fonctionne de nouveau : {title}",
        "Le service fonctionne de nouveau, pour votre signalement {incident}, "
        "« {title} ».",
        "{note}",
        _NOT_SO,
    ),
    "resolved": _letter(
        "Incident résolu : {title}",
        "L'incident {incident}, « {title} », est résolu.",
        ("solution", "Ce que nous avons fait :"),
        "{solution}",
        "Sans réponse de votre part, nous le clôturerons le {closes_at}.",
        _NOT_SO,
        "Merci de votre patience.",
    ),
    "reopened": _letter(
        "Nous reprenons votre signalement : {title}",
        "Votre signalement {incident}, « {title} », n'était pas terminé : il est "
        "rouvert et nous y travaillons de nouveau.",
        *_PROMISED,
        _KEPT_INFORMED,
    ),
    "cancelled": _letter(
        "Votre signalement est clos sans suite : {title}",
        "Nous avons clos sans suite votre signalement {incident}, « {title} » : "
        "{reason}.",
        "{note}",
        "Si nous nous trompons, répondez simplement à ce message.",
    ),
    "merged": _letter(
        "Votre signalement est désormais suivi sous {into} : {title}",
        "Votre signalement {incident}, « {title} », concerne un incident que nous "
        "traitons déjà. Il est désormais suivi sous la référence {into}.",
        "Vous continuez à recevoir les nouvelles ; vous n'avez rien à faire.",
        reference="{into}",
    ),
    "problem_workaround": _letter(
        "Une solution provisoire est disponible : {title}",
        "Votre signalement {incident}, « {title} », vient d'une cause que nous avons "
        "identifiée ({problem}). En attendant qu'elle soit supprimée, voici comment "
        "faire :",
        "{workaround}",
        "Votre signalement reste ouvert et nous vous tenons au courant.",
    ),
    "extension": _letter(
        "Nous accordez-vous plus de temps ? {title}",
        "Pour votre signalement {incident}, « {title} », nous ne pourrons pas tenir le "
        "délai que nous vous avons promis. Voici pourquoi :",
        "{why}",
        "Nous vous l'avions promis pour le {was_due_at}.",
        "Nous vous demandons d'accepter plutôt cette échéance : le {new_due_at}.",
        "Que vous l'acceptiez ou non, dites-le-nous avant le {answer_by} : il suffit "
        "de répondre à ce message. Sans votre accord, ce que nous vous avons promis "
        "ne change pas.",
        "Ou répondez ici, sans mot de passe : {url}",
    ),
    "agreed": _letter(
        "Vous avez accepté un délai plus long : {title}",
        "Vous avez accepté que votre signalement {incident}, « {title} », prenne "
        "jusqu'au {due_at}.",
        "Auparavant, nous vous l'avions promis pour le {was_due_at}.",
        ("evidence", "Voici ce que nous avons noté :"),
        "{evidence}",
        "Si ce n'est pas exact, répondez simplement à ce message : nous rectifierons.",
    ),
}
