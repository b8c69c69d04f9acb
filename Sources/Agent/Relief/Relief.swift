import Base
import Synchronization

/// What became of the records of a block that weren't shipped as they were.
public struct ReliefCounts: Sendable, Equatable {
    public var dropped = 0
    public var sampled = 0
    public var limited = 0
    public var redacted = 0

    var isZero: Bool { self == ReliefCounts() }
}

/// Leaves records of one source out, and makes parts of them unreadable, before they are in a batch.
///
/// What is left out is not counted among a source's lines: it is not to arrive. Its position moves with the records around it.
final class Relief: Sendable {
    enum Outcome {
        case unchanged
        case changed(LineBlock)
        /// Nothing is left of it.
        case nothing
    }

    private struct State {
        /// SplitMix64.
        var random: UInt64
        var tokens: Double
        var filledAt: Instant?

        mutating func fraction() -> Double {
            random &+= 0x9e37_79b9_7f4a_7c15
            var bits = (random ^ (random >> 30)) &* 0xbf58_476d_1ce4_e5b9
            bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
            return Double((bits ^ (bits >> 31)) >> 11) / Double(UInt64(1) << 53)
        }
    }

    private let settings: ReliefSettings
    private let state: Mutex<State>
    private static let pool = LineBufferPool(bufferBytes: .kib(64), keptMax: 2)

    init(_ settings: ReliefSettings, source: SourceKey) {
        self.settings = settings
        let seed = source.bytes.withUnsafeBytes { StableHash.of($0) }
        state = Mutex(State(random: seed, tokens: Double(settings.rate ?? 0), filledAt: nil))
    }

    func apply(to block: LineBlock, now: Instant) -> (outcome: Outcome, counts: ReliefCounts) {
        var counts = ReliefCounts()
        var kept: [UInt8] = []
        var (recordEnds, sourceEnds): ([Int], [Int]) = ([], [])
        state.withLock { state in
            refill(&state, now)
            block.withBytes { bytes in
                _ = block.forEachRecord { record in
                    let end = record.baseAddress! - bytes.baseAddress! + record.count + 1
                    guard keeps(record, &state, &counts) else {
                        // What is left out moves the end of the record before it.
                        if let last = sourceEnds.indices.last { sourceEnds[last] = end }
                        return true
                    }
                    append(record, to: &kept, &counts)
                    kept.append(0x0A)
                    recordEnds.append(kept.count)
                    sourceEnds.append(end)
                    return true
                }
            }
        }
        if counts.isZero { return (.unchanged, counts) }
        guard !recordEnds.isEmpty else { return (.nothing, counts) }
        let buffer = Self.pool.take(bytes: kept.count)
        kept.withUnsafeBytes { buffer.base.copyMemory(from: $0.baseAddress!, byteCount: kept.count) }
        let changed = LineBlock(
            stream: block.stream, origin: block.origin, buffer: buffer, start: 0, byteCount: kept.count,
            positions: .rewritten(block, ends: sourceEnds), end: block.end, recordEnds: recordEnds)
        return (.changed(changed), counts)
    }

    private func refill(_ state: inout State, _ now: Instant) {
        guard let rate = settings.rate else { return }
        if let filledAt = state.filledAt, now > filledAt {
            let seconds = Double((now - filledAt).nanoseconds) / 1e9
            state.tokens = min(Double(rate), state.tokens + seconds * Double(rate))
        }
        state.filledAt = now
    }

    private func keeps(
        _ record: UnsafeRawBufferPointer, _ state: inout State, _ counts: inout ReliefCounts
    ) -> Bool {
        if settings.drop.contains(where: { $0.matches(record) }) {
            counts.dropped += 1
            return false
        }
        if settings.sample < 1, state.fraction() >= settings.sample {
            counts.sampled += 1
            return false
        }
        guard settings.rate != nil else { return true }
        guard state.tokens >= 1 else {
            counts.limited += 1
            return false
        }
        state.tokens -= 1
        return true
    }

    private func append(
        _ record: UnsafeRawBufferPointer, to kept: inout [UInt8], _ counts: inout ReliefCounts
    ) {
        guard !settings.redactions.isEmpty else { return kept.append(contentsOf: record) }
        var text = Array(record)
        var isRedacted = false
        for redaction in settings.redactions {
            if let redacted = redaction.pattern.replacing(in: text, with: redaction.replacement) {
                text = redacted
                isRedacted = true
            }
        }
        if isRedacted { counts.redacted += 1 }
        kept += text.prefix(max(record.count, SealSettings.lineBytesMax.bytes))
    }
}
