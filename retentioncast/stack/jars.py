"""Brings the jars that debezium/pom.xml pins, once a machine and version of that file."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retentioncast.core.errors import StackError
from retentioncast.stack.java import Java
from retentioncast.stack.paths import CHECKOUT

POM = CHECKOUT / "debezium" / "pom.xml"
#: The pom's profiles and the folder that each fills.
FOLDERS = {"kafka": "kafka", "debezium": "plugins/debezium"}
DEADLINE_S = 900
#: The certificate authorities that a Debian or Ubuntu trusts, as Java reads them.
TRUSTED = Path("/etc/ssl/certs/java/cacerts")


@dataclass(frozen=True, slots=True)
class Jars:
    """Where the jars are: `kafka` is the class path of Kafka and Connect, `plugins` Connect's plugin path."""

    folder: Path

    @property
    def classpath(self) -> str:
        return f"{self.folder / 'kafka'}/*"

    @property
    def plugins(self) -> Path:
        return self.folder / "plugins"

    @property
    def complete(self) -> bool:
        return self.folder.is_dir()


def cached_jars(environment: Mapping[str, str], home: Path) -> Jars:
    """The folder for this pom.xml in the user's cache, shared by all homes; in the home where there is no cache."""
    base = environment.get("XDG_CACHE_HOME") or (environment.get("HOME", "") and f"{environment['HOME']}/.cache")
    version = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    cache = Path(base) / "retentioncast" if base else home / "cache"
    if not _writable(cache):
        cache = home / "cache"
    return Jars(cache / f"jars-{version}")


def fetch_jars(jars: Jars, java: Java) -> None:
    """Copy all jars into the cache, whole or not at all."""
    if jars.complete:
        return
    jars.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.folder.parent, prefix="jars-new-") as fresh:
        for profile, folder in FOLDERS.items():
            _copy_dependencies(profile, Path(fresh) / "jars" / folder, java)
        _check(Path(fresh) / "jars")
        try:
            (Path(fresh) / "jars").rename(jars.folder)
        except OSError:
            # Somebody else has just brought them.
            if not jars.complete:
                raise


def _copy_dependencies(profile: str, folder: Path, java: Java) -> None:
    maven = shutil.which("mvn") or str(CHECKOUT / "mvnw")
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    command = [maven, "--batch-mode", "--quiet", "-f", str(POM), "-P", profile, *goal]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
            env=_environment(java),
            cwd=CHECKOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"Maven ({maven}) did not bring the jars: {error}.", _NEXT_STEP) from error
    if done.returncode:
        raise StackError(f"Maven ({maven}) did not bring the jars: {_reason(done)}", _NEXT_STEP)


def _environment(java: Java) -> dict[str, str]:
    options = [os.environ.get("MAVEN_OPTS", "")]
    if home := os.environ.get("HOME"):
        # Java asks the account for its home, not the environment; ./mvnw does as the shell does.
        options.append(f"-Duser.home={shlex.quote(home)}")
    if TRUSTED.exists():
        # A Java from a wheel trusts its own list only; this machine may trust more (a company's proxy).
        options.append(f"-Djavax.net.ssl.trustStore={TRUSTED}")
    return {**os.environ, "JAVA_HOME": str(java.home), "MAVEN_OPTS": " ".join(filter(None, options))}


_NEXT_STEP = (
    "Check that the Maven registry answers (a mirror or proxy goes into ~/.m2/settings.xml, "
    "for ./mvnw itself into MVNW_REPOURL), then run it again: nothing half fetched was kept."
)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    first = next((line for line in lines if "ERROR" in line), lines[-1] if lines else f"exit code {done.returncode}")
    return first.removeprefix("[ERROR]").strip()[:600]


def _check(folder: Path) -> None:
    for name in FOLDERS.values():
        if not any((folder / name).glob("*.jar")):
            raise StackError(f"Maven ended without an error but brought no jars for {name}.", _NEXT_STEP)


def _writable(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
