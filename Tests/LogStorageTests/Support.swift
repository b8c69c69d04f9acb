import Base
import Foundation
import NIOCore
import Records
import Synchronization
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

let partition = TopicPartition(topic: "t", partition: 0)
let topicID = TopicID(high: 0x1111_2222_3333_4444, low: 0x8555_6666_7777_8888)
/// `./test --full`: many more seeds.
let isFullTest = ProcessInfo.processInfo.environment["MILLRACE_TEST_FULL"] != nil
let noon = Timestamp(milliseconds: 1_700_000_000_000)

/// A batch of records with the given values, as a producer sends it.
func batch(
    _ values: [String], keys: [String?] = [], at time: Timestamp = noon, codec: Codec = .none,
    producer: Int64 = -1, epoch: Int16 = 0, sequence: Int32 = 0
) throws -> ByteBuffer {
    let records = values.enumerated().map { place, value in
        NewRecord(
            timestamp: time + .milliseconds(place), key: place < keys.count ? keys[place].map { Array($0.utf8) } : nil,
            value: Array(value.utf8))
    }
    if producer < 0 { return try RecordBatch.build(records, codec: codec).bytes }
    return try RecordBatch.build(
        records, codec: codec, producerID: ProducerID(producer), producerEpoch: ProducerEpoch(epoch),
        baseSequence: sequence
    ).bytes
}

/// Every record of the bytes, in order.
func records(in bytes: ByteBuffer) throws -> [(offset: Int64, value: String)] {
    var found: [(Int64, String)] = []
    var cursor = RecordBatchCursor(bytes)
    while let batch = try cursor.next() {
        try batch.checkCRC()
        var records = try batch.records(decompressedMax: .mib(16))
        while let record = try records.next() {
            found.append((record.offset.rawValue, String(buffer: record.value ?? ByteBuffer())))
        }
    }
    return found
}

extension PartitionLog {
    @discardableResult
    func add(
        _ values: [String], at time: Timestamp = noon, epoch: Int32 = 0, codec: Codec = .none
    ) throws -> AppendResult {
        try append(
            batch(values, at: time, codec: codec), leaderEpoch: LeaderEpoch(epoch), origin: .client, now: time)
    }

    /// All records from an offset up to the limit, by as many reads as it takes.
    func all(
        from start: Offset? = nil, upTo limit: ReadLimit = .logEnd, bytesMax: ByteCount = .mib(1)
    ) throws -> [(offset: Int64, value: String)] {
        var next = start ?? logStartOffset
        var found: [(offset: Int64, value: String)] = []
        while true {
            let slice = try read(from: next, bytesMax: bytesMax, atLeastOneBatch: true, upTo: limit)
            let bytes = try slice.bytes()
            found += try records(in: bytes).filter { $0.offset >= next.rawValue }
            var end = next
            var cursor = RecordBatchCursor(bytes)
            while let batch = try cursor.next() { end = batch.nextOffset }
            guard end > next else { return found }
            next = end
        }
    }
}

/// A log directory on a simulated disk that can be started again.
final class Machine {
    let time = ManualTime(wallTime: noon)
    let disk: SimulatedFileSystem
    var config = LogConfig()
    var settings = LogDirectorySettings()
    var directory: LogDirectory!
    let facts = Facts()

    final class Facts: Sendable {
        private let heard = Mutex<[LogFact]>([])
        func add(_ fact: LogFact) { heard.withLock { $0.append(fact) } }
        var all: [LogFact] { heard.withLock { $0 } }
        var names: [String] { all.map(\.name) }
        func clear() { heard.withLock { $0 = [] } }
    }

    init(_ durability: Durability = .fsync, segmentBytes: ByteCount = .kib(64)) {
        disk = SimulatedFileSystem(time: time)
        config.durability = durability
        config.segmentBytes = segmentBytes
        config.retentionAge = nil
        settings.reserve = .zero
    }

    @discardableResult
    func start() throws -> Bool {
        let (facts, config) = (facts, config)
        directory = LogDirectory(
            path: "/data", fileSystem: disk, time: time, settings: settings, onFact: { facts.add($0) })
        return try directory.open { _, _ in config }
    }

    /// The one partition, made where it is missing.
    func log() throws -> PartitionLog {
        if directory == nil { try start() }
        if let log = directory.log(for: partition) { return log }
        if let reason = directory.offlinePartitions[partition] { throw LogError(.offline, reason) }
        return try directory.create(topic: partition.topic, id: topicID, partition: 0, config: config)
    }

    func shutDown() throws {
        try directory.shutDown()
        directory = nil
    }

    func crash(_ survival: Survival, seed: UInt64 = 1) {
        var random = SeededRandom(seed: seed)
        disk.crash(using: &random, survival: survival)
        directory = nil
    }

    func kill() {
        disk.processKilled()
        directory = nil
    }

    func files(_ suffix: String) throws -> [FilePath] {
        try disk.allFiles(below: "/data/t-0").filter { $0.string.hasSuffix(suffix) }
    }
}
