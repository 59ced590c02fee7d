"""Every setting of RetentionCast in one nested object: from the environment, then the home's settings.toml.

`RETENTIONCAST_KAFKA__PARTITIONS=8` sets `kafka.partitions`. docs/operations.md says what each one does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from retentioncast.core.errors import InvalidSettings
from retentioncast.infra.settings_problems import ENV_PREFIX as ENV_PREFIX
from retentioncast.infra.settings_problems import describe_source, describe_values, unknown_variables

SETTINGS_FILE = "settings.toml"
_NEXT_STEP_OF_SOURCE = "Correct it, or give yourself the right to read it; docs/operations.md lists every setting."
_NEXT_HOME = f"Remove that line; {ENV_PREFIX}HOME chooses another home."
ROLES = ("owner", "simulator", "debezium", "consumer", "scorer", "reader")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Passwords(_Section):
    """One login a role; the stack makes them at its first start."""

    owner: SecretStr = SecretStr("retentioncast")
    simulator: SecretStr = SecretStr("retentioncast")
    debezium: SecretStr = SecretStr("retentioncast")
    consumer: SecretStr = SecretStr("retentioncast")
    scorer: SecretStr = SecretStr("retentioncast")
    reader: SecretStr = SecretStr("retentioncast")


class PostgresSettings(_Section):
    """Where the database is (analytics and scores: Postgres 18 or later) and how each role logs in."""

    host: str = "127.0.0.1"
    port: int = Field(54320, ge=1, le=65535)
    database: str = "retentioncast"
    #: Login names are `<role_prefix>_<role>`: retentioncast_reader, …; the owner is `<role_prefix>` itself.
    role_prefix: str = Field("retentioncast", pattern=r"^[a-z_][a-z0-9_]*$")
    passwords: Passwords = Passwords()
    connect_timeout_s: int = Field(10, ge=1)


class KafkaSettings(_Section):
    """Where Kafka is and how the topics are laid out."""

    bootstrap: str = "127.0.0.1:59092"
    #: Kafka allows 249 characters a topic; the table's name comes behind this.
    topic_prefix: str = Field("retentioncast", pattern=r"^[A-Za-z0-9._-]+$", max_length=200)
    partitions: int = Field(4, ge=1, le=1000)
    replication_factor: int = Field(1, ge=1)


class ConnectSettings(_Section):
    """Where Kafka Connect is, and what Debezium is told that is not fixed in debezium/connector.json."""

    url: str = "http://127.0.0.1:58083"
    connector: str = "retentioncast"
    slot: str = Field("retentioncast", pattern=r"^[a-z0-9_]{0,63}$")
    publication: str = Field("retentioncast", pattern=r"^[a-z_][a-z0-9_]*$")
    #: Where the Connect worker reaches the shop's Postgres; empty: as in `postgres`.
    database_host: str = ""
    database_port: int = Field(0, ge=0, le=65535)


class SimulatorSettings(_Section):
    """The demo shop."""

    customers: int = Field(2000, ge=1)
    history: str = Field("18mo", pattern=r"^\d+(d|w|mo|y)$")
    load: Literal["quiet", "normal", "busy", "flood"] = "normal"
    seed: int = Field(42, ge=0)
    #: A file that says who the customers are (docs/models/populations.md); empty: the demo shop's own.
    population: str = ""


class OnlineSettings(_Section):
    """The online learner inside the consumer."""

    enabled: bool = True


class ConsumerSettings(_Section):
    """How the consumer reads and writes."""

    group: str = "retentioncast-consumer"
    #: A name that this process keeps over restarts: it gets its partitions back without a rebalance. Empty: none.
    instance: str = ""
    #: How many consumer processes the native stack runs; at most the number of partitions are busy.
    processes: int = Field(1, ge=1, le=64)
    batch_size: int = Field(20_000, ge=1)
    #: Batches that wait between the reader and the writer.
    queue_batches: int = Field(2, ge=1)
    #: How long a failing database is waited for before the process gives up and is restarted.
    retry_deadline_s: float = Field(120.0, ge=0)
    online: OnlineSettings = OnlineSettings()


class JudgingSettings(_Section):
    """How a refit is judged before it is published, and which predictions are kept to be judged later."""

    enabled: bool = True
    #: Whether the service judges its first run, when nothing is in force yet; false: first scores come sooner.
    first_run: bool = False
    #: Backtests look at a sample of at most about so many customers.
    customers: int = Field(20_000, ge=100)
    #: Days of the stream between two runs whose predictions are kept.
    keep_every_days: int = Field(10, ge=1)
    #: Predictions are kept of at most about so many customers.
    kept_customers: int = Field(10_000, ge=1)


class SegmentsSettings(_Section):
    """The value of customers and segments by the hierarchical model: refitted beside the scores."""

    enabled: bool = True
    #: From the beginning of one refit to the next.
    period_s: float = Field(900.0, gt=0)
    by: Literal["channel", "country", "plan"] = "channel"
    #: What fits may take together; a refit that takes twice as long is ended.
    budget_s: float = Field(600.0, gt=0)


class ScorerSettings(_Section):
    """When and on what the scorer fits."""

    period_s: float = Field(60.0, gt=0)
    #: Fewer customers than this: no fit, and `scores.model_runs` says so.
    min_customers: int = Field(100, ge=2)
    value_horizon_days: int = Field(364, ge=1)
    discount_rate: float = Field(0.10, ge=0, lt=1)
    #: The share of customers whose future value should fall between *_low and *_high.
    interval: float = Field(0.8, gt=0, lt=1)
    draws: int = Field(200, ge=20)
    seed: int = Field(42, ge=0)
    judging: JudgingSettings = JudgingSettings()
    segments: SegmentsSettings = SegmentsSettings()


class ModelsSettings(_Section):
    """Where fitted models are kept."""

    #: A folder, gs://bucket/folder or s3://bucket/folder; empty: the folder `models` of the home.
    url: str = ""
    #: Where `retentioncast models push` and `pull` go unless told otherwise; empty: they must be told.
    remote: str = ""
    #: The newest versions that are kept, beside the one in force and those that were promoted by hand.
    keep: int = Field(100, ge=2)
    timeout_s: float = Field(20.0, gt=0)


class StackSettings(_Section):
    """Which kind of stack runs here, and the size of the native one."""

    kind: Literal["native", "docker"] = "native"
    #: The simulator runs with the stack (a demo); false: an empty shop.
    demo: bool = True
    kafka_heap: str = Field("512m", pattern=r"^\d+[mg]$")
    connect_heap: str = Field("512m", pattern=r"^\d+[mg]$")


class LogSettings(_Section):
    """How the services log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    json_lines: bool = False


