import AgentCommands
import ArgumentParser
import Base
import KafkaClient
import Settings

/// What the subcommands that send and read records have in common.
struct BenchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The topic; made where it is missing.", valueName: "topic"))
    var topic = "millrace-bench"

    @Option(help: "Partitions of a topic that is made.") var partitions: Int32 = 1

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A setting of a topic that is made, such as millrace.durability=page-cache. Repeatable.",
            valueName: "name=value"))
    var settings: [String] = []

    @Option(help: ArgumentHelp("Bytes of a record's value.", valueName: "size")) var recordSize = "1KiB"

    func recordBytes(min: Int) throws -> Int {
        try size(recordSize, "--record-size", in: ByteCount(min)...(.mib(1))).bytes
    }

    /// Makes the topic where it is missing; says so where it stands there, since its settings are then its own.
    func ensureTopic(_ cluster: KafkaCluster) async throws {
        var configs: [String: String] = [:]
        for pair in settings {
            guard let equals = pair.firstIndex(of: "=") else {
                throw ValidationError("--set wants name=value, not '\(pair)'")
            }
            configs[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        let isNew = try await Admin(cluster).ensureTopic(NewTopic(topic, partitionCount: partitions, configs: configs))
        if !isNew, !configs.isEmpty {
            printError("topic \(topic) stands there already: --set and --partitions say nothing of it")
        }
    }
}

/// Whose process is measured.
struct MeterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server's process on this machine: its CPU time and memory are printed.", valueName: "id"))
    var pid: Int32?
    @Option(help: "table or json.") var output = OutputFormat.table

    func meter() throws -> ServerMeter? {
        guard let pid else { return nil }
        guard let meter = ServerMeter(pid: pid) else {
            throw ValidationError("there is no process \(pid) on this machine")
        }
        return meter
    }
}

/// Reads a size as configuration files write it.
func size(_ text: String, _ option: String, in range: ClosedRange<ByteCount>) throws -> ByteCount {
    let place = Place(file: option, line: 0, column: 0)
    do throws(SettingsError) { return try YAMLNode(.scalar(text, isPlain: true), at: place).bytes(in: range) } catch {
        throw ValidationError("\(error)")
    }
}

/// Reads a duration as configuration files write it.
func duration(_ text: String, _ option: String, in range: ClosedRange<Duration>) throws -> Duration {
    let place = Place(file: option, line: 0, column: 0)
    do throws(SettingsError) { return try YAMLNode(.scalar(text, isPlain: true), at: place).duration(in: range) } catch
    {
        throw ValidationError("\(error)")
    }
}
