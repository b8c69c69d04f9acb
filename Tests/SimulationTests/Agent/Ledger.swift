import Base
import KafkaClient

/// What was written, and what the parts said that they could not keep apart or lost. At the end it is held against the exported table.
final class Ledger {
    /// Every line that stands in a source, and how often.
    private(set) var written: [String: Int] = [:]
    /// Records that were sent again because nobody could tell whether they had been appended.
    private(set) var ambiguous = 0
    /// Records that the broker lost and that were sent again: who had read them before reads them twice.
    private(set) var sentAgain = 0
    /// Records that the broker lost before it acknowledged them: at fsync nobody had read them.
    private(set) var refilled = 0
    /// Records that the broker lost and that nobody holds any more.
    private(set) var lost = 0
    /// Loud events of a clone or a restored backup.
    private(set) var staleStates = 0
    /// Lines that a copy of the machine, or an older state of it, may ship again.
    var mayRepeat: Set<String> = []
    private(set) var acknowledged = 0
    private(set) var notices: [String: Int] = [:]

    func wrote(_ line: String) { written[line, default: 0] += 1 }

    func noticed(_ notice: ProducerNotice) {
        switch notice {
        case .acknowledged(_, let records, _): acknowledged += records
        case .ambiguous(_, _, let records, _): ambiguous += records
        case .refilled(_, _, let records): refilled += records
        case .tailLost(_, _, let records): sentAgain += records
        case .acknowledgedLost(_, let records): lost += Int(records)
        case .staleState: staleStates += 1
        case .retrying, .held, .reconciling, .reconciled, .topicRecreated, .producerIDChanged, .producerIDUnavailable,
            .intentUnreadable, .divided, .setAside, .indivisible:
            break
        }
        notices[Self.name(notice), default: 0] += 1
    }

    private static func name(_ notice: ProducerNotice) -> String {
        String("\(notice)".prefix { $0 != "(" })
    }
}
