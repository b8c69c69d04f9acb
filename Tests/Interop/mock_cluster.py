"""A Kafka cluster by others: the mock cluster inside librdkafka, by way of confluent-kafka.

    mock_cluster.py [BROKERS [MILLISECONDS]]

Prints `bootstrap HOST:PORT[,HOST:PORT…]` once it answers, and lives until its standard input is closed. Topics are made when they are first
named, with four partitions. It has no CreateTopics and does not recognise repeated batches. MILLISECONDS is what each answer takes: it refuses
members that sync after their leader, which has to ask for metadata first, so a moment lets them come before.
"""

import sys

from confluent_kafka import Producer


def main():
    brokers = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    milliseconds = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    # The cluster lives in the producer that asked for it.
    settings = {"test.mock.num.brokers": brokers, "test.mock.broker.rtt": milliseconds}
    producer = Producer({"bootstrap.servers": "mock", "log_level": 3, **settings})
    addresses = sorted(f"{broker.host}:{broker.port}" for broker in producer.list_topics(timeout=20).brokers.values())
    print("bootstrap", ",".join(addresses), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
