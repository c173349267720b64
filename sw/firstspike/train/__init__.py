"""Training, quantisation and export.

`firstspike.train.loop.train` goes from a recipe to a run folder, and
`firstspike.train.exporting.export` from there to a network folder. Everything but
`firstspike.train.recipe` needs torch.
"""
