import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import NIOCore
import SystemPackage
import TestKit
import Testing

@testable import Broker

/// What a broker knows after it went away, in each of the ways to go.
@Suite struct RestartTests {
    enum End: CaseIterable { case clean, killed, powerCut }

    static func again(_ broker: TestBroker, after end: End, seed: UInt64 = 1) async throws -> TestBroker {
        switch end {
        case .clean: return try await broker.restarted()
        case .killed: return try await broker.killed()
        case .powerCut:
            var random = SeededRandom(seed: seed)
            return try await broker.powerCut(using: &random, survival: .dropUnsynced)
        }
    }

    @Test(arguments: End.allCases)
    func topicsOffsetsAndSequencesSurvive(end: End) async throws {
        var broker = try await TestBroker.start(data: "/data", fileSystem: SimulatedFileSystem())
        var socket = try WireSocket(to: broker.address)
        let before = try await socket.metadata(nil)
        let id = try await socket.createTopic("t", partitions: 2, settings: ["retention.ms": "-1"]).topicId
        try await socket.createTopic("gone")
        for sequence in 0..<4 as Range<Int32> {
            _ = try await socket.produce(
                try batch(["m\(sequence)"], producer: 9, epoch: 0, sequence: sequence), to: "t", partition: 1)
        }
        var delete = DeleteTopicsRequest()
        delete.topicNames = ["gone"]
        #expect(try await socket.call(delete, version: 5).responses[0].errorCode == .none)
        let epochBefore = try await socket.metadata(["t"]).topics[0].partitions[0].leaderEpoch

        broker = try await Self.again(broker, after: end)
        socket = try WireSocket(to: broker.address)
        let after = try await socket.metadata(nil)
        #expect(after.clusterId == before.clusterId)
        try #require(after.topics.map(\.name) == ["t"])
        #expect(after.topics[0].topicId == id)
        #expect(after.topics[0].partitions[0].leaderEpoch == epochBefore + 1)
        #expect(try words(await socket.fetch("t", partition: 1, from: 0), first: 0) == ["m0", "m1", "m2", "m3"])

        // The broker knows the last batch: sent again it gets its old offset, and the next one follows.
        let repeated = try await socket.produce(
            try batch(["m3"], producer: 9, epoch: 0, sequence: 3), to: "t", partition: 1)
        #expect(repeated.errorCode == .none)
        #expect(repeated.baseOffset == 3)
        let next = try await socket.produce(
            try batch(["m4"], producer: 9, epoch: 0, sequence: 4), to: "t", partition: 1)
        #expect(next.baseOffset == 4)
        await broker.shutDown()
    }

