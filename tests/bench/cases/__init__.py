"""Every case of the bench, in the order of a whole run."""

from cases import footprint, growth, micro, serverless, syscalls, traffic

ALL = [*traffic.CASES, *footprint.CASES, *syscalls.CASES, *growth.CASES, *micro.CASES, *serverless.CASES]
