"""Virtual time of the local stack: real time at x1 that jumps ahead when nothing is left to do.

One conductor (conductor.py) asks the followers (followers.py) whether anything is left to do, chooses the next instant
and the order of moving (order.py, pure), and runs the scenes of a scenario (stage.py). `python -m local.clock -- …`
runs a command line at the stack's present instant. Nothing of this is known to the product.
"""
