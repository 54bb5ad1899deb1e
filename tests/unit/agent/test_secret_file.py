"""Who else could read a secret, and what to do about it."""

from pathlib import Path

import pytest

from agent.secret_file import SecretExposed, exposure, read_secret, require_private

ROOT, US, SOMEBODY = 0, 990, 1000


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_what_only_its_owner_reads_is_safe_whether_we_or_root_own_it(mode: int) -> None:
    assert exposure(mode, US, US) == exposure(mode, ROOT, ROOT) == exposure(mode, ROOT, US) == ("", "")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_what_we_own_is_ours_alone(mode: int) -> None:
    for us in (US, ROOT):
        why, fix = exposure(mode, us, us)

        assert f"(mode {mode:04o})" in why
        assert fix == "chmod 600"


def test_a_group_may_read_what_root_owns_for_a_service_that_is_not_root() -> None:
    """A Kubernetes secret with an fsGroup, a systemd credential: 0440, root's."""
    assert exposure(0o440, ROOT, US) == ("", "")
    assert exposure(0o660, ROOT, US)[1] == exposure(0o444, ROOT, US)[1] == "chmod 640"


def test_a_third_user_could_replace_it() -> None:
    assert exposure(0o600, SOMEBODY, US) == ("it belongs to user 1000, who can replace it", "chown 990")
    assert exposure(0o600, SOMEBODY, ROOT)[1] == "chown 0"


def test_a_private_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("secret\n")
    path.chmod(0o600)

    require_private(path)
    assert read_secret(path) == "secret\n"


def test_an_exposed_file_is_refused_with_the_mend_and_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("secret\n")
    path.chmod(0o644)

    for use in (read_secret, require_private):
        with pytest.raises(SecretExposed) as caught:
            use(path)
        assert str(caught.value) == f"{path}: others on this host have access to it (mode 0644); chmod 600 {path}"
