"""The IMAP server of `imap_server`, which lets in who presents a token.

It runs alone: `imap_with_tokens.py FOLDER MECHANISMS USER PASSWORD` and what `pymap`
takes. The file `accepted` in the folder has the good tokens; `presented` says of each
that came how, whose and which, and of a bad one what the client answered to that.
As providers do, it tells the reason for its refusal and waits for that answer.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pymap.config import IMAPConfig
from pymap.main import main
from pysasl import SASLAuth
from pysasl.creds.plain import PlainCredentials
from pysasl.exception import AuthenticationError
from pysasl.mechanism import ChallengeResponse, ServerChallenge, ServerMechanism

_FORMS = {
    "XOAUTH2": rb"user=(?P<user>[^\x01]*)\x01auth=Bearer (?P<token>[^\x01]*)\x01\x01",
    "OAUTHBEARER": rb"n,a=(?P<user>[^\x01,]*),\x01host=[^\x01]+\x01port=\d+\x01"
    rb"auth=Bearer (?P<token>[^\x01]*)\x01\x01",
}


class Bearer(ServerMechanism):
    """One way to present a token."""

    def __init__(self, name: str, folder: Path, user: str, password: str) -> None:
        """Serve the one account that `pymap` has."""
        super().__init__(name.encode())
        self._form = _FORMS[name]
        self._folder = folder
        self._account = user, password

    def server_attempt(
        self, responses: Sequence[ChallengeResponse]
    ) -> tuple[PlainCredentials, None]:
        """Let in, or refuse, as far as the client has answered."""
        if not responses:
            raise ServerChallenge(b"")
        found = re.fullmatch(self._form, responses[0].response)
        if found is None:
            raise AuthenticationError
        user, token = found["user"].decode(), found["token"].decode()
        accepted = (self._folder / "accepted").read_text(encoding="ascii").split()
        good = token in accepted and user == self._account[0]
        if not good and len(responses) == 1:
            raise ServerChallenge(b'{"status":"400","schemes":"Bearer"}')
        told = "" if good else f" {responses[1].response!r}"
        with (self._folder / "presented").open("a", encoding="ascii") as file:
            file.write(f"{self.name.decode()} {user} {token}{told}\n")
        if not good:
            raise AuthenticationError
        return PlainCredentials(*self._account), None


if __name__ == "__main__":
    folder, names, user, password, *arguments = sys.argv[1:]
    ways = [Bearer(each, Path(folder), user, password) for each in names.split(",")]
    with_tokens = SASLAuth([*SASLAuth.defaults().server_mechanisms, *ways])
    IMAPConfig.tls_auth = property(lambda _: with_tokens)  # type: ignore[assignment,method-assign] # no setting says it
    sys.argv = ["pymap", *arguments]
    main()
