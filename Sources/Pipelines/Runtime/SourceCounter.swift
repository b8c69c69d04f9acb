import Base
import Exports
import NIOCore
import Records

/// Counts records by source and hour. Neighbours are mostly of one source: only where it changes is anything looked up.
struct SourceCounter {
    private var tally = SourceTally()
    private var key: ByteBuffer?
    private var hour: Int32 = 0
    private var records: Int64 = 0

    mutating func count(_ record: Record) {
        let hour = SourceTally.hour(of: record.timestamp)
        if records == 0 || hour != self.hour || record.key != key {
            flush()
            key = record.key
            self.hour = hour
        }
        records += 1
    }

    /// What was counted since the last call. Lets go of the records' memory.
    mutating func take() -> SourceTally {
        flush()
        key = nil
        defer { tally = SourceTally() }
        return tally
    }

    private mutating func flush() {
        guard records > 0 else { return }
        let source = key.map {
            String(decoding: $0.readableBytesView.prefix(SourceTally.sourceBytesMax + 1), as: UTF8.self)
        }
        tally.add(source ?? SourceTally.others, hour: hour, records: records)
        records = 0
    }
}
