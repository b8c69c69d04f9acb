import AgentCommands
import ArgumentParser
import Base
import Console
import Events
import KafkaClient
import NIOPosix
import UnixSignals

#if canImport(Glibc)
    import Glibc
#endif

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch agents, sources, topics and groups.",
        discussion: """
            Redraws every two seconds on a terminal, until Ctrl-C. Elsewhere, and with --once, it prints one picture and ends; rates need two looks, so that takes
            about three seconds. NO_COLOR is respected.

            EXAMPLES
              millrace top --broker agg.example:9092
              millrace top --once --output json
            """)

    @Flag(help: "Print one picture and end.") var once = false
    @Option(help: "table or json (one object, with --once).") var output = OutputFormat.table
    @Option(help: ArgumentHelp("Where agents report.", valueName: "topic"))
    var statusTopic = "__millrace_status"
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        try await reporting {
            let settings = Console.clusterSettings(try cluster.settings())
            let kafka = KafkaCluster(settings: settings, on: MultiThreadedEventLoopGroup.singleton)
            defer { kafka.shutDown() }
            let isLive = isatty(1) == 1 && !once && output == .table
            let watch = ClusterWatch(cluster: kafka, statusTopic: statusTopic)
            let display = TopDisplay(
                watch: watch, clusterName: settings.bootstrap.map(\.description).joined(separator: ","))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await watch.run() }
                group.addTask { [output] in
                    if isLive { await display.live() } else { try await display.print(as: output) }
                }
                // The watch never ends by itself: the other's end is the command's.
                try await group.next()
                group.cancelAll()
            }
        }
    }

}

/// Where `top`'s pictures go.
private struct TopDisplay: Sendable {
    /// Two looks of the sampler, which looks each two seconds.
    private static let warmUpMax = Duration.seconds(5)
    private static let redrawInterval = Duration.seconds(2)

    let watch: ClusterWatch
    let clusterName: String

    func print(as output: OutputFormat) async throws {
        var watched = await watch.look()
        if let trouble = watched.trouble {
            printError("millrace: \(TerminalText.harmless(trouble))")
            throw ExitCodes.unavailable
        }
        // The first look knows no rates, and agents' reports arrive a moment later.
        let deadline = ContinuousClock.now + Self.warmUpMax
        while ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(250))
            watched = await watch.look()
            if watched.hasRates, !watched.agents.isEmpty || watched.statusTrouble != nil { break }
        }
        switch output {
        case .json: printNow(Self.json(watched).json)
        case .table:
            let size = isatty(1) == 1 ? Self.screenSize() : nil
            let screen = TopScreen(
                columns: size?.columns ?? 200, rows: nil, isColored: size != nil && Self.mayColor,
                clusterName: clusterName)
            for line in screen.lines(watched) { printNow(line) }
        }
    }

    func live() async {
        // The alternate screen keeps what stood on the terminal; it has to be left however this ends.
        printNow(
            "\u{1b}[?1049h\u{1b}[?25l\u{1b}[H connecting to \(TerminalText.harmless(clusterName)) …", terminator: "")
        defer { printNow("\u{1b}[?25h\u{1b}[?1049l", terminator: "") }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup) { return }
            }
            group.addTask {
                while !Task.isCancelled {
                    let watched = await watch.look()
                    let size = Self.screenSize() ?? (columns: 80, rows: 24)
                    let screen = TopScreen(
                        columns: size.columns, rows: size.rows - 1, isColored: Self.mayColor, clusterName: clusterName)
                    let lines = screen.lines(watched).map { $0 + "\u{1b}[K" }
                    guard StandardStreams.write(Array(("\u{1b}[H" + lines.joined(separator: "\n") + "\u{1b}[J").utf8))
                    else {
                        return
                    }
                    try? await Task.sleep(for: Self.redrawInterval)
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private static var mayColor: Bool {
        let variables = processEnvironment()
        return (variables["NO_COLOR"] ?? "").isEmpty && variables["TERM"] != "dumb"
    }

    private static func screenSize() -> (columns: Int, rows: Int)? {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    private static func json(_ watched: WatchedCluster) -> Value {
        .object([
            Field("time", .int(watched.time.milliseconds)),
            Field("cluster_id", watched.clusterID.map { .string($0) } ?? .null),
            Field("brokers", .int(Int64(watched.brokers))), Field("lines_per_second", .double(watched.linesPerSecond)),
            Field("bytes_per_second", watched.bytesPerSecond.map { .double($0) } ?? .null),
            Field(
                "agents",
                .list(
                    watched.agents.map { agent in
                        .object([
                            Field("agent", .string(agent.name)), Field("silent", .bool(agent.isSilent)),
                            Field("stalled", .bool(agent.isStalled)), Field("sources", .int(agent.sources)),
                            Field("unread_bytes", .int(agent.unreadBytes)),
                            Field("pending_batches", .int(agent.pendingBatches)),
                            Field("last_error", agent.lastError.map { .string($0) } ?? .null),
                        ])
                    })),
            Field(
                "topics",
                .list(
                    watched.topics.map { topic in
                        .object([
                            Field("topic", .string(topic.name)), Field("internal", .bool(topic.isInternal)),
                            Field("partitions", .int(Int64(topic.partitions))), Field("records", .int(topic.records)),
                            Field("bytes", topic.bytes.map { .int($0) } ?? .null),
                            Field("lines_per_second", .double(topic.linesPerSecond)),
                            Field("leaderless", .int(Int64(topic.leaderless))),
                        ])
                    })),
            Field(
                "groups",
                .list(
                    watched.groups.map { group in
                        .object([
                            Field("group", .string(group.name)), Field("state", .string(group.state)),
                            Field("lag", .int(group.lag)), Field("delay_seconds", .double(group.delaySeconds)),
                            Field("topics", .list(group.topics.map { .string($0) })),
                        ])
                    })),
        ])
    }
}
