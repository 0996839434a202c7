"""The headers by which monitoring systems tell what their body does not.

The API passes them on and adapters read them. No other goes that far: some hold keys.
"""

FOREIGN_HEADERS = (
    "content-type",
    "sentry-hook-resource",
    "sentry-hook-timestamp",
    "x-amz-sns-message-id",
    "x-amz-sns-topic-arn",
)
"""Names in lower case."""
FOREIGN_PREFIXES = ("ce-",)
"""How the names of further ones begin: a CloudEvent has any number of attributes."""
