"""Bodies: SMPL-X's interface, the open body, and moving meshes.

Start from `odah.body.model.load_body`. This package imports nothing by itself, so that its plain data
types (`odah.body.mesh`) stay free of torch.
"""
