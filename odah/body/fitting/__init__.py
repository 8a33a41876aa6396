"""Fitting a body to a skeleton or to markers that move (cf. MoSh++)."""
