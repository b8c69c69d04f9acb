import Base
import SystemPackage
import TestKit

@testable import Agent

/// Messages of one sender as they stand in records.
final class PlainFormat: SpooledFormat {
    let source: LineOrigin
    init(topic: String) { source = LineOrigin(source: SourceKey("h/syslog"), topic: topic) }
    func append(_ frame: SpoolFormat.Frame, to value: inout [UInt8]) -> Bool {
        value += frame.message
        return true
    }
    func origin(of sender: UnsafeRawBufferPointer) -> LineOrigin { source }
}

extension Spool {
    /// Appends messages as one write.
    func append(texts: [String]) throws(FileError) {
        var frames: [UInt8] = []
        for text in texts {
            Array(text.utf8).withUnsafeBytes { message in
                SpoolFormat.append(
                    received: Timestamp(milliseconds: 1), sender: UnsafeRawBufferPointer(start: nil, count: 0),
                    message: message, marker: marker, to: &frames)
            }
        }
        try append(frames)
    }
}

/// A spool that a simulated agent ships from, and what has to come out of it: what was written before a kill, and what was synced before a power cut.
final class SpooledLines {
    private var spool: Spool?
    private(set) var input: SpooledInput?
    private var next = 0
    /// Written since the last sync; in the order of their numbers.
    private var unsynced: Set<Int> = []
    private var synced: Set<Int> = []
    /// Handed to a write that failed, or lost power: they may come.
    private(set) var uncertain: Set<Int> = []
    let linesMax: Int

    init(linesMax: Int) { self.linesMax = linesMax }

    static func line(_ number: Int) -> String { "spooled#\(number) " + String(repeating: "y", count: number % 60) }

    var certain: Set<String> { Set(synced.union(unsynced).map(Self.line)) }
    var possible: Set<String> { Set(synced.union(unsynced).union(uncertain).map(Self.line)) }
    var isRead: Bool { input?.streamStatuses().allSatisfy { $0.unread == 0 } ?? false }
    var heldBytes: Int64 { spool?.heldBytes ?? 0 }

    func start(
        _ files: SimulatedFileSystem, checkpoints: [StreamCheckpoint], nextStreamID: () -> StreamID
    ) throws -> SpooledInput {
        var settings = SpoolSettings()
        settings.capacity = .kib(16)
        let spool = try Spool(name: "syslog", folder: "/state/spool/syslog", in: files, settings: settings, newID: 7)
        self.spool = spool
        let input = SpooledInput(
            spool: spool, format: PlainFormat(topic: "a"), source: SourceKey("h/syslog"), topic: "a", place: "syslog",
            checkpoints: checkpoints, nextStreamID: nextStreamID)
        self.input = input
        return input
    }

    func grow(_ simulation: Simulation) throws {
        guard let spool else { return }
        if simulation.random.oneIn(6), next < linesMax, spool.roomBytes > 4 << 10 {
            let numbers = next..<next + Int.random(in: 1...20, using: &simulation.random)
            next = numbers.upperBound
            uncertain.formUnion(numbers)
            try spool.append(texts: numbers.map(Self.line))
            uncertain.subtract(numbers)
            unsynced.formUnion(numbers)
        }
        if simulation.random.oneIn(10) {
            try spool.sync()
            synced.formUnion(unsynced)
            unsynced = []
        }
    }

    func died(powerCut: Bool) {
        if powerCut {
            uncertain.formUnion(unsynced)
            unsynced = []
        }
        spool = nil
        input = nil
    }
}