    /// Cuts the run at every call to the file system while topics come and go: whatever was answered stands, and the broker starts.
    @Test(arguments: 0..<12) func aCutAtAnyMomentLeavesOldOrNewTopics(part: Int) async throws {
        for cut in stride(from: part, to: 60, by: 12) {
            let files = SimulatedFileSystem()
            var broker = try await TestBroker.start(data: "/data", fileSystem: files)
            let socket = try WireSocket(to: broker.address)
            let start = files.operationCount
            files.stopAt(operation: start + cut)
            var answered: [String: Bool] = [:]
            for name in ["a", "b"] {
                answered[name] = try await socket.createTopic(name, partitions: 2).errorCode == .none
            }
            var delete = DeleteTopicsRequest()
            delete.topicNames = ["a"]
            let deleted = try await socket.call(delete, version: 5).responses[0].errorCode == .none
            var random = SeededRandom(seed: UInt64(cut))
            broker = try await broker.powerCut(using: &random, survival: .dropUnsynced)
            let again = try WireSocket(to: broker.address)
            let names = try await again.metadata(nil).topics.compactMap(\.name)
            if answered["b"] == true { #expect(names.contains("b"), "cut at \(cut)") }
            if deleted { #expect(!names.contains("a"), "cut at \(cut)") }
            if answered["a"] == true, !files.isStopped, !deleted { #expect(names.contains("a"), "cut at \(cut)") }
            for name in names {
                #expect(
                    try await again.produce(try batch(["x"]), to: name, partition: 1).errorCode == .none,
                    "cut at \(cut)")
            }
            // Nothing of a topic that is gone stays in the way.
            for name in ["a", "b"] where !names.contains(name) {
                #expect(try await again.createTopic(name).errorCode == .none, "cut at \(cut)")
                #expect(try await again.listOffset(name, timestamp: -1).offset == 0)
            }
            await broker.shutDown()
        }
    }

    @Test func lostMetadataIsFoundAgainInTheFolders() async throws {
        let files = SimulatedFileSystem()
        var broker = try await TestBroker.start(data: "/data", fileSystem: files)
        var socket = try WireSocket(to: broker.address)
        let clusterID = try await socket.metadata(nil).clusterId
        let id = try await socket.createTopic("t", partitions: 3).topicId
        broker = try await broker.restarted()
        socket = try WireSocket(to: broker.address)
        _ = try await socket.produce(try batch(["kept"]), to: "t", partition: 2)
        let epoch = try await socket.metadata(["t"]).topics[0].partitions[0].leaderEpoch
        var idempotent = InitProducerIdRequest()
        idempotent.transactionalId = nil
        let given = try await socket.call(idempotent, version: 4).producerId
        await broker.shutDown()
        try files.overwrite("/data/metadata") { $0[20] ^= 0xff }
        broker = try await TestBroker.start(data: "/data", fileSystem: files)
        socket = try WireSocket(to: broker.address)
        let metadata = try await socket.metadata(nil)
        #expect(metadata.clusterId == clusterID)
        // Its counter is lost too, yet epochs never run backwards.
        #expect(try #require(metadata.topics.last).partitions[0].leaderEpoch > epoch)
        #expect(metadata.topics.map(\.name) == ["t"])
        #expect(metadata.topics[0].topicId == id)
        #expect(metadata.topics[0].partitions.count == 3)
        #expect(try words(await socket.fetch("t", partition: 2, from: 0)) == ["kept"])
        let offsets = try #require(broker.server.services?.topics.topic(named: "__consumer_offsets"))
        #expect(offsets.settings["cleanup.policy"] == "compact")
        #expect(try await socket.call(idempotent, version: 4).producerId > given + 1_000_000)
        await broker.shutDown()
    }

    @Test func twoBrokersNeverShareAFolder() async throws {
        try await TestBroker.with { broker in
            await #expect(throws: (any Error).self) { try await TestBroker.start(data: broker.settings.data) }
            let socket = try WireSocket(to: broker.address)
            #expect(try await socket.createTopic("t").errorCode == .none)
        }
    }

    /// At durability fsync nothing is acknowledged or shown that the disk does not have.
    @Test func anAckMeansThatItIsOnTheDisk() async throws {
        var broker = try await TestBroker.start(data: "/data", fileSystem: SimulatedFileSystem())
        var random = SeededRandom(seed: 3)
        var acked: [String] = []
        var count = 0
        for _ in 0..<4 {
            let socket = try WireSocket(to: broker.address)
            if count == 0 { try await socket.createTopic("t") }
            for _ in 0..<10 {
                let word = "m\(count)"
                count += 1
                if try await socket.produce(try batch([word]), to: "t").errorCode == .none { acked.append(word) }
            }
            broker = try await broker.powerCut(using: &random, survival: .dropUnsynced)
            let reader = try WireSocket(to: broker.address)
            #expect(try words(await reader.fetch("t", from: 0), first: 0) == acked)
        }
        await broker.shutDown()
    }

    @Test func aDiskThatFailsIsSaidAndTheOthersGoOn() async throws {
        let files = SimulatedFileSystem()
        let broker = try await TestBroker.start(data: "/data", fileSystem: files)
        let socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t")
        #expect(try await socket.produce(try batch(["a"]), to: "t").errorCode == .none)
        files.fail(.sync, with: .inputOutput)
        let failed = try await socket.produce(try batch(["b"]), to: "t")
        #expect(failed.errorCode == .kafkaStorageError)
        // Never tried again: the pages may be gone.
        files.clearFaults()
        #expect(try await socket.produce(try batch(["c"]), to: "t").errorCode == .kafkaStorageError)
        #expect(try await socket.metadata(["t"]).brokers.count == 1)
        await broker.shutDown()
    }

    @Test func theReserveOfTheDiskIsTheSettings() async throws {
        let files = SimulatedFileSystem()
        files.diskBytes = .mib(64)
        let broker = try await TestBroker.start(data: "/data", fileSystem: files) { $0.diskReserve = .mib(63) }
        let socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t")
        let block = String(repeating: "x", count: 300_000)
        for _ in 0..<4 {
            #expect(try await socket.produce(try batch([block]), to: "t").errorCode == .none)
        }
        // Housekeeping looks at the disk once a second.
        var code = ErrorCode.none
        for _ in 0..<200 where code == .none {
            code = try await socket.produce(try batch(["a"]), to: "t").errorCode
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(code == .kafkaStorageError)
        #expect(try words(await socket.fetch("t", from: 3)).first == block)
        await broker.shutDown()
    }

    @Test func aBrokerStartsThoughItsDiskCannotBeTrusted() async throws {
        let files = SimulatedFileSystem()
        var broker = try await TestBroker.start(data: "/data", fileSystem: files)
        var socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t")
        #expect(try await socket.produce(try batch(["a"]), to: "t").errorCode == .none)
        files.fail(.sync, with: .inputOutput, count: 1)
        #expect(try await socket.produce(try batch(["b"]), to: "t").errorCode == .kafkaStorageError)
        broker = try await broker.killed()
        socket = try WireSocket(to: broker.address)
        let topic = try await socket.metadata(["t"]).topics[0]
        #expect(topic.errorCode == .none && topic.partitions[0].offlineReplicas == [1])
        #expect(try await socket.produce(try batch(["c"]), to: "t").errorCode == .kafkaStorageError)
        #expect(try await socket.fetch("t", from: 0).errorCode == .kafkaStorageError)
        #expect(try await socket.createTopic("u").errorCode == .kafkaStorageError)
        // Somebody has looked at the disk.
        try files.unlink("/data/logs/offline-reason")
        broker = try await broker.killed()
        socket = try WireSocket(to: broker.address)
        #expect(try await socket.produce(try batch(["d"]), to: "t").errorCode == .none)
        #expect(try words(await socket.fetch("t", from: 0)).first == "a")
        await broker.shutDown()
    }

    @Test func oneOfSeveralDisksFailsAndTheTopicsOnTheOthersGoOn() async throws {
        let files = SimulatedFileSystem()
        var broker = try await TestBroker.start(data: "/data", fileSystem: files) { $0.furtherData = ["/more"] }
        var socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t", partitions: 2)
        for partition in 0..<2 as Range<Int32> {
            #expect(try await socket.produce(try batch(["a"]), to: "t", partition: partition).errorCode == .none)
        }
        let places = try files.allFiles().filter { $0.string.hasSuffix("partition.metadata") }
            .map { $0.removingLastComponent() }
        #expect(places.contains { $0.string.hasPrefix("/more/logs/__consumer_offsets-") })
        let bad = try #require(places.first { $0.string.hasPrefix("/more/logs/t-") })
        let badIndex = try #require(Int32(bad.string.suffix(1)))
        let good = 1 - badIndex
        #expect(places.contains(FilePath("/data/logs/t-\(good)")))

        // The failed disk takes no note either.
        files.fail(.sync, with: .inputOutput) { $0.string.hasPrefix("/more/") }
        for partition in 0..<2 as Range<Int32> {
            let answer = try await socket.produce(try batch(["b"]), to: "t", partition: partition)
            #expect(answer.errorCode == (partition == badIndex ? .kafkaStorageError : .none))
        }
        #expect(try await socket.createTopic("u", partitions: 2).errorCode == .none)
        files.clearFaults()
        broker = try await broker.killed()
        socket = try WireSocket(to: broker.address)
        #expect(try words(await socket.fetch("t", partition: good, from: 0), first: 0) == ["a", "b"])
        #expect(try await socket.fetch("t", partition: badIndex, from: 0).errorCode == .kafkaStorageError)
        #expect(try await socket.produce(try batch(["c"]), to: "t", partition: good).errorCode == .none)
        #expect(
            try await socket.produce(try batch(["c"]), to: "t", partition: badIndex).errorCode == .kafkaStorageError)
        for partition in 0..<2 as Range<Int32> {
            #expect(try await socket.produce(try batch(["c"]), to: "u", partition: partition).errorCode == .none)
        }
        var request = DescribeLogDirsRequest()
        request.topics = nil
        let described = try await socket.call(request, version: 4).results
        #expect(described.map(\.logDir) == ["/data/logs", "/more/logs"])
        #expect(described.map(\.errorCode) == [.none, .kafkaStorageError])
        #expect(described[0].topics.first { $0.name == "t" }?.partitions.map(\.partitionIndex) == [good])
        #expect(described[0].topics.first { $0.name == "u" }?.partitions.count == 2 && described[1].topics.isEmpty)

        // Somebody has looked at the disk.
        for file in try files.allFiles() where file.string.contains("offline-reason") { try files.unlink(file) }
        broker = try await broker.killed()
        socket = try WireSocket(to: broker.address)
        #expect(try words(await socket.fetch("t", partition: badIndex, from: 0)).first == "a")
        await broker.shutDown()
    }

    /// From nothing, or from half their records, groups would be told to begin anew.
    @Test func groupsWhoseOffsetsCannotBeReadAreNotServed() async throws {
        let files = SimulatedFileSystem()
        var broker = try await TestBroker.start(data: "/data", fileSystem: files)
        var socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t")
        let groups = (0..<16).map { "g\($0)" }
        for group in groups { #expect(try await Self.commit(7, group: group, socket) == .none) }
        files.fail(.open, with: .inputOutput) { $0.string.hasPrefix("/data/logs/__consumer_offsets-3/") }
        broker = try await broker.killed()
        socket = try WireSocket(to: broker.address)
        var refused = 0
        for group in groups {
            let answer = try await Self.committed(group, socket)
            if answer.errorCode == .coordinatorNotAvailable {
                refused += 1
                #expect(try await Self.commit(9, group: group, socket) == .coordinatorNotAvailable)
            } else {
                #expect(answer.errorCode == .none)
                #expect(answer.topics.first?.partitions.first?.committedOffset == 7)
            }
        }
        #expect(refused > 0 && refused < groups.count)
        files.clearFaults()
        broker = try await broker.killed()
        socket = try WireSocket(to: broker.address)
        for group in groups {
            #expect(try await Self.committed(group, socket).topics.first?.partitions.first?.committedOffset == 7)
        }
        await broker.shutDown()
    }

    private static func commit(_ offset: Int64, group: String, _ socket: WireSocket) async throws -> ErrorCode {
        var partition = OffsetCommitRequest.OffsetCommitRequestPartition()
        partition.committedOffset = offset
        partition.committedMetadata = ""
        var topic = OffsetCommitRequest.OffsetCommitRequestTopic()
        topic.name = "t"
        topic.partitions = [partition]
        var request = OffsetCommitRequest()
        request.groupId = group
        request.generationIdOrMemberEpoch = -1
        request.topics = [topic]
        while true {
            let code = try await socket.call(request, version: 8).topics[0].partitions[0].errorCode
            if code != .coordinatorLoadInProgress { return code }
        }
    }

    private static func committed(
        _ group: String, _ socket: WireSocket
    ) async throws -> OffsetFetchResponse.OffsetFetchResponseGroup {
        var asked = OffsetFetchRequest.OffsetFetchRequestGroup()
        asked.groupId = group
        asked.topics = nil
        var request = OffsetFetchRequest()
        request.groups = [asked]
        while true {
            let answer = try await socket.call(request, version: 8).groups[0]
            if answer.errorCode != .coordinatorLoadInProgress { return answer }
        }
    }
}
