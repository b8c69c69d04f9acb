"""Clients that others wrote, over TLS: librdkafka, aiokafka, kafka-python, and Millrace's own commands, agent and pipeline."""

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from kafka import KafkaConsumer, KafkaProducer

from support.certificates import Authority
from support.processes import MILLRACE, MILLRACE_AGENT, Broker, Process, free_port, wait_until


class SecureBroker(Broker):
    """A broker with listeners in plaintext, with TLS, and with TLS that wants client certificates."""

    def __init__(self, folder, authority, kind="ec"):
        super().__init__(folder, name="broker")
        self.authority = authority
        self.tls_port, self.mutual_port = free_port(), free_port()
        self.tls, self.mutual = f"localhost:{self.tls_port}", f"localhost:{self.mutual_port}"
        certificate, key = authority.issue("agg", kind=kind)
        self.certificate, self.key = folder / "broker.pem", folder / "broker.key"
        shutil.copy(certificate, self.certificate)
        shutil.copy(key, self.key)
        config = folder / "broker.yaml"
        config.write_text(
            f"""
data: {folder}/broker-data
listeners:
  - {{name: plain, bind: "127.0.0.1:{self.port}"}}
  - name: tls
    bind: 127.0.0.1:{self.tls_port}
    advertise: {self.tls}
    tls: {{cert: {self.certificate}, key: {self.key}}}
  - name: mutual
    bind: 127.0.0.1:{self.mutual_port}
    advertise: {self.mutual}
    tls: {{cert: {self.certificate}, key: {self.key}, client_ca: {authority.certificate}}}
"""
        )
        self.command = [str(MILLRACE), "broker", "-c", str(config), "--admin", "off"]

    def served_serial(self):
        """The serial number of the certificate that a new connection is shown."""
        context = ssl.create_default_context(cafile=self.authority.certificate)
        with socket.create_connection(("127.0.0.1", self.tls_port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                return secured.getpeercert()["serialNumber"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module", params=["ec", "rsa"])
def secure(tmp_path_factory, authority, request):
    broker = SecureBroker(tmp_path_factory.mktemp("tls"), authority, request.param).start()
    wait_until(lambda: "serves" in broker.tail(), 20, "the broker serves")
    yield broker
    assert broker.is_running, broker.tail()
    assert broker.stop() == 0, broker.tail()


def librdkafka(broker, address=None, **more):
    return {
        "bootstrap.servers": address or broker.tls,
        "security.protocol": "ssl",
        "ssl.ca.location": str(broker.authority.certificate),
        **more,
    }


VALUES = [os.urandom(20_000) for _ in range(300)]


def produce(settings, topic):
    producer = Producer({"linger.ms": 20, **settings})
    for value in VALUES:
        producer.produce(topic, value)
    assert producer.flush(30) == 0


def consume(settings, topic):
    consumer = Consumer({"group.id": f"g-{topic}", "auto.offset.reset": "earliest", **settings})
    consumer.subscribe([topic])
    values = []
    while len(values) < len(VALUES):
        message = consumer.poll(30)
        assert message is not None, f"{len(values)} of {len(VALUES)} records"
        assert message.error() is None, message.error()
        values.append(message.value())
    consumer.close()
    return values


def test_librdkafka(secure, topic):
    produce(librdkafka(secure), topic)
    assert consume(librdkafka(secure), topic) == VALUES
    # Through the other listener the same records: it tells its own address.
    assert consume({"bootstrap.servers": secure.address, "group.id": "plain"}, topic) == VALUES
    metadata = AdminClient(librdkafka(secure)).list_topics(timeout=10)
    assert [broker.port for broker in metadata.brokers.values()] == [secure.tls_port]


def test_librdkafka_with_a_certificate(secure, authority, topic):
    certificate, key = authority.issue("web-1", "DNS:web-1")
    own = {"ssl.certificate.location": str(certificate), "ssl.key.location": str(key)}
    produce(librdkafka(secure, secure.mutual, **own), topic)
    assert consume(librdkafka(secure, secure.mutual, **own), topic) == VALUES


@pytest.mark.parametrize("case", ["no certificate", "a stranger's certificate", "unknown CA", "plaintext"])
def test_refused(secure, tmp_path, case):
    stranger = Authority(tmp_path / "stranger", "stranger-ca")
    if case == "no certificate":
        settings = librdkafka(secure, secure.mutual)
    elif case == "a stranger's certificate":
        certificate, key = stranger.issue("mallory")
        settings = librdkafka(
            secure, secure.mutual, **{"ssl.certificate.location": str(certificate), "ssl.key.location": str(key)}
        )
    elif case == "unknown CA":
        settings = librdkafka(secure, **{"ssl.ca.location": str(stranger.certificate)})
    else:
        settings = {"bootstrap.servers": secure.tls}
    with pytest.raises(KafkaException):
        AdminClient({"socket.timeout.ms": 3000, **settings}).list_topics(timeout=3)
    assert AdminClient(librdkafka(secure)).list_topics(timeout=10).brokers


def test_aiokafka(secure, topic):
    context = ssl.create_default_context(cafile=secure.authority.certificate)
    own = {"bootstrap_servers": secure.tls, "security_protocol": "SSL", "ssl_context": context}

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


def test_kafka_python(secure, topic):
    own = {
        "bootstrap_servers": secure.tls,
        "security_protocol": "SSL",
        "ssl_cafile": str(secure.authority.certificate),
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


def test_what_is_no_tls_is_closed(secure):
    for garbage in [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(100), os.urandom(3000), b"\0\0\0\x10abc"]:
        with socket.create_connection(("127.0.0.1", secure.tls_port), timeout=20) as peer:
            peer.sendall(garbage)
            try:
                while peer.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    assert AdminClient(librdkafka(secure)).list_topics(timeout=10).brokers


@pytest.mark.parametrize("signalled", [False, True])
def test_a_renewed_certificate_is_served_without_a_restart(secure, signalled):
    before = secure.served_serial()
    certificate, key = secure.authority.issue("renewed")
    os.replace(shutil.copy(key, secure.key.with_suffix(".new")), secure.key)
    os.replace(shutil.copy(certificate, secure.certificate.with_suffix(".new")), secure.certificate)
    if signalled:
        secure.child.send_signal(signal.SIGHUP)
    wait_until(lambda: secure.served_serial() != before, 20, "new connections see the new certificate")
    assert AdminClient(librdkafka(secure)).list_topics(timeout=10).brokers


def test_our_own_commands(secure, tmp_path, topic):
    config = tmp_path / "client.yaml"
    config.write_text(f"broker: {secure.tls}\ntls: {{ca: {secure.authority.certificate}}}\n")
    own = {**os.environ, "MILLRACE_CLIENT_CONFIG": str(config)}
    run = lambda *words, **more: subprocess.run(
        [MILLRACE, *words], capture_output=True, text=True, timeout=60, **more
    )
    assert run("produce", topic, input="one\ntwo\n", env=own).returncode == 0
    tail = run("tail", topic, "--from", "earliest", "--exit", "--client-config", config)
    assert tail.stdout == "one\ntwo\n", tail.stderr
    stranger = Authority(tmp_path / "stranger", "stranger-ca")
    config.write_text(f"broker: {secure.tls}\ntls: {{ca: {stranger.certificate}}}\n")
    refused = run("topics", env=own)
    assert refused.returncode == 69
    assert "no CA that is trusted here" in refused.stderr
    config.write_text(f"broker: {secure.tls}\ntls: {{ca: {tmp_path}/nobody.pem}}\n")
    missing = run("topics", env=own)
    assert missing.returncode == 78
    assert "there is no file" in missing.stderr


def test_agent_and_pipeline(secure, authority, tmp_path, topic):
    certificate, key = authority.issue("web-2", "DNS:web-2")
    tls = f"tls: {{ca: {authority.certificate}, cert: {certificate}, key: {key}}}"
    log = tmp_path / "app.log"
    log.write_text("".join(f"line {number}\n" for number in range(1000)))
    agent_file = tmp_path / "agent.yaml"
    agent_file.write_text(
        f"broker: {secure.mutual}\n{tls}\nstate: {tmp_path}/agent\nsources:\n"
        f"  - file: {{path: {log}, topic: {topic}}}\n"
    )
    pipeline_file = tmp_path / "pipeline.yaml"
    pipeline_file.write_text(
        f"pipeline: {topic}\nbroker: {secure.mutual}\n{tls}\nfrom: {{topics: [{topic}]}}\n"
        f"to:\n  - file: {{path: {tmp_path}/out.log}}\n"
    )
    agent = Process("agent", [MILLRACE_AGENT, "run", "-c", agent_file, "--admin", "off"], tmp_path).start()
    pipeline = Process("pipeline", [MILLRACE, "pipeline", "run", "-c", pipeline_file], tmp_path)
    out = tmp_path / "out.log"
    try:
        wait_until(
            lambda: topic in AdminClient(librdkafka(secure)).list_topics(timeout=10).topics, 30, "the agent ships"
        )
        pipeline.start()
        wait_until(lambda: out.exists() and out.read_text().count("\n") == 1000, 60, "every line arrives")
        assert [line for line in out.read_text().splitlines() if "line 999" in line]
    finally:
        print(agent.tail(), pipeline.tail())
        agent.stop()
        pipeline.stop()


def test_away_from_the_loopback_plaintext_wants_a_word(tmp_path):
    config = tmp_path / "broker.yaml"
    config.write_text(
        f"data: {tmp_path}/data\nlisteners:\n  - {{bind: '0.0.0.0:{free_port()}', advertise: 'localhost:9092'}}\n"
    )
    refused = subprocess.run([MILLRACE, "broker", "-c", config], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 78
    assert "allow_plaintext" in refused.stderr


def test_tls_init_makes_what_a_fleet_needs(tmp_path, topic):
    folder = tmp_path / "tls"
    init = lambda *words: subprocess.run(
        [MILLRACE, "tls", "init", "--folder", folder, *words], capture_output=True, text=True, timeout=60
    )
    made = init("localhost,127.0.0.1", "web-1")
    assert made.returncode == 0, made.stderr
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["ca.key", "ca.pem", "localhost.key", "localhost.pem", "web-1.key", "web-1.pem"]
    assert [(folder / name).stat().st_mode & 0o777 for name in names] == [0o600, 0o644] * 3

    port = free_port()
    broker = Broker(tmp_path, port=port)
    (tmp_path / "broker.yaml").write_text(
        f"data: {tmp_path}/data\nlisteners:\n  - bind: 127.0.0.1:{port}\n    advertise: localhost:{port}\n"
        f"    tls: {{cert: {folder}/localhost.pem, key: {folder}/localhost.key, client_ca: {folder}/ca.pem}}\n"
    )
    broker.command = [str(MILLRACE), "broker", "-c", str(tmp_path / "broker.yaml"), "--admin", "off"]
    settings = {
        "bootstrap.servers": f"localhost:{port}",
        "security.protocol": "ssl",
        "ssl.ca.location": str(folder / "ca.pem"),
        "ssl.certificate.location": str(folder / "web-1.pem"),
        "ssl.key.location": str(folder / "web-1.key"),
    }
    broker.start()
    try:
        produce(settings, topic)
        assert consume(settings, topic) == VALUES
        before = (folder / "localhost.pem").read_text(), (folder / "ca.pem").read_text()
        assert "already" in init("localhost,127.0.0.1").stdout
        assert ((folder / "localhost.pem").read_text(), (folder / "ca.pem").read_text()) == before
        assert init("--renew", "localhost,127.0.0.1").returncode == 0
        assert (folder / "localhost.pem").read_text() != before[0]
        assert (folder / "ca.pem").read_text() == before[1]
        wait_until(lambda: broker.tail().count("serves TLS with a certificate") == 2, 20, "the renewed one is taken up")
        assert AdminClient(settings).list_topics(timeout=10).brokers
    finally:
        broker.stop()
    assert init("../x").returncode == 64
