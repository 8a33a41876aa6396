"""How close a motion stays when it is brought from another model to the full-body one.

python tests/benchmarks/transfer.py MOTION.mot MODEL.osim [MOTION MODEL ...]

Prints for each: frames, seconds, how far joint centres are (among the notes, mm RMS) and, for
coordinates that both models call alike, the mean and largest difference (degrees). A knee that counts flexion
negative is compared with its sign turned.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch

from odah.osim.full_body import full_body_model
from odah.osim.kinematics import Kinematics, load_opensim_motion
from odah.osim.transfer import transfer_kinematics


def angle_differences(found: Kinematics, solved: Kinematics) -> dict[str, np.ndarray]:
    """By name (T,) degrees, of the coordinates of both but shifts and patellae."""
    differences = {}
    for coordinate in solved.model.coordinates:
        name = coordinate.name
        if coordinate.motion_type != "rotational" or name not in found.model.coordinate_names:
            continue
        ours = found.coordinates[:, found.model.coordinate_names.index(name)]
        theirs = solved.coordinates[:, solved.model.coordinate_names.index(name)]
        if name.startswith("knee") and (ours * theirs).mean() < 0:
            theirs = -theirs
        differences[name] = np.rad2deg(ours - theirs)
    return differences


def main() -> None:
    torch.set_num_threads(1)
    names = sys.argv[1:]
    for motion, model in zip(names[::2], names[1::2], strict=True):
        solved = load_opensim_motion(motion, model)
        start = time.perf_counter()
        found = transfer_kinematics(solved, full_body_model())
        seconds = time.perf_counter() - start
        print(f"{motion} on {solved.model.name}: {found.num_frames} frames, {seconds:.1f} s")
        for note in found.notes:
            print(f"  {note}")
        for name, difference in sorted(
            angle_differences(found, solved).items(), key=lambda item: -np.abs(item[1]).mean()
        ):
            mean, largest = np.abs(difference).mean(), np.abs(difference).max()
            print(f"  {name:20s} mean {mean:5.2f}  largest {largest:5.2f} deg")


if __name__ == "__main__":
    main()
