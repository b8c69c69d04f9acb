import ArgumentParser

/// Load for any Kafka cluster, so that brokers can be compared in one run on one machine.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a Kafka cluster: throughput, latency, connections.",
        discussion: """
            Works against any Kafka address. With --pid, where the server runs on this machine, its CPU time and memory are measured as well. Compare servers in
            one run on the same machine only: a figure alone says little.

            EXAMPLES
              millrace bench produce --broker 127.0.0.1:9092 --bytes 2GB --pid $(pidof millrace)
              millrace bench consume --broker 127.0.0.1:9092 --pid $(pidof millrace)
              millrace bench latency --rate 5000 --set millrace.durability=page-cache
              millrace bench connections --count 5000 --output json
            """,
        subcommands: [BenchProduce.self, BenchConsume.self, BenchLatency.self, BenchConnections.self])
}
