"""What pydantic found, in a sentence that says what to do and never quotes a value.

A value may be a secret somebody wrote where only its place belongs.
"""

from collections.abc import Collection
from difflib import get_close_matches

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from shared.policy.calendars import REGION
from shared.policy.enrichment import LABEL, WHAT
from shared.policy.local_times import ZONE
from shared.policy.names import LANGUAGE, NAME, PERSON
from shared.policy.siblings import siblings
from shared.policy.signatures import HEADER
from shared.policy.sources import AUTHSERV_ID, SERVICE_OR_LABEL
from shared.policy.surveys import VERSION

_MAPPING = "write a mapping here: {{a: 1}}"
_SENTENCES = {
    "missing": "missing: add it",
    "union_tag_not_found": "say what it is: {discriminator} is missing",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
    "value_error": "{error}",
    "literal_error": "write one of {expected}",
    "string_type": 'write text, in quotes where it looks like a number: "42"',
    "int_type": "write a whole number",
    "too_short": "write at least {min_length} here",
    "tuple_type": "write a list here: [a, b]",
    "mapping_type": _MAPPING,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
_FORMS = {
    NAME: "a name of letters, digits, - and _, at most 64",
    PERSON: "a person's id: letters, digits, . - and _, at most 128",
    LANGUAGE: "a language by its two letters, such as fr",
    ZONE: "a time zone such as Europe/Paris",
    REGION: "a country or a country and subdivision, such as FR or CA-QC",
    HEADER: "the name of a header: letters, digits and -, at most 64",
    VERSION: "a version: v1, v2 and so on",
    SERVICE_OR_LABEL: "the name of a service, or `labels.` and the name of a label",
    AUTHSERV_ID: "the name of your mail server, such as mx.example.org",
    WHAT: "`source`, `service`, or `labels.` and the name of a label",
    LABEL: "the name of a label: letters, digits, . - and _, at most 100",
}
_AS_DOCUMENTED = "it in the form that docs/reference/policy.md gives"


def explained(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Return the sentence for one finding of a validation of `model`."""
    if error["type"] == "extra_forbidden":
        *above, word = error["loc"]
        return f"no such field: {_near(str(word), siblings(model, above))}"
    if error["type"] == "string_pattern_mismatch":
        pattern = error["ctx"]["pattern"]
        return f"write {_FORMS.get(pattern, _AS_DOCUMENTED)}"
    if error["type"] in _SENTENCES:
        return _SENTENCES[error["type"]].format(**error.get("ctx", {}))
    return f"{error['msg'][0].lower()}{error['msg'][1:]}"


def _near(word: str, fields: Collection[str]) -> str:
    near = get_close_matches(word, sorted(fields), 1)
    return f"did you mean `{near[0]}`?" if near else "take it out"
