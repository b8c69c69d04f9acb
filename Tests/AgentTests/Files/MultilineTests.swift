import Base
import KafkaClient
import NIOCore
import Records
import Settings
import Testing

@testable import Agent

/// Lines that make one record.
@Suite struct MultilineTests {
    private let log = "/log/app.log"

    private func rig(_ multiline: Multiline) -> TailerRig {
        let rig = TailerRig()
        rig.input.multiline = multiline
        return rig
    }

    private func dated() throws -> Multiline { try Multiline(start: "^[0-9]{4}-", timeout: .seconds(1)) }

    @Test func anEventEndsWhereTheNextBegins() throws {
        let rig = rig(try dated())
        try rig.start()
        rig.write("2026-01 a\n  at x\n  at y\n2026-02 b\n2026-03 c\n  at z\n")
        #expect(rig.read(for: .milliseconds(500)) == ["2026-01 a\n  at x\n  at y", "2026-02 b"])
        rig.write("2026-04 d\n")
        #expect(rig.read(for: .milliseconds(500)) == ["2026-03 c\n  at z"])
    }

    @Test func theLastEventWaitsForItsTimeoutAfterTheLastByte() throws {
        let rig = rig(try dated())
        try rig.start()
        rig.write("2026-01 a\n")
        #expect(rig.read(for: .milliseconds(800)) == [])
        rig.write("  at x\n")
        #expect(rig.read(for: .milliseconds(800)) == [])
        rig.write("  at y\n")
        #expect(rig.read(for: .milliseconds(800)) == [])
        #expect(rig.read(for: .milliseconds(400)) == ["2026-01 a\n  at x\n  at y"])
        // What comes later is an event of its own.
        rig.write("  at z\n")
        #expect(rig.read(for: .seconds(2)) == ["  at z"])
    }

    @Test func continuationsBelongToTheLineBefore() throws {
        let rig = rig(try Multiline(continuation: #"^([[:space:]]|\.\.\.)"#))
        try rig.start()
        rig.write("one\n\tat x\n... 3 more\ntwo\nthree\n")
        #expect(rig.read(for: .seconds(2)) == ["one\n\tat x\n... 3 more", "two", "three"])
    }

    @Test func aJavaTraceIsOneRecord() throws {
        let rig = rig(Multiline.Preset.java.multiline)
        try rig.start()
        let trace = """
            2026-11-26 12:00:00 ERROR shop - order 7 failed
            java.lang.IllegalStateException: no stock
            \tat shop.Order.place(Order.java:17)
            \tat shop.Main.main(Main.java:3)
            Caused by: java.io.IOException: gone
            \tat shop.Stock.read(Stock.java:9)
            \t... 2 more
            """
        rig.write("2026-11-26 11:59:59 INFO shop - up\n\(trace)\n2026-11-26 12:00:01 INFO shop - next\n")
        #expect(
            rig.read(for: .seconds(2))
                == ["2026-11-26 11:59:59 INFO shop - up", trace, "2026-11-26 12:00:01 INFO shop - next"])
    }

    @Test func whatAnApplicationSaysToNginxIsOneRecord() throws {
        let rig = rig(Multiline.Preset.nginxError.multiline)
        try rig.start()
        let message = """
            2026/11/26 12:00:00 [error] 7#7: *1 FastCGI sent in stderr: "PHP message: PHP Fatal error: x
            Stack trace:
            #0 {main}" while reading response header
            """
        rig.write("\(message)\n2026/11/26 12:00:01 [notice] 7#7: signal 10 received\n")
        #expect(rig.read(for: .seconds(2)) == [message, "2026/11/26 12:00:01 [notice] 7#7: signal 10 received"])
    }

    @Test func aRestartReadsAnOpenEventAgainAndNothingElse() throws {
        let rig = rig(try dated())
        try rig.start()
        rig.write("2026-01 a\n  at x\n2026-02 b\n  at")
        #expect(rig.read(for: .milliseconds(500)) == ["2026-01 a\n  at x"])
        try rig.restart()
        #expect(rig.read(for: .milliseconds(500)) == [])
        rig.write(" y\n2026-03 c\n")
        #expect(rig.read(for: .seconds(2)) == ["2026-02 b\n  at y", "2026-03 c"])
    }

    /// An event that waits for more comes before the lines of the younger file all the same.
    @Test func aRotationEndsTheEvent() throws {
        let rig = rig(try Multiline(start: "^[0-9]{4}-", timeout: .seconds(600)))
        try rig.start()
        let old = rig.write("2026-01 a\n  at x\n")
        #expect(rig.read(for: .seconds(1)) == [])
        rig.rename(log, to: log + ".1")
        rig.write("2026-02 b\n2026-03 c\n")
        #expect(rig.read(for: .seconds(1)) == ["2026-01 a\n  at x", "2026-02 b"])
        // A slow worker's last words, without their newline, come when nobody waits for more any longer.
        rig.write("2026-01 late\n  unfinished", into: old, log + ".1")
        #expect(rig.read(for: .seconds(60)) == ["2026-01 late", "  unfinished"])
        #expect(rig.gaps == 0)
    }

    @Test func theLastEventOfACompressedFileComesWithItsEnd() throws {
        let rig = rig(try Multiline(start: "^[0-9]{4}-", timeout: .seconds(600)))
        try rig.start()
        rig.write("2026-01 a\n")
        #expect(rig.read(for: .seconds(1)) == [])
        rig.kill()
        rig.write("  at x\n2026-02 b\n  at y\n")
        rig.rename(log, to: log + ".1")
        rig.compress(log + ".1")
        try rig.start()
        #expect(rig.read(for: .seconds(20)) == ["2026-01 a\n  at x", "2026-02 b\n  at y"])
        #expect(rig.gaps == 0)
    }

    @Test func anEventThatWouldBeTooLongIsEndedBeforeTheLineThatMakesItSo() throws {
        let rig = rig(try dated())
        rig.input.lineBytesMax = .kib(10)
        rig.settings.blockBytes = .kib(4)
        try rig.start()
        let frames = (0..<300).map { "  at \($0) " + String(repeating: "x", count: 90) }
        rig.write("2026-01 a\n" + frames.joined(separator: "\n") + "\n2026-02 b\n")
        let records = rig.read(for: .seconds(3))
        #expect(records.joined(separator: "\n") == "2026-01 a\n" + frames.joined(separator: "\n") + "\n2026-02 b")
        #expect(records.count == 4 && records.allSatisfy { $0.utf8.count <= 10 << 10 })
    }

    /// Lines that are too long, and runs of NULs, end an event and are events of their own.
    @Test func oddLinesStandAlone() throws {
        let rig = rig(try dated())
        rig.input.lineBytesMax = .kib(1)
        rig.settings.blockBytes = .kib(4)
        try rig.start()
        let long = "  " + String(repeating: "y", count: 5000)
        rig.write("2026-01 a\n  at x\n\(long)\n  at y\n2026-02 b\n  c\0\0d\n2026-03 e\n")
        #expect(
            rig.read(for: .seconds(3))
                == ["2026-01 a\n  at x", String(long.prefix(1024)), "  at y", "2026-02 b", "  cd", "2026-03 e"])
        #expect(rig.events.count == 2)
    }

