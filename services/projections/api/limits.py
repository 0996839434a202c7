"""Every limit of the API, by name."""

FORWARDED_BYTES_MAX = 512 * 1024
MAIL_BYTES_MAX = 10 * 1024 * 1024
FORWARD_SECONDS_MAX = 30.0
FORWARDED_AT_ONCE_MAX = 100

PAGE_DEFAULT = 50
PAGE_MAX = 500
LOG_PAGE_MAX = 1_000
LOG_SCANNED_MAX = 20_000
"""The maximum number of events that one search by type scans."""
STREAMS_MAX = 100
"""The maximum number of concurrent streams."""
STREAMS_A_TOKEN_MAX = 5
"""The maximum number of concurrent streams for one token."""
STREAM_CHECK_SECONDS = 2.0
"""How often a stream checks that its token is still valid and sends its position."""
STREAM_RETRY_SECONDS = 5
NAME_MAX = 128
POSITION_MAX = 2**63 - 1

YEARS = range(2000, 2200)
"""The years a request may name: working hours are counted one by one up to them."""
WAIT_SECONDS_MAX = 5.0
"""How long `?min_position=` waits for the read model."""
WAITING_MAX = 200
"""How many requests may wait for a thread; further ones are refused with a 429."""
COMMAND_SECONDS_MAX = 10.0
"""The timeout for the answer of a stream's owner to a command."""
COMMAND_ATTEMPT_SECONDS = 2.0
"""The time without an answer after which the command is sent to another process."""
COMMAND_ATTEMPTS_MAX = 5
"""The maximum number of attempts at a command."""
RETRY_SECONDS = 1