class Settings(BaseSettings):
    """All settings; read once by the entry point, then passed in."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    home: Path = Path(".retentioncast")
    postgres: PostgresSettings = PostgresSettings()
    kafka: KafkaSettings = KafkaSettings()
    connect: ConnectSettings = ConnectSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    consumer: ConsumerSettings = ConsumerSettings()
    scorer: ScorerSettings = ScorerSettings()
    models: ModelsSettings = ModelsSettings()
    stack: StackSettings = StackSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = find_home() / SETTINGS_FILE
        of_home = TomlConfigSettingsSource(settings_cls, toml_file=file)
        if "home" in of_home.toml_data:
            raise InvalidSettings(f"{file} sets home, but it is found there because that is the home.", _NEXT_HOME)
        return init_settings, env_settings, of_home


def find_home() -> Path:
    """RETENTIONCAST_HOME, else `.retentioncast` beside the checkout that this code runs from."""
    asked = os.environ.get(f"{ENV_PREFIX}HOME")
    return Path(asked).resolve() if asked else Path(__file__).resolve().parents[2] / ".retentioncast"


def load_settings(**overrides: object) -> Settings:
    """The validated settings. Errors: InvalidSettings names the setting, its variable, the value and what is allowed,
    or the variable or file that cannot be read."""
    file = find_home() / SETTINGS_FILE
    if unknown := unknown_variables(os.environ, Settings):
        raise InvalidSettings(" ".join(unknown), "Correct or unset it; docs/operations.md lists every setting.")
    try:
        return Settings(**{"home": find_home(), **overrides})  # type: ignore[arg-type]
    except ValidationError as error:
        next_step = f"Correct it in the environment or in {file}; docs/operations.md lists every setting."
        raise InvalidSettings(describe_values(error, Settings), next_step) from error
    except (SettingsError, OSError, ValueError) as error:
        raise InvalidSettings(describe_source(error, file), _NEXT_STEP_OF_SOURCE) from error
