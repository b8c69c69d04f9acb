import Base

/// Holds the markers of a table against the commits that they counted.
struct MarkerAudit {
    private struct Counted {
        let pipeline: String
        let partition: MarkerMachine.PartitionID
        let to: Offset
        let rows: Int64
    }

    private var folders: [Substring: [Counted]] = [:]
    private var ends: [MarkerMachine.PartitionID: Offset] = [:]

    mutating func add(_ record: CommitRecord) {
        let partition = MarkerMachine.PartitionID(record.chain)
        ends[partition] = max(ends[partition] ?? .zero, record.to)
        for file in record.files {
            guard let slash = file.finalPath.utf8.lastIndex(of: UInt8(ascii: "/")) else { continue }
            folders[file.finalPath[..<slash], default: []].append(
                Counted(pipeline: record.chain.pipeline, partition: partition, to: record.to, rows: file.rows))
        }
    }

    /// Nil where the marker says what the commits say, up to the offsets that it names. Later ones may have added rows: then the next generation is due.
    func problem(_ marker: HourMarker, in folder: String) -> String? {
        guard marker.folder == folder else { return "the marker is that of \(marker.folder); it was moved or copied" }
        var positions: [MarkerMachine.PartitionID: Offset] = [:]
        for position in marker.positions {
            let partition = MarkerMachine.PartitionID(topicID: position.topicID, partition: position.partition)
            positions[partition] = position.to
            let end = ends[partition] ?? .zero
            guard position.to <= end else {
                return
                    "the marker counts \(position.topic)-\(position.partition) up to offset \(position.to), its chain ends at \(end)"
            }
        }
        let counted = (folders[Substring(folder)] ?? []).filter {
            $0.pipeline == marker.pipeline && $0.to <= positions[$0.partition] ?? .zero
        }
        let rows = counted.reduce(0) { $0 + $1.rows }
        guard rows == marker.rows, Int64(counted.count) == marker.files else {
            return
                "the marker says \(marker.rows) rows in \(marker.files) files, the commits that it counts say \(rows) in \(counted.count)"
        }
        return nil
    }
}
