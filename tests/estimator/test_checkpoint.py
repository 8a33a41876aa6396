"""A network's file gives the same network again; anything else is refused in one sentence and never run."""

import json
import pickle
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from estimator.tiny_training import tiny_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.estimator.checkpoint import keep_fact, load_checkpoint, own_file, save_checkpoint
from odah.estimator.network.two_view import TwoViewNetwork

FACTS = {"odah_version": "0.1.0", "seed": 3, "datasets": [{"name": "a"}]}


@pytest.fixture(scope="module")
def network() -> TwoViewNetwork:
    torch.manual_seed(1)
    return TwoViewNetwork(tiny_config().network, tiny_config().data)


@pytest.fixture(scope="module")
def file(network: TwoViewNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "model.pt"
    save_checkpoint(path, network, tiny_config(), FACTS)
    return path


def test_it_gives_the_same_network_config_and_facts(file: Path, network: TwoViewNetwork) -> None:
    before = torch.random.get_rng_state()
    loaded = load_checkpoint(file)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (loaded.config, loaded.facts) == (tiny_config(), FACTS)
    assert not loaded.network.training
    own, given = network.state_dict(), loaded.network.state_dict()
    assert own.keys() == given.keys()
    assert all(torch.equal(own[name], given[name]) for name in own)


def changed(file: Path, folder: Path, **parts: Any) -> Path:
    whole = torch.load(file, weights_only=True)
    torch.save(whole | parts, folder / "changed.pt")
    return folder / "changed.pt"


def test_other_versions_configs_and_weights_are_refused(file: Path, tmp_path: Path) -> None:
    weights = torch.load(file, weights_only=True)["weights"]
    name = next(iter(weights))
    other = tiny_config(network={"encoder": {"kind": "located", "width": 16, "frame_widths": [16]}})
    for parts, words in (
        ({"version": 2}, "format version 2, expected 1"),
        ({"format": "x"}, "a file of another kind"),
        ({"config": "{}"}, "config: name: found nothing"),
        ({"config": "{"}, "config: found damaged text"),
        ({"config": json.dumps({"name": "x", "nmae": 1})}, "config: nmae: found an unknown key"),
        ({"facts": 3}, "facts: found damaged text"),
        ({"config": other.model_dump_json()}, "weights of encoder.* of shape .*, as the config says"),
        ({"weights": {}}, "config: found 1 stacks and 3 blocks, expected one that the file's 0 weights"),
        ({"weights": {k: weights[k] for k in weights if k != name}}, f"weights of {name}: found none"),
        ({"weights": weights | {"more": weights[name]}}, "'more' that the config's network has not"),
        (
            {"weights": weights | {name: weights[name] * torch.nan}},
            f"{name}: found numbers that are not finite",
        ),
        ({"weights": weights | {name: weights[name].double()}}, f"{name}: found torch.float64"),
        ({"weights": 3}, "parts missing"),
    ):
        path = changed(file, tmp_path, **parts)
        with pytest.raises(InputError, match=words) as caught:
            load_checkpoint(path)
        assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    "lie",
    [
        {"hourglass": {"channels": 8 * 10**6}},
        {"encoder": {"kind": "located", "width": 10**14}},
        {"hourglass": {"stacks": 10**9}},
        {"hourglass": {"depth": 10**9}},
        {"temporal": {"channels": [4], "heads": [1], "blocks": [10**9], "factors": []}},
    ],
)
def test_configs_that_lie_about_sizes_are_refused_before_memory_is_asked_for(
    file: Path, tmp_path: Path, lie: dict[str, Any]
) -> None:
    config = tiny_config(network=lie).model_dump_json()
    with pytest.raises(InputError, match=r"as the config says|impossible size|stacks and \d+ blocks"):
        load_checkpoint(changed(file, tmp_path, config=config))


def test_a_folder_of_the_name_does_not_hide_a_network_that_comes_with_odah(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "weights"
    shipped.mkdir()
    shutil.copy(file, shipped / "compact.pt")
    monkeypatch.setattr("odah.estimator.checkpoint._SHIPPED", shipped)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compact").mkdir()
    assert load_checkpoint("compact").facts == FACTS
    with pytest.raises(InputError, match="compact: found a network that comes with odah"):
        own_file("compact")
    with pytest.raises(InputError, match=r"compakt: found no such file, .* one of odah's own: compact"):
        own_file("compakt")


def test_a_fact_is_kept_and_nothing_else_changes(file: Path, tmp_path: Path) -> None:
    own = own_file(shutil.copy(file, tmp_path / "own.pt"))
    keep_fact(own, load_checkpoint(own), "test", {"split": "test"})
    before, after = load_checkpoint(file), load_checkpoint(own)
    assert after.facts == {**FACTS, "test": {"split": "test"}}
    assert after.config == before.config
    weights, kept = before.network.state_dict(), after.network.state_dict()
    assert all(torch.equal(weights[name], kept[name]) for name in weights)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("touched"),)


def test_pickled_code_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": Evil()}, "torch.pt")
    Path("plain.pt").write_bytes(pickle.dumps(Evil()))
    for name in ("torch.pt", "plain.pt"):
        with pytest.raises(InputError, match="damaged or foreign data"):
            load_checkpoint(tmp_path / name)
    assert not Path("touched").exists()


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty.pt").touch()
    torch.save([1, 2], tmp_path / "list.pt")
    for name, words in (
        ("none.pt", "no such file, expected a network that odah train wrote"),
        ("empty.pt", "an empty file"),
        ("list.pt", "a file of another kind"),
        ("", "not a file"),
    ):
        with pytest.raises(InputError, match=words):
            load_checkpoint(tmp_path / name)
    with pytest.raises(InputError, match="huge: found no such file"):
        load_checkpoint("huge")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.floats(0, 1, exclude_max=True),
    length=st.integers(1, 40),
    data=st.binary(min_size=40, max_size=40),
)
def test_damaged_bytes_are_told_or_harmless(
    file: Path, tmp_path: Path, place: float, length: int, data: bytes
) -> None:
    whole = bytearray(file.read_bytes())
    start = int(place * len(whole))
    whole[start : start + length] = data[:length]
    (tmp_path / "damaged.pt").write_bytes(whole)
    with suppress(InputError):  # anything else would be a traceback
        load_checkpoint(tmp_path / "damaged.pt")


@pytest.mark.parametrize("share", [0.0001, 0.3, 0.9, 0.999])
def test_files_that_end_early_are_told(file: Path, tmp_path: Path, share: float) -> None:
    whole = file.read_bytes()
    (tmp_path / "short.pt").write_bytes(whole[: int(share * len(whole)) + 1])
    with pytest.raises(InputError):
        load_checkpoint(tmp_path / "short.pt")
