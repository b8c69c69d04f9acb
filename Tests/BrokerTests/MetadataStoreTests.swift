import Base
import SystemPackage
import TestKit
import Testing

@testable import Broker

@Suite struct MetadataStoreTests {
    static func topic(_ name: String, partitions: Int32 = 1, settings: [String: String] = [:]) -> ClusterMetadata.Topic
    {
        ClusterMetadata.Topic(name: name, id: .random(), partitionCount: partitions, settings: settings)
    }

    /// Runs with a store maker over one temporary folder: each call is another start of the broker.
    static func withFolder(_ body: (FilePath, (BrokerID) -> FileMetadataStore) async throws -> Void) async throws {
        let folder = FilePath("/tmp/millrace-metadata-\(UInt64.random(in: 0...UInt64.max))")
        let files = PosixFileSystem()
        let lane = DiskLane()
        try files.createDirectory(folder)
        do {
            try await body(folder) {
                FileMetadataStore(folder: folder, brokerID: $0, fileSystem: files, time: ManualTime(), lane: lane)
            }
        } catch {
            await lane.shutDown()
            throw error
        }
        await lane.shutDown()
        for entry in try files.list(folder) { try files.unlink(folder.appending(entry.name)) }
        try files.removeDirectory(folder)
    }

    @Test func theTextReadsBackAsItWasWritten() throws {
        var metadata = ClusterMetadata(
            clusterID: "a cluster", leaderEpoch: LeaderEpoch(7), nextProducerID: ProducerID(3000),
            topics: [
                Self.topic(
                    "nginx.access", partitions: 4, settings: ["retention.ms": "1000", "odd name%": "line\nbreak é %41"]),
                Self.topic("plain"),
            ], deletions: [Self.topic("old", partitions: 2)])
        #expect(try MetadataText.decode(MetadataText.encode(metadata)) == metadata)
        metadata.nextProducerID = ProducerID(4000)
        #expect(try MetadataText.decode(MetadataText.encode(metadata)) == metadata)
    }

    @Test func everyDamagedByteIsFound() {
        let bytes = MetadataText.encode(
            ClusterMetadata(clusterID: "c", topics: [Self.topic("t", settings: ["a": "b"])]))
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 0x01
            #expect(throws: ChecksummedText.Damage.self) { try MetadataText.decode(damaged) }
            #expect(throws: ChecksummedText.Damage.self) { try MetadataText.decode(Array(bytes[..<place])) }
        }
    }

    @Test func whatWasAppliedIsThereAfterARestart() async throws {
        try await Self.withFolder { _, start in
            let first = start(BrokerID(1))
            let loaded = try await first.load()
            #expect(loaded.origin == .created)
            let topic = Self.topic("t", partitions: 3)
            _ = try await first.apply(.topicCreated(topic))
            _ = try await first.apply(.partitionsAdded(topic.id, newCount: 5))
            let last = try await first.apply(.producerIDsTaken(count: 1000))

            let again = try await start(BrokerID(1)).load()
            #expect(again.origin == .stored)
            #expect(again.metadata == last)
            #expect(again.metadata.clusterID == loaded.metadata.clusterID)
            #expect(again.metadata.topics["t"]?.partitionCount == 5)
        }
    }

    @Test func aConflictChangesNothing() async throws {
        try await Self.withFolder { _, start in
            let store = start(BrokerID(1))
            _ = try await store.load()
            let topic = Self.topic("t", partitions: 3)
            let before = try await store.apply(.topicCreated(topic))
            for change: MetadataChange in [
                .topicCreated(Self.topic("t")), .topicDeletionBegun(.random()), .partitionsAdded(topic.id, newCount: 3),
            ] {
                let error = await #expect(throws: MetadataStoreError.self) { try await store.apply(change) }
                guard case .conflict = error?.code else {
                    Issue.record("expected a conflict, got \(String(describing: error))")
                    continue
                }
            }
            #expect(try await start(BrokerID(1)).load().metadata == before)
        }
    }

    @Test func aDeletedTopicIsRememberedUntilItsFilesAreGone() async throws {
        try await Self.withFolder { _, start in
            let store = start(BrokerID(1))
            _ = try await store.load()
            let topic = Self.topic("t")
            _ = try await store.apply(.topicCreated(topic))
            _ = try await store.apply(.topicDeletionBegun(topic.id))
            _ = try await store.apply(.topicCreated(Self.topic("t")))
            let metadata = try await start(BrokerID(1)).load().metadata
            #expect(metadata.deletions[topic.id] == topic)
            #expect(metadata.topics["t"]?.id != topic.id)
            #expect(try await store.apply(.topicDeletionFinished(topic.id)).deletions.isEmpty)
        }
    }

    @Test func damagedMetadataIsSetAsideAndTheClusterKeepsItsName() async throws {
        try await Self.withFolder { folder, start in
            let files = PosixFileSystem()
            let clusterID = try await start(BrokerID(1)).load().metadata.clusterID
            try files.replace(folder.appending("metadata"), with: Array("rubbish".utf8))
            let loaded = try await start(BrokerID(1)).load()
            guard case .rebuilt(let reason) = loaded.origin else {
                Issue.record("expected .rebuilt, got \(loaded.origin)")
                return
            }
            #expect(reason.contains("metadata.damaged-"))
            #expect(loaded.metadata.clusterID == clusterID)
            #expect(try files.list(folder).contains { $0.name.hasPrefix("metadata.damaged-") })
        }
    }

    @Test func aDamagedIdentityIsWrittenAgainFromTheMetadata() async throws {
        try await Self.withFolder { folder, start in
            let clusterID = try await start(BrokerID(1)).load().metadata.clusterID
            try PosixFileSystem().replace(folder.appending("identity"), with: Array("rubbish".utf8))
            #expect(try await start(BrokerID(1)).load().metadata.clusterID == clusterID)
            try PosixFileSystem().unlink(folder.appending("metadata"))
            #expect(try await start(BrokerID(1)).load().metadata.clusterID == clusterID)
        }
    }

    @Test func anotherBrokersFolderIsRefused() async throws {
        try await Self.withFolder { _, start in
            _ = try await start(BrokerID(1)).load()
            let error = await #expect(throws: MetadataStoreError.self) { try await start(BrokerID(2)).load() }
            #expect(error?.message.contains("belongs to broker 1") == true)
        }
    }
}
