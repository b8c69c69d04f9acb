"""Administration by clients that others wrote: settings replaced as a whole, what has settings, log directories, offsets of groups."""

import asyncio

import pytest


@pytest.fixture
def admin(broker):
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    yield admin
    admin.close()


def own_settings(broker, topic):
    """What the topic sets itself, by confluent-kafka."""
    from confluent_kafka.admin import AdminClient, ConfigResource, ConfigSource

    resource = ConfigResource("topic", topic)
    client = AdminClient({"bootstrap.servers": broker.address})
    settings = client.describe_configs([resource])[resource].result(20)
    return {name: entry.value for name, entry in settings.items() if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value}


def create(broker, topic, settings=None, partitions=2):
    from confluent_kafka.admin import AdminClient, NewTopic

    client = AdminClient({"bootstrap.servers": broker.address})
    client.create_topics([NewTopic(topic, partitions, config=settings or {})])[topic].result(20)


def test_settings_are_replaced_as_a_whole(broker, topic, admin):
    from confluent_kafka.admin import AdminClient, ConfigResource

    create(broker, topic, {"retention.ms": "1000", "max.message.bytes": "2000"})
    resource = ConfigResource("topic", topic, set_config={"segment.bytes": "5000000"})
    client = AdminClient({"bootstrap.servers": broker.address})
    client.alter_configs([resource])[resource].result(20)
    assert own_settings(broker, topic) == {"segment.bytes": "5000000"}

    from kafka.admin import ConfigResource as OtherResource

    result = admin.alter_configs([OtherResource("topic", topic, {"retention.ms": "7000"})], incremental=False)
    assert result["topic"][topic] == "OK"
    # It adds what is set already.
    assert own_settings(broker, topic) == {"segment.bytes": "5000000", "retention.ms": "7000"}

    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.admin.config_resource import ConfigResource as ThirdResource
    from aiokafka.admin.config_resource import ConfigResourceType

    async def alter():
        client = AIOKafkaAdminClient(bootstrap_servers=broker.address)
        await client.start()
        try:
            resource = ThirdResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "9000"})
            return await client.alter_configs([resource])
        finally:
            await client.close()

    (answer,) = asyncio.run(alter())
    assert [resource[0] for resource in answer.resources] == [0]
    assert own_settings(broker, topic) == {"retention.ms": "9000"}


def test_resources_with_settings_are_listed(broker, topic, admin):
    create(broker, topic)
    listed = admin.list_config_resources()
    assert topic in listed["topic"] and listed["broker"] == ["1"]
    assert list(admin.list_config_resources(["BROKER"])) == ["broker"]


def test_log_directories_are_described(broker, topic, admin):
    from kafka import KafkaProducer

    create(broker, topic)
    producer = KafkaProducer(bootstrap_servers=broker.address, acks="all")
    producer.send(topic, b"x" * 5000, partition=1).get(20)
    producer.close()
    (described,) = admin.describe_log_dirs({topic: [0, 1]})
    (directory,) = described["log_dirs"]
    assert directory["error_code"] == 0 and directory["total_bytes"] > directory["usable_bytes"] > 0
    (found,) = directory["topics"]
    sizes = {partition["partition_index"]: partition["partition_size"] for partition in found["partitions"]}
    assert sizes[0] == 0 and 5000 < sizes[1] < 6000
    everything = {found["name"] for found in admin.describe_log_dirs()[0]["log_dirs"][0]["topics"]}
    assert {topic, "__consumer_offsets"} <= everything


def test_offsets_of_a_group_are_deleted(broker, topic, admin):
    from confluent_kafka import Consumer, TopicPartition
    from kafka import TopicPartition as Place
    from kafka.errors import GroupIdNotFoundError, GroupSubscribedToTopicError, NoError

    other = f"{topic}-other"
    create(broker, topic)
    create(broker, other)
    with pytest.raises(GroupIdNotFoundError):
        admin.delete_group_offsets(f"{topic}-nobody", [Place(topic, 0)])

    group = f"{topic}-group"
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group, "auto.offset.reset": "earliest"})
    assigned = []
    consumer.subscribe([topic], on_assign=lambda _, partitions: assigned.extend(partitions))
    while not assigned:
        consumer.poll(0.2)
    consumer.commit(offsets=[TopicPartition(topic, 0, 3), TopicPartition(other, 1, 4)], asynchronous=False)
    # One topic is read by the group's member, the other is not.
    result = admin.delete_group_offsets(group, [Place(topic, 0), Place(other, 1)])
    assert result == {Place(topic, 0): GroupSubscribedToTopicError, Place(other, 1): NoError}
    places = [TopicPartition(topic, 0), TopicPartition(other, 1)]
    assert [place.offset for place in consumer.committed(places, timeout=20)] == [3, -1001]
    consumer.close()
    assert admin.delete_group_offsets(group, [Place(topic, 0)]) == {Place(topic, 0): NoError}
    reader = Consumer({"bootstrap.servers": broker.address, "group.id": group})
    assert [place.offset for place in reader.committed(places, timeout=20)] == [-1001, -1001]
    reader.close()


def test_one_broker_leads_and_holds_everything(broker, topic, admin):
    from confluent_kafka import ElectionType, TopicPartition
    from confluent_kafka.admin import AdminClient

    create(broker, topic)
    client = AdminClient({"bootstrap.servers": broker.address})
    places = [TopicPartition(topic, 0), TopicPartition(topic, 9)]
    outcomes = client.elect_leaders(ElectionType.PREFERRED, places).result(20)
    errors = {place.partition: error.name() for place, error in outcomes.items()}
    assert errors == {0: "ELECTION_NOT_NEEDED", 9: "UNKNOWN_TOPIC_OR_PART"}
    assert client.elect_leaders(ElectionType.UNCLEAN, None).result(20) == {}
    assert admin.list_partition_reassignments() == {}

    from kafka import TopicPartition as Place
    from kafka.errors import InvalidReplicationAssignmentError, NoReassignmentInProgressError

    wishes = {Place(topic, 0): [1], Place(topic, 1): [1, 2]}
    assert admin.alter_partition_reassignments(wishes) == {Place(topic, 0): None, Place(topic, 1): InvalidReplicationAssignmentError}
    assert admin.alter_partition_reassignments({Place(topic, 0): None}) == {Place(topic, 0): NoReassignmentInProgressError}
