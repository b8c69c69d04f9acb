import Base
import Foundation
import KafkaClient
import NIOCore
import Records
import Testing

@testable import Agent

@Suite(.serialized, .enabled(if: FileManager.default.isExecutableFile(atPath: JournalRig.reader)))
struct JournalSealTests {
    /// One stream feeds many partitions: whatever was sealed when a run ended, the next one goes on right behind it.
    @Test func whatIsSealedIsAPrefixOverAllUnits() throws {
        let rig = try JournalRig()
        let count = 1500
        try rig.write((0..<count).map { .init("m\($0)", unit: "u\($0 * 7 % 5).service", number: $0) })
        var settings = SealSettings()
        settings.codec = .none
        settings.batchBytes = .kib(4)
        var generator = SystemRandomNumberGenerator()
        var sealed: [Int] = []
        var checkpoint: StreamCheckpoint?
        var runs = 0
        while sealed.count < count, runs < 400 {
            runs += 1
            let input = rig.input(rig.settings(), after: checkpoint)
            defer { input.close() }
            let assembler = BatchAssembler(settings: settings)
            var sealsLeft = Int.random(in: 1...8, using: &generator)
            func seal() throws {
                while sealsLeft > 0, let group = assembler.nextGroup(now: .zero) {
                    let result = try assembler.seal(group) { _, _ in (.none, 0) }
                    for batch in result.batches { sealed += try Self.numbers(batch.bytes) }
                    if let last = result.streams.last { checkpoint = last }
                    // Sealed is all before some entry, whatever partitions it went to.
                    #expect(Set(sealed) == Set(0..<sealed.count))
                    sealsLeft -= 1
                }
            }
            let deadline = SystemTime().now + .seconds(5)
            while sealsLeft > 0, sealed.count < count, SystemTime().now < deadline {
                switch input.poll(now: SystemTime().now) {
                case .block(let block):
                    let partition = TopicPartition(
                        topic: block.topic, partition: Murmur2.partition(key: block.source.bytes, count: 3))
                    var byte = 0
                    while byte < block.byteCount, sealsLeft > 0 {
                        byte = assembler.append(
                            block, from: byte, to: partition, now: .zero, wallTime: Timestamp(milliseconds: 1))
                        if byte < block.byteCount { try seal() }
                    }
                case .event(let event): Issue.record("\(event)")
                case .idle:
                    // The end of the journal: the rest is sealed as the linger would.
                    if !assembler.isEmpty, let group = assembler.nextGroup(now: .zero, all: true) {
                        let result = try assembler.seal(group) { _, _ in (.none, 0) }
                        for batch in result.batches { sealed += try Self.numbers(batch.bytes) }
                        if let last = result.streams.last { checkpoint = last }
                    }
                    usleep(500)
                }
            }
        }
        #expect(sealed.count == count)
        #expect(Set(sealed).count == count)
        #expect(runs > 2)
    }

    private static func numbers(_ bytes: ByteBuffer) throws -> [Int] {
        var records = try RecordBatch(bytes).records(decompressedMax: .mib(16))
        var numbers: [Int] = []
        while let record = try records.next() {
            let object = journalObject(String(buffer: record.value!))
            numbers.append(Int((object["MESSAGE"] as? String ?? "").dropFirst()) ?? -1)
        }
        return numbers
    }

    /// An entry that ends every reader is passed over at last, and counted.
    @Test func anEntryThatCrashesEveryReaderIsPassedOver() throws {
        let rig = try JournalRig()
        try rig.write((0..<5).map { .init("m\($0)", number: $0) })
        let script = rig.folder + "/reader"
        try """
        #!/bin/sh
        case "$*" in
          *--pass-over*) exec \(JournalRig.tool) "$@" ;;
          *) kill -BUS $$ ;;
        esac
        """.write(toFile: script, atomically: true, encoding: .utf8)
        chmod(script, 0o755)
        var settings = rig.settings()
        settings.readerCommand = [script]
        var harvest = JournalHarvest()
        let input = rig.input(settings)
        harvest.take(from: input, quietMilliseconds: 2000) { $0.lines.count >= 4 }
        #expect(harvest.messages == ["m1", "m2", "m3", "m4"])
        #expect(harvest.gaps.count == 1 && harvest.gaps[0].hasPrefix("1 entries were passed over"))
        guard case .trouble(_, let detail)? = harvest.events.first else {
            Issue.record("\(harvest.events)")
            return
        }
        #expect(detail.contains("signal 7"))
    }
}
