"""Registering a body from scratch, with little effort: SMPL-X files, layouts of the user's, the command."""

import json
from dataclasses import replace

import numpy as np
import pytest

from odah.body.model import load_body
from odah.body.registration import load_registration
from odah.body.registration.fit_registration import Effort, fit_registration
from odah.body.registration.layout_file import load_layout, save_layout
from odah.body.registration.marker_layout import LayoutMarker
from odah.body.smplx_export import write_smplx_npz
from odah.cli import main
from odah.errors import InputError

SMALL = Effort(people=4, poses=5, fresh_people=2, rounds=1, folds=2)


@pytest.fixture(scope="module")
def open_registration():
    return fit_registration(load_body(), effort=SMALL)


def permuted(body, seed):
    """The body with its vertices numbered anew and no map of mirror images, as a licensed file's are."""
    order = np.random.default_rng(seed).permutation(body.num_vertices)
    return replace(
        body,
        v_template=body.v_template[order],
        shapedirs=body.shapedirs[order],
        lbs_weights=body.lbs_weights[order],
        posedirs=body.posedirs[order],
        faces=np.argsort(order)[body.faces],
        groups={},
        mirror=None,
    )


@pytest.fixture(scope="module")
def smplx_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("smplx") / "SMPLX_NEUTRAL.npz"
    write_smplx_npz(permuted(load_body(), 3), path)
    return path


def test_an_smplx_file_is_registered_as_well_as_the_open_body(open_registration, smplx_path):
    body = load_body(smplx_path)
    assert body.mirror is None
    registration = fit_registration(body, effort=SMALL)
    registration.check(body)
    assert registration.body_name == "SMPLX_NEUTRAL"
    # Its betas have no statistics, so its people are others: as good, not the same.
    for kind in ("held_out_people", "held_out_poses", "fresh_people", "fresh_people_markers"):
        own, others = (each.report[kind]["mean_mm"] for each in (registration, open_registration))
        assert own < 1.25 * others, kind
    ours, theirs = (
        np.array([marker.offset for marker in each.markers]) for each in (registration, open_registration)
    )
    assert np.linalg.norm(ours - theirs, axis=1).mean() < 0.008


def test_sides_share_their_weights(open_registration):
    body, regressor = load_body(), open_registration.regressor
    for name in ("hip", "acromial", "ankle"):
        right, left = (regressor.joint_names.index(f"{name}_{side}") for side in "rl")
        matrix = regressor.weights.toarray()
        np.testing.assert_allclose(matrix[left][body.mirror], matrix[right], atol=1e-12)


def test_a_layout_of_the_users_is_fitted_with(open_registration, tmp_path):
    """One marker moved, one added that the model does not know, one removed."""
    layout = open_registration.layout
    at_sternum = LayoutMarker((1522,), (1.0,), "middle", "torso", "below the suprasternal notch")
    moved = replace(layout.markers["RTH1"], vertices=layout.markers["RTH2"].vertices[:1], weights=(1.0,))
    markers = {**layout.markers, "STRN": at_sternum, "RTH1": moved}
    del markers["LTB2"]
    save_layout(replace(layout, markers=markers), tmp_path / "mine.yaml")
    registration = fit_registration(load_body(), layout=load_layout(tmp_path / "mine.yaml"), effort=SMALL)
    assert registration.layout.names == tuple(markers)
    offsets = {marker.name: marker.offset for marker in registration.markers}
    sternum, clavicle = offsets["STRN"], offsets["CLAV"]
    assert np.linalg.norm(sternum - clavicle) < 0.03
    assert registration.report["fresh_people"]["mean_mm"] < 8.0


def test_a_layout_that_cannot_start_is_refused(open_registration):
    layout = open_registration.layout
    fewer = {name: marker for name, marker in layout.markers.items() if marker.bone != "pelvis"}
    with pytest.raises(InputError, match="0 markers on the pelvis"):
        fit_registration(load_body(), layout=replace(layout, markers=fewer), effort=SMALL)


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["odah", "regressor", "fit", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_command_writes_what_the_loader_reads(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(fit_registration, "__defaults__", (0, None, SMALL, lambda _done, _total: None))
    out = tmp_path / "mine.npz"
    assert run(monkeypatch, "--out", str(out), "--seed", "2", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    registration = load_registration(out)
    assert registration.report["made_of"]["seed"] == 2
    assert told["held_out_people"] == registration.report["held_out_people"]
    registration.check(load_body())


def test_mistakes_end_the_command_before_any_work(monkeypatch, tmp_path, capsys):
    (tmp_path / "layout.yaml").write_text("markers: {C7: {vertex: 1, side: middle, bone: sternum}}")
    for arguments, said in (
        (["--out", str(tmp_path / "out.yaml")], "ends in .npz"),
        (["--layout", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out.npz")], "no such file"),
        (["--layout", str(tmp_path / "layout.yaml"), "--out", str(tmp_path / "out.npz")], "num_vertices"),
        (["--body", str(tmp_path / "SMPLX_MALE.npz"), "--out", str(tmp_path / "out.npz")], "no such file"),
        (["--gender", "other", "--out", str(tmp_path / "out.npz")], "other"),
    ):
        assert run(monkeypatch, *arguments) == 2
        assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("*.npz"))


def test_a_licensed_file_with_other_keys_is_named(smplx_path, tmp_path):
    path = tmp_path / "SMPLX_NEUTRAL.npz"
    with np.load(smplx_path) as arrays:
        np.savez(path, **{("lbs_weights" if k == "weights" else k): arrays[k] for k in arrays.files})
    with pytest.raises(InputError, match="weights"):
        load_body(path)
