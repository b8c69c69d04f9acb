import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// What a `read_committed` client keeps of the bytes, as Kafka's consumer does it.
func committed(in slice: LogSlice, from offset: Offset) throws -> [(offset: Int64, value: String)] {
    var aborted = slice.abortedTransactions.sorted { $0.firstOffset < $1.firstOffset }[...]
    var hidden: Set<ProducerID> = []
    var found: [(offset: Int64, value: String)] = []
    var cursor = RecordBatchCursor(try slice.bytes())
    while let batch = try cursor.next() {
        while let next = aborted.first, next.firstOffset <= batch.lastOffset {
            hidden.insert(next.producerID)
            aborted.removeFirst()
        }
        if batch.isControl {
            if let marker = TransactionMarker(batch), !marker.commits { hidden.remove(batch.producerID) }
            continue
        }
        if batch.isTransactional, hidden.contains(batch.producerID) { continue }
        found += try records(in: batch.bytes).filter { $0.offset >= offset.rawValue }
    }
    return found
}

extension PartitionLog {
    @discardableResult
    func addTransactional(
        _ values: [String], producer: Int64, epoch: Int16 = 0, sequence: Int32, at time: Timestamp = noon,
        keys: [String] = []
    ) throws -> AppendResult {
        let records = values.enumerated().map { place, value in
            NewRecord(
                timestamp: time, key: place < keys.count ? Array(keys[place].utf8) : nil, value: Array(value.utf8))
        }
        let batch = try RecordBatch.build(
            records, producerID: ProducerID(producer), producerEpoch: ProducerEpoch(epoch), baseSequence: sequence,
            isTransactional: true)
        return try append(batch.bytes, leaderEpoch: LeaderEpoch(0), origin: .client, now: time)
    }

    @discardableResult
    func end(
        _ producer: Int64, commits: Bool, epoch: Int16 = 0, coordinatorEpoch: Int32 = 0, at time: Timestamp = noon
    ) throws -> AppendResult {
        let marker = try TransactionMarker(commits: commits, coordinatorEpoch: coordinatorEpoch)
            .batch(producerID: ProducerID(producer), epoch: ProducerEpoch(epoch), at: time)
        return try append(marker.bytes, leaderEpoch: LeaderEpoch(0), origin: .coordinator, now: time)
    }

    func committedValues() throws -> [String] {
        var next = logStartOffset
        var values: [String] = []
        while true {
            let slice = try read(from: next, bytesMax: .mib(1), atLeastOneBatch: true, upTo: .lastStableOffset)
            values += try committed(in: slice, from: next).map(\.value)
            var cursor = RecordBatchCursor(try slice.bytes())
            let before = next
            while let batch = try cursor.next() { next = batch.nextOffset }
            if next == before { return values }
        }
    }
}

struct TransactionTests {
    @Test func theLastStableOffsetStandsAtTheOldestOpenTransaction() throws {
        let machine = Machine(.pageCache)
        let log = try machine.log()
        try log.add(["plain"])
        try log.addTransactional(["a"], producer: 1, sequence: 0)
        try log.addTransactional(["b"], producer: 2, sequence: 0)
        #expect(log.lastStableOffset == Offset(1) && log.highWatermark == Offset(3))
        try log.end(1, commits: true)
        #expect(log.lastStableOffset == Offset(2))
        #expect(try log.offset(for: .latest, upTo: .lastStableOffset)?.offset == Offset(2))
        #expect(try log.offset(for: .latest)?.offset == Offset(4))
        try log.end(2, commits: false)
        #expect(log.lastStableOffset == Offset(5))
        #expect(try log.committedValues() == ["plain", "a"])
    }

    @Test func aTransactionIsUndecidedUntilItsMarkerIsVisible() throws {
        let machine = Machine(.fsync)
        let log = try machine.log()
        try log.addTransactional(["a"], producer: 1, sequence: 0)
        _ = try log.flush()
        try log.end(1, commits: true)
        #expect(log.highWatermark == Offset(1) && log.lastStableOffset == .zero)
        _ = try log.flush()
        #expect(log.lastStableOffset == Offset(2))
    }

