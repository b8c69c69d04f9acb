import Base
import Exports
import KafkaClient
import LogStorage
import NIOCore
import Records
import TestKit

// What must be true at the end.
extension History {
    func check() {
        // Nothing of the table may depend on what no sync confirmed; nor of the log.
        export.disk.crash(using: &world.random, survival: .dropUnsynced)
        do {
            let table = try ExportedTable(broker.partitions, on: export.disk)
            for problem in table.problems { world.violated(problem) }
            for partition in broker.partitions { try compare(table, with: partition) }
            account(for: table)
        } catch { world.violated("the table can't be read: \(error)") }
    }

    /// The table holds each record of the log once, and nothing that was never there.
    private func compare(_ table: ExportedTable, with partition: TopicPartition) throws {
        guard let log = broker.log(for: partition) else { return world.violated("\(partition) is gone") }
        // It waits for a person, and said so.
        if export.stoppedPartitions[partition] != nil { return }
        let rows = table.lines[partition] ?? [:]
        if table.ends[partition] != log.logEndOffset {
            world.violated(
                "\(partition) ends at \(log.logEndOffset), it is exported up to \(table.ends[partition] ?? .none)")
        }
        let lines = try Self.lines(of: log)
        for (offset, line) in lines {
            let found = rows[offset.rawValue] ?? []
            if found != [line] { world.violated("\(partition) offset \(offset) holds '\(line)', the table \(found)") }
        }
        let stored = Set(lines.map(\.offset.rawValue))
        // At page-cache a record may be read, and exported, before a power cut takes it from amid the log.
        let extra = rows.keys.filter { !stored.contains($0) }
        if !extra.isEmpty, mode != .pageCache || extra.contains(where: { $0 >= log.logEndOffset.rawValue }) {
            world.violated("the table holds offsets of \(partition) that the log does not: \(extra.sorted().prefix(5))")
        }
    }

    /// A batch without records stands where recovery found one damaged.
    private static func lines(of log: PartitionLog) throws -> [(offset: Offset, line: String)] {
        var lines: [(Offset, String)] = []
        var next = Offset.zero
        while next < log.highWatermark {
            let bytes = try log.read(from: next, bytesMax: .mib(1), atLeastOneBatch: true, upTo: .highWatermark).bytes()
            var cursor = RecordBatchCursor(bytes)
            while let batch = try cursor.next() {
                var records = try batch.records(decompressedMax: .mib(1))
                while let record = try records.next() {
                    guard record.offset >= next else { continue }
                    lines.append((record.offset, record.value.map { String(buffer: $0) } ?? ""))
                }
                next = max(next, batch.nextOffset)
            }
        }
        return lines
    }

    /// Every line that was written stands once, or was counted.
    private func account(for table: ExportedTable) {
        var found: [String: Int] = [:]
        for rows in table.lines.values {
            for lines in rows.values {
                for line in lines { found[line, default: 0] += 1 }
            }
        }
        // What a stopped export did not take is not lost.
        for partition in export.stoppedPartitions.keys {
            guard let log = broker.log(for: partition), let lines = try? Self.lines(of: log) else { continue }
            for (_, line) in lines where found[line] == nil { found[line] = 1 }
        }
        var missing: [String] = []
        var repeated: [String] = []
        var extra = 0
        for (line, count) in ledger.written {
            let times = found.removeValue(forKey: line) ?? 0
            if times < count { missing.append(line) }
            if times > count, !ledger.mayRepeat.contains(line) {
                repeated.append(line)
                extra += times - count
            }
        }
        if !found.isEmpty { world.violated("lines that nobody wrote: \(found.keys.sorted().prefix(3))") }
        if missing.count > ledger.lost {
            world.violated(
                "\(missing.count) lines are missing, \(ledger.lost) were counted: \(Self.some(missing))")
        }
        let allowed = ledger.ambiguous + (mode == .pageCache ? ledger.sentAgain + ledger.refilled : 0)
        if extra > allowed {
            world.violated("\(extra) lines stand there again, \(allowed) were counted: \(Self.some(repeated))")
        }
        if mode == .own {
            let counted = ledger.ambiguous + ledger.lost + ledger.sentAgain + ledger.staleStates
            if counted > 0 { world.violated("false alarms: \(ledger.notices)") }
        }
    }

    private static func some(_ lines: [String]) -> [String] {
        lines.map { String($0.prefix { $0 != " " }) }.sorted { ($0.count, $0) < ($1.count, $1) }.prefix(8).map(\.self)
    }
}
