"""The shape of a person: betas, bone lengths, their statistics, and the model scaled to them."""
