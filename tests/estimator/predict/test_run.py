"""From videos to files, with a network that knows the truth and with one that knows nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from estimator.tiny_predictor import tiny_config, untrained
from filmed_person import FIRST_GREY, GREY_STEP, NUM_FRAMES, RATE, Brightness, Filmed, copied, film

from odah.errors import InputError
from odah.estimator.batch import Pictures, Prediction
from odah.estimator.checkpoint import Checkpoint
from odah.estimator.config import TrainConfig
from odah.estimator.inputs.reference import angles_in_reference
from odah.estimator.predict import infer, opening
from odah.estimator.predict.options import PredictOptions
from odah.estimator.predict.run import Predicted, predict
from odah.estimator.skeleton import ANGLES
from odah.motion.trc import read_trc
from odah.names import OPENSIM_COORDINATES, OPENSIM_JOINTS
from odah.osim import ForwardKinematics, read_model
from odah.osim.reference import places_with_opensim
from odah.osim.storage import read_coordinates
from odah.render.video import read_frames

_PELVIS_PLACE = [OPENSIM_COORDINATES.index(name) for name in ("pelvis_tx", "pelvis_ty", "pelvis_tz")]


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    return film(tmp_path_factory.mktemp("filmed") / "trial")


class Oracle(torch.nn.Module):
    """Reads the frame's number off the brightness of the person and answers with the truth about it."""

    def __init__(self, filmed: Filmed, config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.filmed, self.config = filmed, config.network
        self.numbers: list[list[int]] = []
        prepare = infer.prepare

        def remembered(*args: Any, **kwargs: Any) -> Any:
            self.prepared = prepare(*args, **kwargs)
            return self.prepared

        monkeypatch.setattr(infer, "prepare", remembered)

    def forward(self, pictures: Pictures, is_frame: torch.Tensor) -> Prediction:
        numbers = self._numbers(pictures)
        self.numbers.append(numbers)
        reference = self.prepared.reference
        truth = torch.from_numpy(self.filmed.coordinates[numbers]).float()[None]
        to_ref = reference.rotmats.mT
        place = truth[..., _PELVIS_PLACE] - reference.centres
        angles = angles_in_reference(truth, reference.rotmats)
        return Prediction(
            angles=angles,
            scales=torch.from_numpy(self.filmed.scale_factors).float()[None, None],
            pelvis=torch.einsum("bij,btj->bti", to_ref, place) if self.config.tells_pelvis else None,
            errors=torch.full_like(angles, 0.1) if self.config.tells_errors else None,
        )

    def _numbers(self, pictures: Pictures) -> list[int]:
        mean, std = 0.449, 0.226  # about ImageNet's, of all three colours
        grey = (pictures.images.mean(dim=3) * std + mean) * 255
        masks = self.prepared.masks
        by_view = []
        for v in range(2):
            if not bool(pictures.is_view[0, v]):
                continue
            # Encoding takes about 4 off.
            greys = [float(g[m].quantile(0.8)) for g, m in zip(grey[0, v], masks[0, v], strict=True)]
            by_view.append([round((value + 4 - FIRST_GREY) / GREY_STEP) for value in greys])
        assert all(numbers == by_view[0] for numbers in by_view), "the views show different times"
        return by_view[0]


def run(filmed: Filmed, out: Path, trained: Checkpoint, videos: int = 2, **options: Any) -> Predicted:
    options = {"masks": filmed.masks()[:videos], "has_overlay": False, **options}
    return predict(trained, filmed.videos()[:videos], [filmed.calibration], out, PredictOptions(**options))


def true_run(
    filmed: Filmed, out: Path, config: TrainConfig, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[Predicted, np.ndarray]:
    """What came out and the coordinates in kinematics.mot, rad and m."""
    oracle = Oracle(filmed, config, monkeypatch)
    predicted = run(filmed, out, Checkpoint(oracle, config, {}), **options)  # type: ignore[arg-type]
    model = read_model(out / "model.osim")
    return predicted, read_coordinates(out / "kinematics.mot", model).values


@pytest.mark.parametrize("reference", ["camera", "ground"])
def test_the_truth_comes_out_as_it_went_in(
    filmed: Filmed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    config = tiny_config(data__reference=reference, data__rate=None)
    predicted, coordinates = true_run(filmed, tmp_path / "out", config, monkeypatch)
    difference = coordinates - filmed.coordinates
    angles = [k for k, name in enumerate(OPENSIM_COORDINATES) if name in ANGLES]
    difference[:, angles] = np.angle(np.exp(1j * difference[:, angles]))
    assert np.abs(np.rad2deg(difference[:, angles])).max() < 0.01
    assert np.abs(difference[:, _PELVIS_PLACE]).max() < 1e-5
    model = read_model(tmp_path / "out" / "model.osim")
    joints = ForwardKinematics(model)(torch.from_numpy(coordinates)).joints.numpy()
    np.testing.assert_allclose(joints, filmed.joints, atol=1e-4)
    assert predicted.mean_inside > 0.99
    assert set(predicted.inside) == {"cam_a", "cam_b"}


def test_between_the_networks_frames_the_motion_is_interpolated(
    filmed: Filmed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, coordinates = true_run(filmed, tmp_path / "out", tiny_config(), monkeypatch)
    assert coordinates.shape == filmed.coordinates.shape
    difference = coordinates - filmed.coordinates
    assert np.abs(np.rad2deg(np.angle(np.exp(1j * difference)))).max() < 0.1


def test_a_bent_lens_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bent = film(tmp_path / "bent", distortion=(-0.3, 0.1, 0.002, -0.003))
    predicted, coordinates = true_run(bent, tmp_path / "out", tiny_config(), monkeypatch)
    assert np.abs(coordinates[:, _PELVIS_PLACE] - bent.coordinates[:, _PELVIS_PLACE]).max() < 1e-3
    assert predicted.mean_inside > 0.99


def test_where_the_pelvis_is_not_told_the_points_say_it(
    filmed: Filmed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(network__tells_pelvis=False, network__tells_errors=False)
    predicted, coordinates = true_run(filmed, tmp_path / "out", config, monkeypatch)
    away = coordinates[:, _PELVIS_PLACE] - filmed.coordinates[:, _PELVIS_PLACE]
    assert np.linalg.norm(away, axis=1).max() < 0.2
    assert any("does not tell where the pelvis is" in note for note in predicted.notes)
    header = (tmp_path / "out" / "angles.csv").read_text().splitlines()[0]
    assert "error" not in header


def test_frames_without_anybody_are_bridged_and_flagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = (0, 1, 12, 13, 14, 15)
    gappy = film(tmp_path / "gappy", hidden=hidden)
    config = tiny_config(data__rate=None)
    predicted, coordinates = true_run(gappy, tmp_path / "out", config, monkeypatch)
    rows = list(csv.DictReader((tmp_path / "out" / "angles.csv").open()))
    assert [t for t, row in enumerate(rows) if row["seen_cam_a"] == "0"] == list(hidden)
    assert all((row["knee_angle_r_error_deg"] == "") == (t in hidden) for t, row in enumerate(rows))
    np.testing.assert_allclose(coordinates[0], coordinates[2], atol=1e-9)
    difference = np.angle(np.exp(1j * (coordinates - gappy.coordinates)))[2:]
    assert np.abs(np.rad2deg(difference)).max() < 1
    assert sum("85% of the frames" in note for note in predicted.notes) == 2


def test_a_side_video_that_began_late_is_put_right_by_its_offset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = film(tmp_path / "late", late=5)
    config = tiny_config(data__rate=None)
    predicted, coordinates = true_run(late, tmp_path / "out", config, monkeypatch, offset=-5)
    assert predicted.estimate.times[0] == pytest.approx(5 / RATE)
    difference = np.angle(np.exp(1j * (coordinates - late.coordinates[5:])))
    assert np.abs(np.rad2deg(difference)).max() < 0.01


@pytest.mark.parametrize("num_views", [1, 2])
def test_files_are_valid_and_agree(filmed: Filmed, tmp_path: Path, num_views: int) -> None:
    out = tmp_path / "out"
    predicted = run(
        filmed, out, untrained(tiny_config()), num_views,
        views=("cam_a", "cam_b")[:num_views], rate=60.0, mass=61.5, has_overlay=True,
    )  # fmt: skip
    names = {"model.osim", "kinematics.mot", "markers.trc", "angles.csv", "prediction.json", "overlay.mp4"}
    assert {path.name for path in out.iterdir()} == names
    model = read_model(out / "model.osim")
    assert model.mass == pytest.approx(61.5)
    motion = read_coordinates(out / "kinematics.mot", model)
    assert motion.rate == pytest.approx(60)
    assert motion.num_frames == 2 * NUM_FRAMES - 1
    markers = read_trc(out / "markers.trc")
    pose = ForwardKinematics(model)(torch.from_numpy(motion.values))
    np.testing.assert_allclose(markers.positions, pose.markers.numpy(), atol=1e-5)
    opened = places_with_opensim(out / "model.osim", out / "kinematics.mot", {"joint": OPENSIM_JOINTS})
    np.testing.assert_allclose(opened["joint"], pose.joints.numpy(), atol=1e-5)
    record = json.loads((out / "prediction.json").read_text())
    assert len(record["videos"]) == num_views
    assert any("one view" in note for note in predicted.notes) == (num_views == 1)
    pictures = list(read_frames(out / "overlay.mp4"))
    assert len(pictures) == NUM_FRAMES // 2 + 1  # at the network's rate
    assert pictures[0].shape == (200, 240 * num_views, 3)


def test_the_table_names_units_and_every_coordinate_once(filmed: Filmed, tmp_path: Path) -> None:
    """`_deg` in degrees, `_m` in m; each angle that the network tells has an expected error in degrees."""
    predicted = run(filmed, tmp_path / "out", untrained(tiny_config()))
    rows = list(csv.DictReader((tmp_path / "out" / "angles.csv").open()))
    places = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
    names = [f"{name}_m" if name in places else f"{name}_deg" for name in OPENSIM_COORDINATES]
    errors = [f"{name}_error_deg" for name in ANGLES]
    assert list(rows[0]) == ["time_s", *names, *errors, "seen_cam_a", "seen_cam_b"]
    estimate = predicted.estimate
    assert estimate.errors is not None
    for t in (0, 17, NUM_FRAMES - 1):
        values = {name: float(value) for name, value in rows[t].items()}
        row = dict(zip(OPENSIM_COORDINATES, estimate.coordinates[t], strict=True))
        expected = dict(zip(ANGLES, np.rad2deg(estimate.errors[t]), strict=True))
        assert values["time_s"] == pytest.approx(t / RATE, abs=1e-6)
        assert values["pelvis_ty_m"] == pytest.approx(row["pelvis_ty"], rel=1e-5)
        for name in ("pelvis_list", "knee_angle_l", "lumbar_bending"):
            assert values[f"{name}_deg"] == pytest.approx(np.rad2deg(row[name]), rel=1e-5)
            assert values[f"{name}_error_deg"] == pytest.approx(expected[name], rel=1e-5)
        assert values["seen_cam_b"] == 1


def test_the_pelvis_errors_come_through_in_degrees(
    filmed: Filmed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_run(filmed, tmp_path / "out", tiny_config(), monkeypatch)
    (row, *_) = csv.DictReader((tmp_path / "out" / "angles.csv").open())
    for name in ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "wrist_flex_l"):
        assert float(row[f"{name}_error_deg"]) == pytest.approx(np.rad2deg(0.1), rel=1e-4)


def test_a_side_video_that_is_shorter_slower_and_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half the frames of half the size, and the last ones are missing."""
    trial = film(tmp_path / "trial")
    for path in (trial.videos()[1], trial.masks()[1]):
        copied(path, path, rate=RATE / 2, numbers=range(0, 31, 2), scale=0.5)
    predicted, coordinates = true_run(trial, tmp_path / "out", tiny_config(), monkeypatch)
    assert len(coordinates) == 31
    difference = coordinates - trial.coordinates[:31]
    assert np.abs(difference[:, _PELVIS_PLACE]).max() < 1e-3
    assert np.abs(np.rad2deg(np.angle(np.exp(1j * difference)))).max() < 0.1
    assert predicted.mean_inside > 0.97
    told = " ".join(predicted.notes)
    for words in ("30 and 15 frames/s", "120 x 100 px", "another resolution", "cam_a.mp4 goes on for 0.33 s"):
        assert words in told


def test_of_two_people_the_same_one_is_followed_in_both_views(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BlazePoseSegmenter", Brightness)
    crowd = film(tmp_path / "crowd", bystander=True)
    predicted, coordinates = true_run(crowd, tmp_path / "out", tiny_config(), monkeypatch, masks=None)
    assert np.abs(coordinates[:, _PELVIS_PLACE] - crowd.coordinates[:, _PELVIS_PLACE]).max() < 1e-2
    assert min(predicted.inside.values()) > 0.97
    assert sum("up to 2 people" in note for note in predicted.notes) == 2


def test_the_same_videos_give_the_same_files(filmed: Filmed, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(filmed, tmp_path / name, untrained(tiny_config()), draws=2)
    for name in ("kinematics.mot", "model.osim", "markers.trc", "angles.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"views": ("cam_a", "cam_c")}, "no camera 'cam_c' in the calibration"),
        ({"offset": 41}, "--offset: found 41, beyond the end of the video"),
        ({"masks": (Path("one.mkv"),)}, "--masks: found 1, expected 2"),
    ],
)
def test_mistakes_are_told_in_a_sentence_and_leave_nothing(
    filmed: Filmed, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        run(filmed, tmp_path / "out", untrained(tiny_config()), **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"up": "w"}, "--up: found 'w'"),
        ({"rate": 0.0}, "--rate: found 0"),
        ({"mass": -3.0}, "--mass: found -3"),
        ({"masks": (Path("a"),), "yolo": Path("b")}, "--yolo: found also --masks"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        PredictOptions(**options)


def test_a_video_without_anybody_and_an_out_folder_that_is_a_file(tmp_path: Path) -> None:
    empty = film(tmp_path / "empty", hidden=tuple(range(NUM_FRAMES)))
    with pytest.raises(InputError, match=r"cam_a.mp4: found nobody in any of 21 frames, expected a person"):
        run(empty, tmp_path / "out", untrained(tiny_config()))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="file: found a file, expected a folder"):
        run(empty, tmp_path / "file", untrained(tiny_config()))
