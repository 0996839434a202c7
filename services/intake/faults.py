"""What a mistake of ours over one sender's words raises, unlike an absent server.

Whoever works on many at once looks for the one it happens with: it fails alone, and
the others do not fail with it for ever.
"""

from psycopg import DataError

FAULTS = (LookupError, TypeError, ValueError, DataError)
