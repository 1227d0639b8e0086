"""End to end: the unchanged product in the local stack, judged from outside."""
