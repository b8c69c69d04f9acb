"""Clients that others wrote, by SASL over TLS and in plaintext on the loopback: who knows the password is let in, and nobody else."""

import asyncio
import ssl
import subprocess

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka import KafkaConsumer, KafkaProducer

from support.certificates import Authority
from support.processes import MILLRACE, MILLRACE_AGENT, Broker, Process, free_port, wait_until

MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
VALUES = [f"line {number}".encode() for number in range(500)]


class AskingBroker(Broker):
    """A listener for the administrator on the loopback, and two that ask: in plaintext and under TLS."""

    def __init__(self, folder, authority):
        super().__init__(folder)
        self.authority = authority
        self.plain_port, self.tls_port = free_port(), free_port()
        self.plain, self.tls = f"localhost:{self.plain_port}", f"localhost:{self.tls_port}"
        certificate, key = authority.issue("agg")
        config = folder / "broker.yaml"
        config.write_text(
            f"""
data: {folder}/broker-data
listeners:
  - {{name: admin, bind: "127.0.0.1:{self.port}"}}
  - {{name: plain, bind: "127.0.0.1:{self.plain_port}", advertise: "{self.plain}", sasl: [PLAIN, SCRAM-SHA-256, SCRAM-SHA-512], reauthentication: 3s}}
  - name: tls
    bind: 127.0.0.1:{self.tls_port}
    advertise: {self.tls}
    tls: {{cert: {certificate}, key: {key}}}
    sasl: [PLAIN, SCRAM-SHA-256, SCRAM-SHA-512]
"""
        )
        self.command = [str(MILLRACE), "broker", "-c", str(config), "--admin", "off"]

    def users(self, *words, **more):
        return subprocess.run(
            [MILLRACE, "users", *words, "--broker", self.address], capture_output=True, text=True, timeout=60, **more
        )


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sasl")
    broker = AskingBroker(folder, Authority(folder / "ca")).start()
    wait_until(lambda: "serves" in broker.tail(), 20, "the broker serves")
    for mechanism in MECHANISMS[1:]:
        made = broker.users("set", "alice", "--mechanism", mechanism, input="alice's, secret=1\n")
        assert made.returncode == 0, made.stderr
    yield broker
    assert broker.is_running, broker.tail()
    assert broker.stop() == 0, broker.tail()
    assert "secret" not in broker.tail(100_000)


def librdkafka(broker, mechanism, encrypted=True, password="alice's, secret=1", user="alice"):
    settings = {
        "bootstrap.servers": broker.tls if encrypted else broker.plain,
        "security.protocol": "sasl_ssl" if encrypted else "sasl_plaintext",
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": password,
    }
    return {**settings, "ssl.ca.location": str(broker.authority.certificate)} if encrypted else settings


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_librdkafka(asking, topic, mechanism, encrypted):
    settings = librdkafka(asking, mechanism, encrypted)
    producer = Producer(settings)
    for value in VALUES:
        producer.produce(topic, value)
    assert producer.flush(30) == 0
    consumer = Consumer({"group.id": f"g-{topic}", "auto.offset.reset": "earliest", **settings})
    consumer.subscribe([topic])
    values = []
    while len(values) < len(VALUES):
        message = consumer.poll(30)
        assert message is not None and message.error() is None, message and message.error()
        values.append(message.value())
    consumer.close()
    assert values == VALUES


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("user, password", [("alice", "another"), ("bob", "alice's, secret=1")])
def test_whoever_does_not_know_it_is_refused(asking, mechanism, user, password):
    errors = []
    admin = AdminClient(
        {**librdkafka(asking, mechanism, user=user, password=password), "error_cb": lambda error: errors.append(error)}
    )
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=3)

    def is_told():
        admin.poll(0.1)
        return any("Authentication failed" in str(error) for error in errors)

    wait_until(is_told, 10, "the client is told why")


