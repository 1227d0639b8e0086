"""infra/ is held to the code, to the simulator and to the published resource types."""