    @Test func aBatchHoldsEachEventAsOneRecord() throws {
        let rig = rig(try dated())
        try rig.start()
        let events = (0..<40).map { "2026-\($0) \(String(repeating: "z", count: $0 * 7 % 50))\n  at \($0)" }
        rig.write(events.joined(separator: "\n") + "\n2027-\n")
        _ = rig.tailer.poll(now: rig.time.now)
        var settings = SealSettings()
        settings.codec = .none
        settings.batchBytes = .kib(1)
        let assembler = BatchAssembler(settings: settings)
        let partition = TopicPartition(topic: "t", partition: 0)
        var records: [String] = []
        var counted: UInt64 = 0
        func seal(all: Bool = false) throws {
            while let group = assembler.nextGroup(now: .zero, all: all) {
                let seal = try assembler.seal(group) { _, _ in (.none, 0) }
                counted += seal.counts.reduce(0) { $0 + $1.lines }
                for batch in seal.batches {
                    var all = try RecordBatch(batch.bytes).records(decompressedMax: .mib(1))
                    while let record = try all.next() { records.append(String(buffer: record.value!)) }
                }
            }
        }
        while records.count < events.count {
            switch rig.tailer.poll(now: rig.time.now) {
            case .block(let block):
                var byte = 0
                while byte < block.byteCount {
                    byte = assembler.append(
                        block, from: byte, to: partition, now: .zero, wallTime: Timestamp(milliseconds: 1))
                    // Between two events there is a position.
                    if byte > 0 { _ = block.position(atByte: byte) }
                    if byte < block.byteCount { try seal() }
                }
            case .event: break
            case .idle:
                try seal(all: true)
                guard records.count < events.count else { break }
                rig.pass(.milliseconds(50))
            }
        }
        #expect(records == events)
        #expect(counted == UInt64(events.count))
    }

    private func read(_ multiline: String) -> Result<FileInputSettings, SettingsError> {
        let yaml = "broker: 127.0.0.1:9092\nsources: [{file: {path: /a, topic: t, multiline: \(multiline)}}]"
        do throws(SettingsError) {
            let settings = try AgentSettings(yaml: try YAMLNode.parse(yaml, file: "agent.yaml"), host: "web")
            return .success(settings.files[0])
        } catch { return .failure(error) }
    }

    @Test func theKeyIsRead() throws {
        #expect(try read("{start: '^x', timeout: 3s}").get().multiline == Multiline(start: "^x", timeout: .seconds(3)))
        #expect(try read("{continuation: '^ '}").get().multiline == Multiline(continuation: "^ "))
        #expect(try read("{preset: java}").get().multiline == Multiline.Preset.java.multiline)
        #expect(try read("{preset: nginx_error}").get().multiline == Multiline.Preset.nginxError.multiline)
    }

    @Test(arguments: [
        ("{start: '^(x'}", "is no extended regular expression"), ("{}", "one of start, continuation and preset"),
        ("{start: a, preset: java}", "one of start, continuation and preset"), ("{preset: jave}", "java"),
        ("{start: a, timeout: 1ms}", "expected a duration"), ("{begin: a}", "begin"),
    ])
    func mistakesAreToldWithTheirPlace(multiline: String, message: String) {
        guard case .failure(let error) = read(multiline) else {
            Issue.record("nothing was said")
            return
        }
        #expect("\(error)".hasPrefix("agent.yaml:2:") && "\(error)".contains(message), "\(error)")
    }
}
