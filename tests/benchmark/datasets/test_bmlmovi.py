"""MoVi's folders: MATLAB's row vectors, frames counted from 1, four marker frames to a picture."""

from __future__ import annotations

import pickle
import shutil
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from odah.benchmark.datasets.bmlmovi import read_bmlmovi
from odah.benchmark.datasets.findings import Findings
from odah.benchmark.datasets.movi_cameras import read_camera
from odah.benchmark.datasets.movi_round import _ORDER, our_names, read_round
from odah.benchmark.datasets.movi_truth import MARKER_SET
from odah.errors import InputError
from odah.motion.types import R_WORLD_GROUND
from odah.names import OPENSIM_COORDINATES
from odah.osim import full_body_model, scale_model
from odah.osim.markersets import read_marker_set

SIZE, RATE, NUM_PICTURES = (800, 600), 30, 34
LENSES = {
    "PG1": (979.2, 978.1, 408.0, 291.2, -0.182, 0.184),
    "PG2": (980.0, 980.7, 392.3, 309.9, -0.229, 0.355),
}
PLACES = {"PG1": (4.6, -0.4, 1.1), "PG2": (0.3, 4.1, 0.9)}
"""m, of the cameras in the laboratory."""
PICTURES = {"walking": (3, 13), "Crawl": (14, 16), "throw_catch": (17, 30), "cross_legged_sitting": (31, 32)}
"""First and last picture of each motion, counted from 0."""


def lab_to_camera(name: str) -> tuple[np.ndarray, np.ndarray]:
    """R (3, 3) and t (3,) mm, for columns."""
    forward = np.array([0.0, -0.1, 0.9]) - PLACES[name]
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0, 1])
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    return R, -1000 * R @ np.array(PLACES[name])


