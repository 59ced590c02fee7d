"""Before anything here loads numpy: its BLAS works in one thread, unless told otherwise.

All that it is given is small. Ten fits with draws to 3,000 customers took 1.2 s with one thread and 10 s with two, on
two busy cores: threads that wait for each other spin. What is large runs in kernels of our own, two at a time.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
