"""What archives say of themselves: sense, or a refusal in a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.roots import RootError
from sandbox.roots.manifest import blob_name, of_docker, of_layout
from tests.sandbox.roots.archives import digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("sha256:" + "a" * 64),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["manifests", "digest", "layers", "config", "rootfs", "diff_ids", "Config", "Layers", "Env"]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON, JSON)
def test_whatever_is_said_is_understood_or_refused(listing: Any, told: Any):
    for reader in (of_layout, of_docker):
        try:
            manifest = reader(json.dumps(listing).encode(), lambda name, stated: json.dumps(told).encode())
        except RootError:
            continue
        assert all(layer.content.startswith("sha256:") for layer in manifest.layers)


@given(st.binary(max_size=100))
def test_what_is_no_json_is_refused(text: bytes):
    with pytest.raises(RootError):
        of_layout(text, lambda name, stated: text)


def documents(config: Any, layers: int = 1, **more: Any) -> tuple[bytes, dict[str, bytes]]:
    own = json.dumps(config).encode()
    manifest = json.dumps({"config": {"digest": digest(own)}, "layers": [{"digest": digest(b"x")}] * layers}).encode()
    index = json.dumps({"manifests": [{"digest": digest(manifest), **more}]}).encode()
    return index, {blob_name(digest(one)): one for one in (own, manifest)}


def test_an_image_says_its_layers_environment_and_labels():
    config = {
        "config": {"Env": ["PATH=/opt/bin:/bin", "X=a=b", "junk", "=y", 3], "Labels": {"a": "b", "n": 1}},
        "rootfs": {"diff_ids": [digest(b"y")]},
    }
    index, stored = documents(config)
    manifest = of_layout(index, lambda name, stated: stored[name])
    assert [(layer.digest, layer.content) for layer in manifest.layers] == [(digest(b"x"), digest(b"y"))]
    assert manifest.environment == {"PATH": "/opt/bin:/bin", "X": "a=b"}
    assert manifest.labels == {"a": "b"}


def test_of_several_machines_images_ours_is_taken_and_none_is_said():
    index, stored = documents({"rootfs": {"diff_ids": []}}, 0, platform={"architecture": "s390x", "os": "linux"})
    with pytest.raises(RootError, match="0 images for linux/amd64"):
        of_layout(index, lambda name, stated: stored[name], "amd64")
    assert of_layout(index, lambda name, stated: stored[name], "s390x").layers == ()


@pytest.mark.parametrize("stated", ["sha256:short", "md5:" + "a" * 32, "../../etc/passwd", "sha256:" + "/" * 64, None])
def test_a_digest_is_a_digest(stated: Any):
    with pytest.raises(RootError, match="digest that is none"):
        of_layout(json.dumps({"manifests": [{"digest": stated}]}).encode(), lambda name, stated: b"{}")


def test_layers_that_do_not_fit_the_configuration_are_refused():
    index, stored = documents({"rootfs": {"diff_ids": []}})
    with pytest.raises(RootError, match="does not fit"):
        of_layout(index, lambda name, stated: stored[name])
