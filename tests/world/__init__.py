"""The product's flows in one process with one seed: twins of every port, a scheduler, faults, promises."""
