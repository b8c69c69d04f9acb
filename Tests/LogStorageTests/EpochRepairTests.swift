import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// Rot in what no CRC covers: offsets and leader epochs of batches.
struct EpochRepairTests {
    private static let count: Int64 = 14
    private static func epoch(_ offset: Int64) -> Int32 { offset < 6 ? 2 : offset == 6 ? 3 : 5 }

    private func prepared() throws -> Machine {
        let machine = Machine(.fsync, segmentBytes: .bytes(400))
        machine.config.indexInterval = .bytes(100)
        let log = try machine.log()
        for offset in 0..<Self.count {
            try log.add(["value \(offset)"], at: noon + .seconds(offset), epoch: Self.epoch(offset))
        }
        try machine.shutDown()
        return machine
    }

    private func rot(_ machine: Machine, offset: Int64, byte: Int, mask: UInt8) throws {
        for file in try machine.files(".log") {
            try machine.disk.overwrite(file) { bytes in
                var at = 0
                while at < bytes.count, let header = try? bytes[at...].withUnsafeBytes({ try BatchHeader($0) }) {
                    if header.baseOffset == Offset(offset) { return bytes[at + byte] ^= mask }
                    at += header.byteCount
                }
            }
        }
    }

    private func verify(_ machine: Machine) throws -> LogReport {
        try LogVerifier(path: "/data", fileSystem: machine.disk, isInUse: false).run()
    }

    /// What `millrace log repair` does.
    private func repair(_ machine: Machine) throws {
        let (facts, config) = (machine.facts, machine.config)
        facts.clear()
        let directory = LogDirectory(
            path: "/data", fileSystem: machine.disk, time: machine.time, settings: machine.settings,
            onFact: { facts.add($0) })
        try directory.open(checksAll: true) { _, _ in config }
        try directory.shutDown()
    }

    @Test func aRottedLeaderEpochIsMendedAndEveryRecordServed() throws {
        for offset in 0..<Self.count {
            for (byte, mask) in [(12, 0x40), (12, 0x80), (13, 1), (14, 8), (15, 1), (15, 2), (15, 4), (15, 0x10)]
                as [(Int, UInt8)]
            {
                let machine = try prepared()
                try rot(machine, offset: offset, byte: byte, mask: mask)
                #expect(try !verify(machine).isFine)
                try repair(machine)
                let place = "offset \(offset) byte \(byte) ^ \(mask)"
                let report = try verify(machine)
                #expect(report.isFine, "\(place): \(report.findings)")
                let log = try machine.log()
                #expect(try log.all().map(\.value) == (0..<Self.count).map { "value \($0)" }, "\(place)")
                // At the beginning of an epoch, or where one batch is all of it, the file could be what is wrong.
                if ![0, 6, 7, 13].contains(offset), mask >= 8 || byte != 15 {
                    #expect(machine.facts.names.contains("epoch_mended"), "\(place)")
                    for check in 0..<Self.count {
                        #expect(
                            log.state.withLock { $0.epochs.epoch(at: Offset(check)) }?.rawValue == Self.epoch(check))
                    }
                }
            }
        }
    }

    @Test func aSoundLogIsNotTouchedByARepairWhateverItsEpochsFileSays() throws {
        for text in [
            "", "0\n1\n2 0\n", "0\n2\n2 0\n3 6\n", "0\n3\n2 0\n3 6\n5 8\n", "0\n3\n2 0\n4 6\n5 7\n",
            "0\n3\n2 0\n3 5\n5 7\n",
        ] {
            let machine = try prepared()
            let before = try machine.files(".log").map { try machine.disk.contents(of: $0, bytesMax: .mib(1)) }
            let file = try machine.disk.open("/data/t-0/leader-epoch-checkpoint", .create)
            try file.truncate(to: 0)
            try file.write(Array(text.utf8), at: 0)
            // After a crash the file may be older than the log.
            try machine.disk.unlink("/data/.kafka_cleanshutdown")
            try repair(machine)
            #expect(try machine.files(".log").map { try machine.disk.contents(of: $0, bytesMax: .mib(1)) } == before)
            #expect(try verify(machine).isFine)
        }
    }

    @Test func aSearchByTimeAnswersFromNoBatchWhoseHeaderIsWrong() throws {
        for offset in 1..<Self.count - 1 {
            for byte in [7, 15] {
                let machine = try prepared()
                try rot(machine, offset: offset, byte: byte, mask: 0x40)
                try machine.start()
                // The end of the newest segment is looked at by every start, and what is wrong there taken out.
                if machine.facts.names.contains("batches_quarantined") {
                    #expect(offset == Self.count - 2 && byte == 7)
                    continue
                }
                let log = try machine.log()
                for asked in 0..<Self.count {
                    let time = noon + .seconds(asked)
                    do throws(ReadError) {
                        let found = try log.offset(for: .timestamp(time), upTo: .logEnd)
                        #expect(found?.offset == Offset(asked) && asked != offset, "\(asked), \(offset) is wrong")
                    } catch { #expect(error.code == .corrupt, "\(error)") }
                }
                #expect(throws: ReadError.self) {
                    try log.offset(for: .timestamp(noon + .seconds(offset)), upTo: .logEnd)
                }
                // What stands before it is still found.
                #expect(try log.offset(for: .timestamp(noon), upTo: .logEnd)?.offset == .zero)
            }
        }
    }

    @Test func aSearchByTimePassesNothingThatItCannotRead() throws {
        let machine = try prepared()
        try rot(machine, offset: 3, byte: 8, mask: 0x40)
        try machine.start()
        let log = try machine.log()
        #expect { try log.offset(for: .timestamp(noon + .seconds(3)), upTo: .logEnd) } throws: {
            ($0 as? ReadError)?.code == .corrupt
        }
    }
}