def calibration(name: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """As MATLAB has them: transposed, for row vectors, pixels counted from 1."""
    fx, fy, cx, cy, k1, k2 = LENSES[name]
    R, t = lab_to_camera(name)
    intrinsics = {
        "IntrinsicMatrix": np.array([[fx, 0, 0], [0, fy, 0], [cx, cy, 1.0]]),
        "RadialDistortion": np.array([k1, k2]),
    }
    return intrinsics, {"rotationMatrix": R.T, "translationVector": t[None]}


def pixels_of(name: str, points_mm: np.ndarray) -> np.ndarray:
    """(N, 2), the top-left pixel's centre at 0."""
    fx, fy, cx, cy, k1, k2 = LENSES[name]
    R, t = lab_to_camera(name)
    K = np.array([[fx, 0, cx - 1], [0, fy, cy - 1], [0, 0, 1]])
    return cv2.projectPoints(points_mm, cv2.Rodrigues(R)[0], t, K, np.array([k1, k2, 0, 0]))[0][:, 0]


class Folder:
    """Writes MoVi's files of one person."""

    def __init__(self, root: Path, dots, number: int = 7) -> None:
        self.root, self.dots, self.number = root, dots, number
        self.person = dots.Person(spread=0.02)

    def write(self) -> None:
        self.root.mkdir(exist_ok=True)
        self.write_round()
        for name in LENSES:
            self.write_video(name)
            intrinsics, extrinsics = calibration(name)
            np.savez(self.root / f"cameraParams_{name}.npz", **intrinsics)
            np.savez(self.root / f"Extrinsics_{name}.npz", **extrinsics)

    @property
    def round_path(self) -> Path:
        return self.root / f"F_v3d_Subject_{self.number}.mat"

    def video(self, name: str) -> Path:
        return self.root / f"F_{name}_Subject_{self.number}_L.avi"

    def write_video(self, name: str, count: int = NUM_PICTURES) -> None:
        lab = 1000 * self.person.dots(np.arange(count) / RATE) @ R_WORLD_GROUND.T
        frames = [self.dots.dotted(pixels_of(name, each), SIZE) for each in lab]
        self.dots.write_video(self.video(name), frames, RATE)

    def write_round(self, **changes) -> None:
        places = read_marker_set(MARKER_SET).places(full_body_model())
        markers = tuple(places.values())
        model = scale_model(full_body_model().with_markers(markers), self.person.scale_factors)
        times = np.arange(4 * NUM_PICTURES) / 120
        lab = 1000 * self.person.markers(times, model) @ R_WORLD_GROUND.T
        lab[5:9, 3] = np.nan
        lab[40, 6] = 0.0
        names = [*(marker.name for marker in markers), "LFHD"]
        lab = np.concatenate([lab, lab[:, :1] + 50], axis=1)
        flags30 = np.array(list(PICTURES.values())) + 1
        move = {
            "markerLocation": lab, "markerName": np.array(names, dtype=object),
            "motions_list": np.array(list(PICTURES), dtype=object), "flags30": flags30,
            "flags120": 4 * (flags30 - 1) + 1, **changes,
        }  # fmt: skip
        subject = {"id": f"Subject_{self.number}", "sex": "female", "height": 169.0, "weight": 58.5}
        move = {key: value for key, value in move.items() if value is not None}
        savemat(self.round_path, {f"Subject_{self.number}_F": {"subject": subject, "move": move}})


@pytest.fixture(scope="module")
def written(tmp_path_factory, dots) -> Path:
    root = tmp_path_factory.mktemp("movi") / "dataset"
    Folder(root, dots).write()
    return root


@pytest.fixture(scope="module")
def read(written, tmp_path_factory):
    return read_bmlmovi(written, cache=tmp_path_factory.mktemp("cache") / "truth")


@pytest.fixture
def copy(written, tmp_path) -> Path:
    shutil.copytree(written, tmp_path / "copy")
    return tmp_path / "copy"


def test_motions_people_and_pictures(read):
    recordings, notes = read
    assert [recording.action for recording in recordings] == ["walking", "throwing_and_catching"]
    assert [recording.name for recording in recordings] == ["subject7_01_walking", "subject7_03_throw_catch"]
    assert notes == []
    first, second = recordings
    assert (first.subject, first.height, first.mass, first.rate) == ("subject7", 1.69, 58.5, 30.0)
    for view in second.views.values():
        np.testing.assert_array_equal(view.frames, np.arange(17, 31))
    assert second.num_frames == 14


@pytest.mark.parametrize("name", ["PG1", "PG2"])
def test_solved_joints_project_onto_the_dots(read, dots, name):
    for recording in read[0]:
        errors = dots.pixel_errors(recording, recording.views[name])
        assert errors.max() < 2


def test_truth_is_the_motion(read, dots):
    recording = read[0][1]
    truth, times = recording.truth, np.arange(17, 31) / RATE
    person = dots.Person(spread=0.02)
    assert truth.coordinate_names == OPENSIM_COORDINATES
    np.testing.assert_allclose(truth.times, times - times[0])
    error = np.linalg.norm(truth.joints - person.joints(times), axis=-1)
    assert error.max() < 0.01
    hips = [OPENSIM_COORDINATES.index(f"hip_flexion_{side}") for side in "rl"]
    np.testing.assert_allclose(truth.coordinates[:, hips], person.coordinates(times)[:, hips], atol=0.05)
    assert truth.scale_factors is not None
    assert np.abs(truth.scale_factors[1, 1] / person.scale_factors[1, 1] - 1) < 0.02


def test_cache_is_kept_used_and_outside_of_the_dataset(read, written, monkeypatch):
    recordings, _ = read
    model = recordings[0].truth.model
    cache = model.parents[1]
    assert {path.name for path in model.parent.iterdir()} == {"model.osim", "truth.npz", "about.json"}
    monkeypatch.setattr("odah.benchmark.datasets.movi_truth.solve_subject", None)
    again, _ = read_bmlmovi(written, cache=cache)
    np.testing.assert_array_equal(again[0].truth.joints, recordings[0].truth.joints)
    assert sorted(path.suffix for path in written.iterdir()) == [".avi"] * 2 + [".mat"] + [".npz"] * 4
    with pytest.raises(InputError, match="outside of the dataset"):
        read_bmlmovi(written, cache=written / "cache")


def test_cameras_of_all_formats_are_the_same(tmp_path):
    intrinsics, extrinsics = calibration("PG2")
    cameras = []
    for suffix in ("npz", "mat", "pkl"):
        folder = tmp_path / suffix
        folder.mkdir()
        for kind, arrays in (("cameraParams", intrinsics), ("Extrinsics", extrinsics)):
            path = folder / f"{kind}_PG2.{suffix}"
            if suffix == "npz":
                np.savez(path, **arrays)
            elif suffix == "mat":
                savemat(path, {"cameraParams": arrays} if kind == "cameraParams" else arrays)
            else:
                path.write_bytes(pickle.dumps(arrays, 4))
        cameras.append(read_camera("PG2", sorted(folder.iterdir()), Findings(True)))
    points = np.random.default_rng(0).uniform([-1, -1, 0], [1, 1, 2], (20, 3))
    for camera in cameras:
        np.testing.assert_allclose(camera.project(points), pixels_of("PG2", 1000 * points), atol=1e-6)
        np.testing.assert_allclose(camera.position, PLACES["PG2"], atol=1e-9)


def test_a_pickle_that_wants_more_than_arrays_is_refused(tmp_path):
    intrinsics, extrinsics = calibration("PG1")
    (tmp_path / "cameraParams_PG1.pkl").write_bytes(pickle.dumps({**intrinsics, "path": Path("x")}, 4))
    np.savez(tmp_path / "Extrinsics_PG1.npz", **extrinsics)
    with pytest.raises(InputError, match="arrays alone"):
        read_camera("PG1", sorted(tmp_path.iterdir()), Findings())


def test_names_of_markers():
    assert len(_ORDER) == len(set(_ORDER)) == 67
    known = our_names(_ORDER)
    assert set(known.values()) == set(read_marker_set(MARKER_SET).rules)
    assert (known["lasis"], known["relbinner"], known["backneck"]) == ("LASI", "RIEL", "C7")
    assert our_names(("LASI", "RFWT", "Clav", "LBHD", "nonsense")) == {
        "LASI": "LASI",
        "RFWT": "RASI",
        "Clav": "CLAV",
    }


def test_what_is_missing_is_listed(copy, dots):
    folder = Folder(copy, dots)
    folder.video("PG2").unlink()
    shutil.copy(folder.video("PG1"), copy / "F_PG1_Subject_12_L.avi")
    folder.write_video("PG1", 28)
    recordings, notes = read_bmlmovi(copy)
    assert [list(recording.views) for recording in recordings] == [["PG1"], ["PG1"]]
    assert recordings[1].num_frames == 28 - 17
    told = "\n".join(notes)
    assert "F_v3d_Subject_12.mat" in told
    assert "no video of PG2" in told
    assert "28 pictures" in told
    with pytest.raises(InputError):
        read_bmlmovi(copy, strict=True)
    with pytest.raises(InputError, match="F_v3d_Subject_9"):
        read_bmlmovi(copy, subjects=[9])


def test_tables_of_frames(copy, dots):
    folder = Folder(copy, dots)
    folder.write_round(flags30=None)
    recordings, notes = read_bmlmovi(copy)
    np.testing.assert_array_equal(recordings[1].views["PG1"].frames, np.arange(17, 31))
    assert notes == []
    pictures = np.array(list(PICTURES.values())) + 1
    folder.write_round(flags120=4 * pictures + 17)
    _, notes = read_bmlmovi(copy, excluded=())
    assert sum("not synchronised" in note for note in notes) == len(PICTURES)


@pytest.mark.parametrize(
    "changes",
    [
        {"flags30": np.zeros((4, 2))}, {"flags120": np.ones((3, 2)), "flags30": None},
        {"markerLocation": None},
        {"markerLocation": np.ones((9, 7))}, {"motions_list": None}, {"markerName": np.array(["a"], object)},
        {"flags30": np.full((4, 2), np.nan)}, {"markerLocation": "text"},
    ],
)  # fmt: skip
def test_damaged_rounds(tmp_path, dots, changes):
    folder = Folder(tmp_path, dots)
    folder.write_round(**changes)
    with pytest.raises(InputError):
        read_round(folder.round_path)


def test_changed_bytes_are_told_of_in_a_sentence(copy, damaged):
    path = copy / "F_v3d_Subject_7.mat"
    damaged(path, np.random.default_rng(0))
    calibrations = [copy / "cameraParams_PG1.npz", copy / "Extrinsics_PG1.npz"]
    whole = {path: path.read_bytes() for path in calibrations}
    for seed in range(40):
        for each in calibrations:
            each.write_bytes(whole[each])
        damaged(calibrations[seed % 2], np.random.default_rng(seed))
        with suppress(InputError):
            read_camera("PG1", calibrations, Findings())
    with suppress(InputError):
        read_bmlmovi(copy)
