"""Mutation testing of the rules, the comparison and the terminology: a fault is put into the code, and the tests must see it.

`python -m tests.mutation --share 0.02` (`nox -s mutation`). The faults are cosmic-ray's; the runner is our own, for three reasons:
mutmut 3 passes over every function with a decorator, which is every rule and every cached function; a mutant needs a few of the tests,
not all of them, and which ones follows from the module; and a new Python for each mutant would cost more than its tests.
"""
