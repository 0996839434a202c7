"""Every limit of the API, by name."""

FORWARDED_BYTES_MAX = 512 * 1024
MAIL_BYTES_MAX = 10 * 1024 * 1024
FORWARD_SECONDS_MAX = 30.0
FORWARDED_AT_ONCE_MAX = 100

PAGE_DEFAULT = 50
PAGE_MAX = 500
LOG_PAGE_MAX = 1_000
LOG_SCANNED_MAX = 20_000
"""How many events one look for certain types may pass over."""
STREAMS_MAX = 100
"""How many may listen to the log at once."""
STREAMS_A_TOKEN_MAX = 5
"""How many of them by one token."""
STREAM_CHECK_SECONDS = 2.0
"""How often a stream looks whether its token still lives, and tells its position."""
STREAM_RETRY_SECONDS = 5
NAME_MAX = 128
POSITION_MAX = 2**63 - 1

YEARS = range(2000, 2200)
"""The years a question may be about: hours are counted one by one up to its instant."""
WAIT_SECONDS_MAX = 5.0
"""How long `?min_position=` waits for the read model."""
WAITING_MAX = 200
"""How many requests may wait for a thread; more are told to come again."""
COMMAND_SECONDS_MAX = 10.0
"""How long the owner of a stream may take to answer a command."""
COMMAND_ATTEMPT_SECONDS = 2.0
"""How long an answer may take before the command is sent to another process too."""
COMMAND_ATTEMPTS_MAX = 5
"""How often a command is sent in all."""
RETRY_SECONDS = 1
