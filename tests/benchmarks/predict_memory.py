"""How much memory `odah predict` needs, and how that grows with the length of the videos.

    python tests/benchmarks/predict_memory.py [--seconds 30 120] [--width 320] [--height 240] [--network FILE]

Two small videos of noise with a moving white ellipse as the person, masks given, each length in a process of
its own. Prints the peak of the resident memory of each, the growth a minute, and what ten minutes would need.
Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from odah.estimator.checkpoint import save_checkpoint
from odah.estimator.config import TrainConfig
from odah.estimator.config_file import load_train_config
from odah.estimator.network.two_view import TwoViewNetwork
from odah.render.video import VideoWriter
from odah.scene.calibration import save_cameras
from odah.scene.camera import Camera, look_at

_RATE = 30
_PLACES = {"front": (3.5, 0.0, 1.0), "side": (0.0, -3.5, 1.0)}
_RUN = """
import json, resource, sys
from pathlib import Path
from odah.estimator.predict.options import PredictOptions
from odah.estimator.predict.run import predict
network, folder = sys.argv[1], Path(sys.argv[2])
names = ("front", "side")
masks = tuple(folder / f"{name}.mkv" for name in names)
videos = [folder / f"{name}.mp4" for name in names]
predict(network, videos, [folder / "cameras.json"], folder / "out", PredictOptions(masks=masks))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def write_trial(folder: Path, seconds: float, width: int, height: int) -> None:
    """Videos, masks and a calibration."""
    cameras = [
        Camera.from_lens(name, look_at(place, (0, 0, 1)), width, height) for name, place in _PLACES.items()
    ]
    save_cameras(folder / "cameras.json", cameras)
    noise = np.random.default_rng(0).integers(0, 80, (height, width, 3), np.uint8)
    for camera in cameras:
        pictures = VideoWriter(folder / f"{camera.name}.mp4", "libx264", (width, height), _RATE)
        masks = VideoWriter(folder / f"{camera.name}.mkv", "ffv1", (width, height), _RATE)
        with pictures, masks:
            for t in range(round(seconds * _RATE)):
                middle = np.array([0.2 * np.sin(t / 20), 0.2 * np.cos(t / 20), 1.0])
                corners = camera.project(middle + np.array([[-0.2, -0.2, 0.8], [0.2, 0.2, -0.8]]))
                mask = np.zeros((height, width), np.uint8)
                (x0, y0), (x1, y1) = np.rint(corners).astype(int).tolist()
                cv2.ellipse(mask, (((x0 + x1) / 2, (y0 + y1) / 2), (abs(x1 - x0), abs(y1 - y0)), 0), 255, -1)
                pictures.write(np.where(mask[..., None] > 0, np.uint8(200), noise))
                masks.write(mask)


def peak_mb(network: Path, folder: Path) -> float:
    """MiB, of a process that predicts."""
    command = [sys.executable, "-c", _RUN, str(network), str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(result.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs=2, default=(30.0, 120.0))
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--config", type=Path, default=Path("configs/train/compact.yaml"))
    parser.add_argument("--network", type=Path, help="a trained one; else an untrained one of the config")
    arguments = parser.parse_args()
    report: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        network = arguments.network or _untrained(
            Path(name) / "model.pt", load_train_config(arguments.config)
        )
        for seconds in arguments.seconds:
            folder = Path(name) / f"{seconds:g}"
            folder.mkdir()
            write_trial(folder, seconds, arguments.width, arguments.height)
            began = time.monotonic()
            report[f"peak_mb_of_{seconds:g}_s"] = round(peak_mb(network, folder))
            report[f"wall_s_of_{seconds:g}_s"] = round(time.monotonic() - began, 1)
    low, high = (report[f"peak_mb_of_{seconds:g}_s"] for seconds in arguments.seconds)
    growth = (high - low) / (arguments.seconds[1] - arguments.seconds[0]) * 60
    report |= {"growth_mb_a_minute": round(growth, 1), "ten_minutes_mb": round(low + 10 * growth)}
    print(json.dumps(report))


def _untrained(path: Path, config: TrainConfig) -> Path:
    save_checkpoint(path, TwoViewNetwork(config.network, config.data), config, {})
    return path


if __name__ == "__main__":
    main()
