import Base
import Settings
import TestKit
import Testing

@testable import Agent

@Suite struct ReliefTests {
    private func settings(_ yaml: String) throws -> ReliefSettings {
        let text = "broker: a:1\nsources:\n  - file: {path: /a, topic: t, relief: \(yaml)}\n"
        let node = try YAMLNode.parse(text, file: "agent.yaml")
        let agent = try AgentSettings(yaml: node, host: "h")
        return try #require(agent.files[0].relief)
    }

    /// Lines of a file as one block.
    private func block(_ lines: [String], _ relief: ReliefSettings) -> LineBlock {
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        let buffer = LineBufferPool().take()
        bytes.withUnsafeBytes { buffer.base.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
        let position = FilePosition(
            path: 1, device: 1, inode: 1, offset: 0, modified: Timestamp(milliseconds: 0), prefix: .empty, tail: .empty)
        return LineBlock(
            stream: StreamID(1), origin: LineOrigin(source: SourceKey("h/a"), topic: "t", relief: relief),
            buffer: buffer, start: 0, byteCount: bytes.count, positions: .file(position))
    }

    private func records(_ block: LineBlock) -> [String] {
        var texts: [String] = []
        _ = block.forEachRecord { record in
            texts.append(String(decoding: record, as: UTF8.self))
            return true
        }
        return texts
    }

    private func apply(_ relief: ReliefSettings, _ lines: [String]) -> (texts: [String], counts: ReliefCounts) {
        let block = block(lines, relief)
        let (outcome, counts) = block.origin.relief!.apply(to: block, now: .zero)
        switch outcome {
        case .unchanged: return (records(block), counts)
        case .changed(let changed): return (records(changed), counts)
        case .nothing: return ([], counts)
        }
    }

    @Test func droppedRecordsAreLeftOutAndCounted() throws {
        let relief = try settings("{drop: ['GET /health', '^#']}")
        let (texts, counts) = apply(relief, ["a", "GET /health x", "", "# b", "c #", ""])
        #expect(texts == ["a", "", "c #", ""])
        #expect(counts == ReliefCounts(dropped: 2))
        #expect(apply(relief, ["a", "b"]).counts.isZero)
        #expect(apply(relief, ["# a"]).texts.isEmpty)
    }

    @Test func whatIsRedactedIsNowhereInTheRecord() throws {
        let relief = try settings("{redact: [{pattern: 'token=[^ &]+', with: 'token=***'}, {pattern: 'x*'}]}")
        let far = String(repeating: "-", count: 5000)
        let (texts, counts) = apply(relief, ["a token=1&b token=22 c", far + "token=3", "xx y", "plain"])
        #expect(texts == ["a token=***&b token=*** c", far + "token=***", "*** y", "plain"])
        #expect(counts == ReliefCounts(redacted: 3))
    }

    @Test func aSampleIsAboutAsLargeAsIsAsked() throws {
        let (texts, counts) = apply(try settings("{sample: 0.25}"), (0..<8000).map { "\($0)" })
        #expect((1800...2200).contains(texts.count))
        #expect(counts.sampled == 8000 - texts.count)
        #expect(apply(try settings("{sample: 0}"), ["a"]).texts.isEmpty)
    }

    @Test func aRateAllowsBurstsAndFillsUpAgain() throws {
        let block = block((0..<100).map { "\($0)" }, try settings("{rate: 10}"))
        let relief = try #require(block.origin.relief)
        func kept(at milliseconds: Int64) -> Int {
            100 - relief.apply(to: block, now: Instant(nanoseconds: milliseconds * 1_000_000)).counts.limited
        }
        #expect(kept(at: 0) == 10)
        #expect(kept(at: 0) == 0)
        #expect(kept(at: 500) == 5)
        #expect(kept(at: 60_000) == 10)
    }

    /// Wherever a batch ends, the position is that behind the record and what was left out after it.
    @Test func positionsAreThoseOfTheFile() throws {
        for seed in UInt64(0)..<200 {
            var random = SeededRandom(seed: seed)
            let lines = (0..<Int.random(in: 1...30, using: &random)).map { number in
                random.oneIn(3) ? "drop" : String(repeating: "k", count: number % 5)
            }
            let block = block(lines, try settings("{drop: [drop]}"))
            let outcome = block.origin.relief!.apply(to: block, now: .zero).outcome
            guard case .changed(let changed) = outcome else { continue }
            var (byte, offset, kept) = (0, 0, 0)
            for (index, line) in lines.enumerated() {
                offset += line.utf8.count + 1
                if line != "drop" {
                    byte += line.utf8.count + 1
                    kept += 1
                }
                let isLastBeforeKept = index + 1 == lines.count || lines[index + 1] != "drop"
                guard isLastBeforeKept, byte > 0 else { continue }
                let position = try #require(FilePosition(changed.position(atByte: byte)))
                #expect(position.offset == Int64(offset), "seed \(seed): \(lines)")
            }
            #expect(records(changed).count == kept)
            #expect(changed.end == block.end)
        }
    }

    @Test func whatIsWrongIsSaid() throws {
        #expect(throws: SettingsError.self) { try settings("{sample: 1.5}") }
        #expect(throws: SettingsError.self) { try settings("{drop: ['(']}") }
        #expect(throws: SettingsError.self) { try settings("{rate: 0}") }
        #expect(throws: SettingsError.self) { try settings("{redact: [{with: x}]}") }
    }
}