def test_whoever_says_nothing_is_refused(asking):
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": asking.plain, "socket.timeout.ms": 2000}).list_topics(timeout=3)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_aiokafka(asking, topic, mechanism):
    own = {
        "bootstrap_servers": asking.tls,
        "security_protocol": "SASL_SSL",
        "ssl_context": ssl.create_default_context(cafile=asking.authority.certificate),
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "alice",
        "sasl_plain_password": "alice's, secret=1",
    }

    async def run():
        producer = AIOKafkaProducer(**own)
        await producer.start()
        for value in VALUES:
            await producer.send(topic, value)
        await producer.stop()
        consumer = AIOKafkaConsumer(topic, auto_offset_reset="earliest", group_id=f"g-{topic}", **own)
        await consumer.start()
        values = [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in VALUES]
        await consumer.stop()
        return values

    assert asyncio.run(run()) == VALUES


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_kafka_python(asking, topic, mechanism):
    own = {
        "bootstrap_servers": asking.tls,
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(asking.authority.certificate),
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "alice",
        "sasl_plain_password": "alice's, secret=1",
    }
    producer = KafkaProducer(**own)
    for value in VALUES:
        producer.send(topic, value)
    producer.flush(30)
    producer.close()
    consumer = KafkaConsumer(topic, auto_offset_reset="earliest", consumer_timeout_ms=30_000, **own)
    values = []
    for message in consumer:
        values.append(message.value)
        if len(values) == len(VALUES):
            break
    consumer.close()
    assert values == VALUES


def test_the_admin_client_manages_users(asking):
    admin = AdminClient({"bootstrap.servers": asking.address})
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192)
    for future in admin.alter_user_scram_credentials([UserScramCredentialUpsertion("carol", info, b"pw")]).values():
        future.result(20)
    listed = admin.describe_user_scram_credentials(["carol"])["carol"].result(20)
    assert [(one.mechanism, one.iterations) for one in listed.scram_credential_infos] == [
        (ScramMechanism.SCRAM_SHA_512, 8192)
    ]
    carol = librdkafka(asking, "SCRAM-SHA-512", user="carol", password="pw")
    assert AdminClient(carol).list_topics(timeout=10).brokers
    assert "carol" in asking.users("--output", "json").stdout
    deletion = UserScramCredentialDeletion("carol", ScramMechanism.SCRAM_SHA_512)
    for future in admin.alter_user_scram_credentials([deletion]).values():
        future.result(20)
    with pytest.raises(KafkaException):
        AdminClient(carol).list_topics(timeout=3)
    assert asking.users("delete", "carol").returncode == 1


def test_agent_pipeline_and_commands(asking, tmp_path, topic):
    secret = tmp_path / "password"
    secret.write_text("alice's, secret=1\n")
    client = f"""
broker: {asking.plain}
sasl: {{mechanism: SCRAM-SHA-512, user: alice, password: '${{file:{secret}}}'}}
"""
    (tmp_path / "client.yaml").write_text(client)
    (tmp_path / "agent.yaml").write_text(
        f"{client}state: {tmp_path}/agent\nsources:\n  - file: {{path: {tmp_path}/app.log, topic: {topic}}}\n"
    )
    (tmp_path / "pipeline.yaml").write_text(
        f"{client}pipeline: {topic}\nfrom: {{topics: [{topic}]}}\nto:\n  - file: {{path: {tmp_path}/out.log}}\n"
    )
    log, out = tmp_path / "app.log", tmp_path / "out.log"
    log.write_text("".join(f"line {number}\n" for number in range(1000)))
    agent = Process("agent", [MILLRACE_AGENT, "run", "-c", tmp_path / "agent.yaml", "--admin", "off"], tmp_path)
    pipeline = Process("pipeline", [MILLRACE, "pipeline", "run", "-c", tmp_path / "pipeline.yaml"], tmp_path)
    tail = [MILLRACE, "tail", topic, "--from", "earliest", "--exit", "--client-config", tmp_path / "client.yaml"]
    lines = lambda: subprocess.run(tail, capture_output=True, text=True, timeout=60).stdout.splitlines()
    try:
        agent.start()
        wait_until(lambda: len(lines()) == 1000, 60, "every line is shipped")
        pipeline.start()
        wait_until(lambda: out.exists() and out.read_text().count("\n") == 1000, 60, "every line is written")
        # Sessions last for three seconds here: connections are replaced under way.
        for number in range(1000, 1020):
            with open(log, "a") as file:
                file.write(f"line {number}\n")
            wait_until(lambda: out.read_text().count("\n") > number, 60, f"line {number} arrives")
        assert sorted(set(lines())) == sorted(lines())
    finally:
        print(agent.tail(), pipeline.tail())
        agent.stop()
        pipeline.stop()
    (tmp_path / "client.yaml").write_text(client.replace(str(secret), str(log)))
    refused = subprocess.run(tail, capture_output=True, text=True, timeout=60)
    assert refused.returncode in (69, 77)
    assert "Authentication failed" in refused.stderr
