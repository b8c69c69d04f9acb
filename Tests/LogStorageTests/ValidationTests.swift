import Base
import NIOCore
import Records
import TestKit
import Testing

@testable import LogStorage

struct ValidationTests {
    private func refusal(
        _ bytes: ByteBuffer, config: (inout LogConfig) -> Void = { _ in }, now: Timestamp = noon
    ) throws -> AppendError.Code? {
        let machine = Machine(.pageCache)
        config(&machine.config)
        let log = try machine.log()
        do throws(AppendError) {
            _ = try log.append(bytes, leaderEpoch: LeaderEpoch(0), origin: .client, now: now)
            return nil
        } catch {
            #expect(log.logEndOffset == .zero)
            #expect(try log.all().isEmpty)
            return error.code
        }
    }

    @Test func aBatchWithAWrongCRCIsRefused() throws {
        let sound = try batch(["a", "b"])
        for at in BatchLayout.attributes..<sound.readableBytes {
            var bytes = sound
            let old: UInt8 = bytes.getInteger(at: at)!
            bytes.setInteger(old ^ 0x10, at: at)
            #expect(try refusal(bytes) != nil, "byte \(at)")
        }
        var bytes = sound
        bytes.setInteger(UInt8(0x55), at: sound.readableBytes - 1)
        #expect(try refusal(bytes) == .corruptBatch)
    }

    @Test func aBatchCutAtAnyByteIsRefused() throws {
        let sound = try batch(["a", "b"])
        for count in 0..<sound.readableBytes {
            #expect(try refusal(sound.getSlice(at: 0, length: count)!) != nil)
        }
    }

    @Test(arguments: [0, 1, 3, 127] as [Int8]) func otherMagicsAreRefused(magic: Int8) throws {
        var bytes = try batch(["a"])
        bytes.setInteger(magic, at: BatchLayout.magic)
        #expect(try refusal(bytes) == .unsupportedMagic)
    }

    @Test func aFalseLengthIsRefused() throws {
        for length in [Int32.min, -1, 0, 48, 1 << 20, Int32.max] {
            var bytes = try batch(["a"])
            bytes.setInteger(length, at: BatchLayout.batchLength)
            #expect(try refusal(bytes) == .corruptBatch)
        }
    }

    @Test func whatIsLargerThanTheTopicAllowsIsRefused() throws {
        let bytes = try batch([String(repeating: "x", count: 2000)])
        #expect(try refusal(bytes) { $0.batchBytesMax = .bytes(1000) } == .messageTooLarge)
        #expect(try refusal(bytes) { $0.segmentBytes = .bytes(1000) } == .messageTooLarge)
        #expect(try refusal(bytes) == nil)
    }

    @Test func aMiscountedBatchIsRefused() throws {
        let bytes = try RecordBatch.build([NewRecord(timestamp: noon, value: [1])], isControl: true).bytes
        #expect(try refusal(bytes) == .invalidRecord)
    }

    @Test func timesTooFarFromTheClockAreRefused() throws {
        #expect(try refusal(batch(["a"], at: noon + .seconds(3_601))) == .invalidTimestamp)
        #expect(try refusal(batch(["a"], at: noon + .seconds(3_599))) == nil)
        #expect(try refusal(batch(["a"], at: noon + .seconds(-3_601))) == nil)
        #expect(
            try refusal(batch(["a"], at: noon + .seconds(-61))) { $0.timestampBeforeMax = .seconds(60) }
                == .invalidTimestamp)
    }

    @Test func aCompactedTopicWantsKeys() throws {
        let compacted = { (config: inout LogConfig) in config.compacts = true }
        #expect(try refusal(batch(["a", "b"], keys: ["k"], codec: .gzip), config: compacted) == .invalidRecord)
        #expect(try refusal(batch(["a", "b"], keys: ["k", "l"], codec: .gzip), config: compacted) == nil)
    }

    @Test func aFullDiskIsRetriableAndAppendsResume() throws {
        let machine = Machine(.pageCache)
        let log = try machine.log()
        try log.add(["before"])
        machine.disk.diskBytes = machine.disk.usedBytes + .bytes(200)
        #expect { try log.add([String(repeating: "x", count: 500)]) } throws: { error in
            (error as? AppendError)?.code == .noSpace && (error as? AppendError)?.isRetriable == true
        }
        try log.add(["small"])
        machine.disk.diskBytes = nil
        try log.add([String(repeating: "x", count: 500)])
        #expect(try log.all().count == 3)
        machine.kill()
        #expect(try machine.log().all().count == 3)
    }

    @Test func belowTheReserveAppendsAreRefusedWhileReadsGoOn() throws {
        let machine = Machine(.pageCache)
        machine.settings.reserve = .kib(64)
        let log = try machine.log()
        try log.add(["a"])
        machine.disk.diskBytes = machine.disk.usedBytes + .kib(32)
        machine.directory.tick(now: machine.time.now)
        #expect { try log.add(["b"]) } throws: { ($0 as? AppendError)?.code == .noSpace }
        #expect(try log.all().count == 1)
        machine.disk.diskBytes = .mib(10)
        machine.directory.tick(now: machine.time.now)
        try log.add(["b"])
        #expect(machine.facts.names.contains("disk_full") && machine.facts.names.contains("disk_has_room_again"))
    }

    @Test func settingsHaveKafkasNamesAndRanges() throws {
        let config = try LogConfig(topicSettings: [
            "retention.ms": "-1", "segment.bytes": "1048576", "cleanup.policy": "compact,delete",
            "millrace.durability": "page-cache", "compression.type": "producer",
        ])
        #expect(config.retentionAge == nil && config.segmentBytes == .mib(1) && config.compacts && config.deletes)
        #expect(config.durability == .pageCache)
        #expect(config.settings.map(\.name) == LogConfig.settingNames)
        for bad in [
            ("retention.ms", "soon"), ("cleanup.policy", "keep"), ("segment.bytes", "0"), ("retentoin.ms", "1"),
        ] {
            #expect(throws: LogError.self) { try LogConfig(topicSettings: [bad.0: bad.1]) }
        }
        let again = try LogConfig(
            topicSettings: Dictionary(uniqueKeysWithValues: config.settings.map { ($0.name, $0.value) }))
        #expect(again == config)
    }
}
