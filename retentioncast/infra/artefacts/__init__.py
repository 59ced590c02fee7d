"""The model store: versions of fitted models in a folder or a bucket, never half there, and which of them is in force.

    versions/<version>/<name>.json, .nc    the models' parameters and draws
    versions/<version>/manifest.json       written last: without it, and without every file as it says, there is none
    promotions/<number>.json               one a promotion, never changed; the highest number is in force

Nothing is ever overwritten: every file is created, once, and who comes second is told. So a reader needs no lock, and
of two who promote at the same moment one wins. (Nothing but JSON and netCDF: a pickle is someone else's code.)
"""
