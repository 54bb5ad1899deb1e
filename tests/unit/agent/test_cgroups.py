"""A control group's path gives the name that people use for what runs in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cgroups import Mount, cgroup2_mounts, owner_name, place_name, process_path

ID = "0123456789ab" + "c" * 52
POD = "8a9f0c3e-1111-2222-3333-444455556666"
POD_ = POD.replace("-", "_")
BURSTABLE = f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD_}.slice"
IN_POD = f"pod {POD}, container 0123456789ab"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/system.slice/haproxy.service", "haproxy.service"),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"),
        ("/system.slice/haproxy.service/workers", "haproxy.service"),
        (r"/system.slice/system-my\x2dproxy.slice/my\x2dproxy@1.service", "my-proxy@1.service"),
        ("/init.scope", "init.scope"),
        ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope of user 1000"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/proxy.service", "proxy.service of user 1000"),
        ("/user.slice/user-1000.slice", "user 1000"),
        (f"/docker/{ID}", "docker 0123456789ab"),
        (f"/system.slice/docker-{ID}.scope", "docker 0123456789ab"),
        (f"/system.slice/docker-{ID}.scope/system.slice/haproxy.service", "haproxy.service in docker 0123456789ab"),
        (f"/system.slice/nerdctl-{ID}.scope", "nerdctl 0123456789ab"),
        (f"/machine.slice/libpod-{ID}.scope/container", "podman 0123456789ab"),
        (f"/machine.slice/libpod-conmon-{ID}.scope", "podman 0123456789ab"),
        (
            f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container",
            "podman 0123456789ab of user 1000",
        ),
        (f"{BURSTABLE}/cri-containerd-{ID}.scope", IN_POD),
        (f"{BURSTABLE}/crio-{ID}.scope", IN_POD),
        (f"{BURSTABLE}/docker-{ID}.scope", IN_POD),
        (f"/kubepods.slice/kubepods-pod{POD_}.slice/cri-containerd-{ID}.scope", IN_POD),
        (f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{POD_}.slice/cri-containerd-{ID}.scope", IN_POD),
        (f"/kubepods/besteffort/pod{POD}/{ID}", IN_POD),
        (f"/kubepods/pod{'a' * 32}/{ID}", f"pod {'a' * 32}, container 0123456789ab"),
        (f"/system.slice/containerd.service/kubepods-burstable-pod{POD_}.slice:cri-containerd:{ID}", IN_POD),
        (BURSTABLE, f"pod {POD}"),
        ("/lxc.payload.web1/system.slice/nginx.service", "nginx.service in lxc web1"),
        ("/lxc/web1", "lxc web1"),
        (r"/machine.slice/machine-web\x2d1.scope", "machine web-1"),
        (f"/jobs/{ID}", "container 0123456789ab"),
        ("/some/place", "/some/place"),
        ("/", ""),
        ("", ""),
    ],
)
def test_each_convention_is_read(path: str, name: str) -> None:
    assert owner_name(path) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"/system.slice/docker-{ID}.scope", "docker-0123456789ab"),
        (f"/docker/{ID}", "docker-0123456789ab"),
        (f"/system.slice/docker.service/docker/{ID}/init", "docker-0123456789ab"),
        (f"/../docker-{ID}.scope", "docker-0123456789ab"),
        (f"/machine.slice/libpod-{ID}.scope/container", "podman-0123456789ab"),
        (f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD_}.slice/cri-containerd-{ID}.scope",
         f"pod-{POD}"),
        (f"/kubepods/besteffort/pod{POD}/{ID}", f"pod-{POD}"),
        (f"/kubepods.slice/kubepods-pod{'0a1b2c3d' * 4}.slice/crio-{ID}.scope", f"pod-{'0a1b2c3d' * 4}"),
        (f"/system.slice/containerd.service/cri-containerd-{ID}.scope", "cri-0123456789ab"),
        (f"/system.slice:cri-containerd:{ID}", "cri-0123456789ab"),
        ("/lxc.payload.web1/system.slice/nginx.service", "lxc-web1"),
        ("/lxc/web1", "lxc-web1"),
        ("/machine.slice/machine-web1.scope/payload", "machine-web1"),
        ("/machine.slice/systemd-nspawn@web1.service/payload", "machine-web1"),
        ("/system.slice/haproxy.service", "haproxy.service"),
        ("/system.slice/system-haproxy.slice/haproxy@edge.service", "haproxy@edge.service"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/proxy.service", "proxy.service"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/vte-1.scope", ""),
        ("/user.slice/user-1000.slice/session-3.scope", ""),
        ("/", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_namespace_is_called_by_container_pod_or_service(path: str, name: str) -> None:
    assert place_name(f"0::{path}\n") == name


def test_in_the_old_hierarchies_any_line_may_tell() -> None:
    assert place_name(f"9:name=systemd:/\n4:memory:/docker/{ID}\n0::/\n") == "docker-0123456789ab"


@given(st.text(max_size=60))
def test_any_path_has_a_name_unless_it_is_the_root(path: str) -> None:
    assert bool(owner_name(path)) == bool(path.strip("/"))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("0::/system.slice/haproxy.service\n", "/system.slice/haproxy.service"),
        ("2:pids:/x\n1:name=systemd:/system.slice/a.service\n0::/\n", "/system.slice/a.service"),
        (f"4:memory:/docker/{ID}\n3:cpu:/\n1:name=systemd:/\n0::/\n", f"/docker/{ID}"),
        ("4:memory:/\n", "/"),
        ("0::/a:b\n", "/a:b"),
        ("nonsense\n", "/"),
        ("", "/"),
    ],
    ids=["unified", "hybrid", "controllers only", "root everywhere", "a colon in the path", "no line", "nothing"],
)
def test_a_process_is_placed_by_whatever_hierarchy_tells(text: str, path: str) -> None:
    assert process_path(text) == path


MOUNTINFO = r"""
22 27 0:21 / /proc rw,nosuid - proc proc rw
30 23 0:26 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
31 23 0:27 / /sys/fs/cgroup/cpu rw shared:10 - cgroup cgroup rw,cpu
32 23 0:26 /system.slice /mnt/with\040space rw - cgroup2 cgroup2 rw
"""


def test_cgroup2_is_found_wherever_it_is_mounted_and_the_whole_of_it_first() -> None:
    assert cgroup2_mounts(MOUNTINFO) == [
        Mount("/sys/fs/cgroup/unified", "/"),
        Mount("/mnt/with space", "/system.slice"),
    ]


@given(st.text(max_size=200))
def test_no_mountinfo_makes_it_fail(text: str) -> None:
    assert all(mount.point for mount in cgroup2_mounts(text)) or "cgroup2" in text
