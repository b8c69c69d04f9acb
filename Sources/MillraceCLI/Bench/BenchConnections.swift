import AgentCommands
import ArgumentParser
import Base
import Histogram
import KafkaClient
import KafkaConnection
import KafkaWire

#if canImport(Glibc)
    import Glibc
#endif

struct BenchConnections: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections",
        abstract: "Open many connections, ask each for metadata, and see what they cost while they are silent.",
        discussion: """
            A connection counts as open once its ApiVersions handshake is answered. Open files are needed on both sides: ulimit -n.

            EXAMPLE
              millrace bench connections --count 5000 --pid $(pidof millrace)
            """)

    @Option(help: "How many connections.") var count = 1000
    @Option(help: "How many are opened, or asked, at a time.") var atATime = 64
    @Option(help: ArgumentHelp("How long they are silent before the server's memory is read.", valueName: "time"))
    var hold = "5s"
    @OptionGroup var meter: MeterOptions
    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        guard 1...100_000 ~= count, 1...10_000 ~= atATime else {
            throw ValidationError("--count is from 1 to 100000, --at-a-time to 10000")
        }
    }

    func run() async throws {
        try await reporting {
            let hold = try duration(self.hold, "--hold", in: .zero...(.seconds(3600)))
            let meter = try self.meter.meter()
            try raiseOpenFiles()
            try await cluster.withCluster { cluster in
                let brokers = try await Admin(cluster).describeCluster().brokers.keys.sorted()
                guard !brokers.isEmpty else { throw ClientError(.noBroker, "the cluster names no brokers") }
                let before = meter?.read()
                let time = SystemTime()
                let begin = time.now
                let opening = try await timed("open", time) { number in
                    _ = try await cluster.connection(
                        to: .broker(brokers[number % brokers.count]), lane: Lane("bench-\(number)"))
                }
                let opened = Double((time.now - begin).nanoseconds) / 1e9
                let asking = try await timed("ask", time) { number in
                    var request = MetadataRequest()
                    request.topics = []
                    _ = try await cluster.send(
                        request, to: .broker(brokers[number % brokers.count]), lane: Lane("bench-\(number)"))
                }
                try await Task.sleep(for: hold)
                let after = meter?.read()
                var report = BenchReport()
                report.add("connections", .int(Int64(count)))
                report.add("connections_per_second", .double((Double(count) / opened * 10).rounded() / 10))
                report.add("opened", opening)
                report.add("metadata", asking)
                if let before {
                    if let after {
                        let grown = after.resident.bytes - before.resident.bytes
                        report.add("server_resident_bytes_per_connection", .int(Int64(grown / count)), "B")
                    }
                    report.addServer(before, after, bytes: 0)
                }
                report.print(as: self.meter.output)
            }
        }
    }

    private func timed(
        _ label: String, _ time: SystemTime, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Histogram<UInt64> {
        let bar = ProgressBar(label, unit: .things)
        defer { bar.clear() }
        let (count, atATime) = (self.count, min(self.atATime, self.count))
        return try await withThrowingTaskGroup(of: UInt64.self) { group in
            var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
            func add(_ number: Int) {
                group.addTask {
                    let begin = time.now
                    try await body(number)
                    return UInt64((time.now - begin).nanoseconds)
                }
            }
            for number in 0..<atATime { add(number) }
            var next = atATime
            while let taken = try await group.next() {
                histogram.record(taken)
                bar.show(Int64(histogram.totalCount), of: Int64(count))
                if next < count {
                    add(next)
                    next += 1
                }
            }
            return histogram
        }
    }

    /// As many open files as this process may have; throws where they are too few.
    private func raiseOpenFiles() throws {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let spare = 64
        guard limit.rlim_max >= rlim_t(count + spare) else {
            throw ValidationError(
                "\(count) connections need \(count + spare) open files, and \(limit.rlim_max) are allowed: ulimit -n \(count + spare)"
            )
        }
    }
}