    @Test func aMarkerFencesOlderEpochsAndCoordinators() throws {
        let log = try Machine(.pageCache).log()
        try log.addTransactional(["a"], producer: 1, epoch: 3, sequence: 0)
        #expect(throws: AppendError.self) { try log.end(1, commits: true, epoch: 2) }
        try log.end(1, commits: false, epoch: 4, coordinatorEpoch: 7)
        do {
            try log.end(1, commits: true, epoch: 4, coordinatorEpoch: 6)
            Issue.record("an older coordinator wrote a marker")
        } catch let error as AppendError { #expect(error.code == .coordinatorFenced) }
        // The marker's epoch is the producer's from now on.
        do {
            try log.addTransactional(["late"], producer: 1, epoch: 3, sequence: 1)
            Issue.record("a fenced producer wrote")
        } catch let error as AppendError { #expect(error.code == .invalidProducerEpoch) }
        try log.addTransactional(["b"], producer: 1, epoch: 4, sequence: 0)
        do {
            _ = try log.append(
                batch(["outside"], producer: 1, epoch: 4, sequence: 1), leaderEpoch: LeaderEpoch(0), origin: .client,
                now: noon)
            Issue.record("a batch outside the open transaction was taken")
        } catch let error as AppendError { #expect(error.code == .invalidTxnState) }
        let summary = try #require(log.producers().first)
        #expect(summary.transactionStart == Offset(2) && summary.coordinatorEpoch == 7)
    }

    @Test(arguments: [true, false]) func openAndAbortedTransactionsSurviveARestart(isClean: Bool) throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(400))
        var log = try machine.log()
        try log.addTransactional(["open"], producer: 9, sequence: 0)
        for number in 0..<12 {
            try log.addTransactional(["\(number)"], producer: 1, sequence: Int32(number))
            try log.end(1, commits: number % 2 == 0)
        }
        _ = try log.flush()
        if isClean { try machine.shutDown() } else { machine.crash(.torn, seed: 3) }
        log = try machine.log()
        #expect(log.segmentCount > 3)
        #expect(log.lastStableOffset == .zero)
        try log.end(9, commits: true)
        _ = try log.flush()
        #expect(try log.committedValues() == ["open", "0", "2", "4", "6", "8", "10"])
    }

    @Test func aProducerWithAnOpenTransactionIsNotForgotten() throws {
        let machine = Machine(.pageCache)
        machine.settings.producersMax = 16
        let log = try machine.log()
        try log.addTransactional(["open"], producer: 1, sequence: 0)
        for other in 2...60 as ClosedRange<Int64> {
            _ = try log.append(
                batch(["x"], at: noon, producer: other, sequence: 0), leaderEpoch: LeaderEpoch(0), origin: .client,
                now: noon + .milliseconds(Int(other)))
        }
        #expect(log.lastStableOffset == .zero)
        #expect(log.producers().contains { $0.producerID == ProducerID(1) })
    }

    /// Whatever becomes of the file: what a reader is told is right, and `verify` says what was wrong.
    @Test func aDamagedTxnIndexIsFoundAndBuiltAnew() throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(500))
        let log = try machine.log()
        for number in 0..<14 {
            let producer = Int64(number % 3)
            try log.addTransactional(["\(number)"], producer: producer, sequence: Int32(number / 3))
            try log.end(producer, commits: number % 3 == 1)
        }
        let expected = try {
            _ = try log.flush()
            return try log.committedValues()
        }()
        try machine.shutDown()
        let indexes = try machine.files(".txnindex")
        #expect(indexes.count > 2)
        let image = try machine.disk.allFiles(below: "/data").map {
            ($0, try machine.disk.contents(of: $0, bytesMax: .mib(1)) ?? [])
        }
        func start(_ change: (Machine) throws -> Void) throws -> Machine {
            let copy = Machine(.fsync, segmentBytes: .bytes(500))
            try copy.disk.createDirectory("/data/t-0")
            for (path, bytes) in image {
                let file = try copy.disk.open(path, .create)
                try file.write(bytes, at: 0)
                try file.sync()
            }
            try change(copy)
            return copy
        }
        for path in indexes {
            let size = image.first { $0.0 == path }!.1.count
            for place in 0..<size {
                let copy = try start { copy in
                    let file = try copy.disk.open(path, .readWrite)
                    let byte = image.first { $0.0 == path }!.1[place]
                    try file.write([byte ^ UInt8(1 << (place % 8))], at: Int64(place))
                    let report = try LogVerifier(path: "/data", fileSystem: copy.disk, isInUse: false).run()
                    #expect(report.findings.contains { $0.path == path }, "\(path) \(place)")
                }
                #expect(try copy.log().committedValues() == expected, "\(path) \(place)")
            }
            let gone = try start { try $0.disk.unlink(path) }
            #expect(try gone.log().committedValues() == expected)
            let cut = try start { try $0.disk.open(path, .readWrite).truncate(to: Int64(size - 34)) }
            #expect(try cut.log().committedValues() == expected)
            try cut.shutDown()
            let report = try LogVerifier(path: "/data", fileSystem: cut.disk, isInUse: false).run()
            #expect(report.isFine, "\(report.findings)")
        }
    }

    @Test func dumpTellsMarkersAndAbortedTransactions() throws {
        let machine = Machine(.fsync)
        let log = try machine.log()
        try log.addTransactional(["a"], producer: 5, sequence: 0)
        try log.end(5, commits: false, coordinatorEpoch: 2)
        try machine.shutDown()
        let dump = LogDump(fileSystem: machine.disk, showsRecords: true)
        var told: [DumpEntry] = []
        for path in try dump.files(at: "/data/t-0") { try dump.each(in: path) { told.append($0) } }
        let aborted = try #require(told.first { $0.kind == "aborted_transaction" })
        #expect(aborted.fields.map(\.value) == [.int(5), .int(0), .int(1), .int(2)])
        let marker = try #require(told.first { $0.kind == "marker" })
        #expect(marker.fields.map(\.value) == [.int(1), .int(5), .text("abort"), .int(2)])
    }

    @Test func compactionDropsAbortedRecordsAndKeepsWhatTheyHid() throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(300))
        machine.config.compacts = true
        machine.config.deletes = false
        machine.config.dirtyRatioMin = 0
        machine.config.tombstoneRetention = .zero
        let log = try machine.log()
        let time = machine.time.wallTime
        try log.addTransactional(["right"], producer: 1, sequence: 0, at: time, keys: ["k"])
        try log.end(1, commits: true, at: time)
        try log.addTransactional(["wrong"], producer: 1, sequence: 1, at: time, keys: ["k"])
        try log.end(1, commits: false, at: time)
        for number in 0..<8 {
            try log.addTransactional(["\(number)"], producer: 2, sequence: Int32(number), at: time, keys: ["other"])
            try log.end(2, commits: true, at: time)
        }
        _ = try log.flush()
        for _ in 0..<3 {
            machine.time.advance(by: .seconds(100))
            machine.directory.tick(now: machine.time.now)
            try log.addTransactional(
                ["last"], producer: 3,
                sequence: log.producers().first { $0.producerID.rawValue == 3 }.map { $0.lastSequence + 1 } ?? 0,
                at: machine.time.wallTime, keys: ["z"])
            try log.end(3, commits: true, at: machine.time.wallTime)
            _ = try log.flush()
        }
        let values = try log.committedValues()
        #expect(values.first == "right" && !values.contains("wrong"))
        #expect(values.filter { Int($0) != nil } == ["7"])
        #expect(log.lastStableOffset == log.highWatermark)
        machine.crash(.dropUnsynced, seed: 1)
        #expect(try machine.log().committedValues() == values)
        #expect(try machine.log().lastStableOffset == machine.log().highWatermark)
    }
}
