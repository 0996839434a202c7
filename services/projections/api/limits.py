"""Every limit of the API, by name."""

FORWARDED_BYTES_MAX = 512 * 1024
MAIL_BYTES_MAX = 25 * 1024 * 1024
ATTACHMENT_BYTES_MAX = 10 * 1024 * 1024 + 16 * 1024
"""A file, with what a form has beside it."""
FORWARD_SECONDS_MAX = 30.0
FORWARDED_AT_ONCE_MAX = 100

PAGE_DEFAULT = 50
PAGE_MAX = 500
LOG_PAGE_MAX = 1_000
LOG_SCANNED_MAX = 20_000
"""The maximum number of events that one search by type scans."""
STREAMS_MAX = 1_500
"""The maximum number of concurrent streams."""
STREAM_READS_MAX = 2
"""How many streams read something from the database at the same time, each for itself,
and how many are opened; the others wait for their turn, and the threads that are left
serve requests."""
STREAMS_A_TOKEN_MAX = 5
"""The maximum number of concurrent streams for one token."""
STREAM_LOOK_SECONDS = 2.0
"""How often it is read, once for all streams, which of their tokens have ended."""
STREAM_CHECK_SECONDS = 30.0
"""How often a stream checks what its listener may see.

Sooner if something has changed for the listener."""
STREAM_PING_SECONDS = 15.0
"""After which silence a stream sends its position, or a comment: proxies close what is
idle."""
STREAM_PAGE = 500
"""How many events of the log are read at once for a stream that is far behind."""
STREAM_PAGES_MAX = 8
"""How many such pages are kept for others that are as far behind."""
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
BULK_MAX = 200
"""The maximum number of incidents of one bulk command."""
BULK_AT_ONCE_MAX = 16
"""How many commands of one bulk command are sent at once."""
BULKS_MAX = 4
"""The maximum number of concurrent bulk commands."""
