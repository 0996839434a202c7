"""Keys and secrets that the policy names are read where it says, again and again."""

from pathlib import Path

from services.intake.gate.api_keys import KEY_LENGTH_MIN, REREAD_SECONDS, Secrets
from tests.support.policies import full

POLICY = full()
KEY = "a key of a source of no small length"


def test_a_key_in_the_environment_tells_its_source() -> None:
    secrets = Secrets({"PROM_KEY": KEY})

    secrets.read(POLICY)

    assert secrets.source_of(KEY) == "prom"
    assert secrets.source_of(KEY + "x") is None
    assert secrets.source_of("") is None
    assert secrets.source_of("\ud800") is None


def test_a_key_in_a_file_is_read_without_its_last_line_break(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n", encoding="ascii")
    policy = full(("/run/secrets/quais", str(file)))
    secrets = Secrets({})

    secrets.read(policy)

    assert secrets.source_of(KEY) == "quais"


def test_a_key_changed_in_its_file_counts_some_seconds_later(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY, encoding="ascii")
    policy, seconds = full(("/run/secrets/quais", str(file))), [0.0]
    secrets = Secrets({}, lambda: seconds[0])
    secrets.read(policy)

    file.write_text(KEY[::-1], encoding="ascii")
    assert secrets.are_fresh(policy)
    seconds[0] += REREAD_SECONDS
    assert not secrets.are_fresh(policy)
    secrets.read(policy)

    assert secrets.source_of(KEY) is None
    assert secrets.source_of(KEY[::-1]) == "quais"


def test_a_policy_that_was_applied_is_read_at_once() -> None:
    secrets = Secrets({"PROM_KEY": KEY}, lambda: 0.0)
    secrets.read(POLICY)

    assert secrets.are_fresh(POLICY)
    assert not secrets.are_fresh(full(("env:PROM_KEY", "env:OTHER_KEY")))


def test_a_key_that_can_be_guessed_is_none() -> None:
    secrets = Secrets({"PROM_KEY": "x" * (KEY_LENGTH_MIN - 1)})

    secrets.read(POLICY)

    assert secrets.source_of("x" * (KEY_LENGTH_MIN - 1)) is None


def test_of_a_key_only_its_hash_is_held() -> None:
    secrets = Secrets({"PROM_KEY": KEY})
    secrets.read(POLICY)
    held = {name: value for name, value in vars(secrets).items() if "env" not in name}

    assert KEY not in repr(held)


def test_bodies_are_signed_with_the_new_secret_or_the_old(tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_text("old", encoding="ascii")
    policy = full(("/run/secrets/prom-hmac", str(file)))
    secrets = Secrets({"PROM_HMAC": "new"})

    secrets.read(policy)

    assert secrets.signing("prom") == (b"new", b"old")
    assert secrets.signing("quais") == ()


def test_a_secret_that_cannot_be_read_leaves_the_other(tmp_path: Path) -> None:
    secrets = Secrets({"PROM_HMAC": "new"})

    secrets.read(full(("/run/secrets/prom-hmac", str(tmp_path))))

    assert secrets.signing("prom") == (b"new",)
