"""The mean pose is a mean on the circle, told in the camera's axes and back."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dataset.synthetic import Synthetic

from odah.dataset.reader import Clip, ClipLabels
from odah.errors import InputError
from odah.estimator.config import DataConfig
from odah.estimator.evaluation.mean_pose import coordinates_of, label_reference, mean_pose
from odah.estimator.inputs.reference import angles_in_ground, angles_in_reference
from odah.estimator.skeleton import ANGLES
from odah.names import OPENSIM_COORDINATES

GROUND, CAMERA = DataConfig(), DataConfig(reference="camera")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    dataset = Synthetic({"subject001_a": 4, "subject002_b": 2}).write(tmp_path_factory.mktemp("d") / "d")
    return list(dataset)


def with_labels(clip: Clip, **changes: np.ndarray) -> Clip:
    other = Clip(clip.folder, clip.paths, clip.info)
    other.__dict__["labels"] = replace(clip.labels, **changes)
    return other


def labels_of(clip: Clip) -> ClipLabels:
    return clip.labels


def test_angles_are_meant_on_the_circle_and_frames_count_alike(clips: list[Clip]) -> None:
    rotation, knee = (OPENSIM_COORDINATES.index(name) for name in ("pelvis_rotation", "knee_angle_r"))
    first, second = np.zeros((4, 39), np.float32), np.zeros((2, 39), np.float32)
    first[:, rotation], second[:, rotation] = np.pi - 0.1, -np.pi + 0.1
    first[:, knee], second[:, knee] = 0.3, 0.6
    changed = [with_labels(clips[0], coordinates=first), with_labels(clips[1], coordinates=second)]
    mean = mean_pose(changed, GROUND, "front")
    angles = dict(zip(ANGLES, mean.angles.tolist(), strict=True))
    on_circle = np.angle(4 * np.exp(1j * (np.pi - 0.1)) + 2 * np.exp(1j * (-np.pi + 0.1)))
    assert angles["pelvis_rotation"] == pytest.approx(on_circle, abs=1e-5)
    assert angles["knee_angle_r"] == pytest.approx(0.4, abs=2e-3)
    scales = (4 * clips[0].labels.scale_factors + 2 * clips[1].labels.scale_factors) / 6
    np.testing.assert_allclose(mean.scales, scales, rtol=1e-6)


def test_who_always_turns_to_the_camera_does_so_wherever_the_camera_is(clips: list[Clip]) -> None:
    """One clip, seen from two sides: in the camera's axes the mean follows the camera."""
    clip = clips[0]
    upright = with_labels(clip, coordinates=np.zeros((4, 39), np.float32))
    turned = []
    for view in (0, 1):
        reference = label_reference(upright.labels, CAMERA, view)
        mean = mean_pose([upright], CAMERA, clip.views[view])
        back = mean.prediction(reference, 3).angles
        assert back.shape == (1, 3, 36)
        np.testing.assert_allclose(back, 0, atol=1e-5)
        turned.append(float(mean.angles[ANGLES.index("pelvis_rotation")]))
    assert abs(turned[0] - turned[1]) > 1.0


def test_reference_is_that_of_the_labels(clips: list[Clip]) -> None:
    labels = labels_of(clips[1])
    ground = label_reference(labels, GROUND, 0)
    np.testing.assert_array_equal(ground[0], np.eye(3))
    camera = label_reference(labels, CAMERA, 1)
    told = angles_in_reference(coordinates_of(labels), camera)
    back = angles_in_reference(coordinates_of(labels), ground)
    torch.testing.assert_close(angles_in_ground(told, camera)[..., 3:], back[..., 3:])


def test_without_clips_there_is_none() -> None:
    with pytest.raises(InputError, match="no clips"):
        mean_pose([], GROUND, "front")
