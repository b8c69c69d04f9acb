import Base

/// A file that belongs to a source by its name and to no stream by its inode.
struct FoundFile: Hashable, Sendable {
    var location: FileLocation
    var file: FileID
    var size: Int64
    var modified: Timestamp
    /// The configured patterns name it, so it is wanted even where nothing is known of it.
    var isMatch: Bool

    var isCompressed: Bool {
        if case .rotated(let name) = location.age { name.isCompressed } else { location.name.hasSuffix(".gz") }
    }
}

/// What becomes of the found files of one source.
enum HistoryDecision: Hashable, Sendable {
    /// A copy of the stream's content: it goes on there.
    case continues(StreamID, in: FoundFile)
    /// Not seen before: a new stream. They come in the order in which they are to be read.
    case begins(FoundFile)
    /// From before the agent ran.
    case ignored(FoundFile)
}

/// Decides which of a source's files are which, from names, inodes and times. Content is asked for through `isCopy`.
struct SourceHistory {
    struct Stream: Hashable, Sendable {
        var id: StreamID
        /// Nil where no name leads to it.
        var location: FileLocation?
        var modified: Timestamp
        /// It may hold bytes that were not read, and nothing is open to read them from: look for a copy.
        var needsCopy: Bool
    }

    var streams: [Stream]
    var hasHistory: Bool
    var wasScanned: Bool
    var ignored: Set<FileID>
    var newestModified: Timestamp
    /// When the last of the streams was written to whose files are gone; nil where none is.
    var newestGone: Timestamp?

    /// How much of a file has to be as a stream's.
    enum Likeness: Sendable {
        /// Its first bytes.
        case beginning
        /// Those, and the ones before the stream's position.
        case upToPosition
    }

    /// `found` is what has no stream yet. `isCopy` compares contents.
    func resolve(found: [FoundFile], isCopy: (StreamID, FoundFile, Likeness) -> Bool) -> [HistoryDecision] {
        var decisions: [HistoryDecision] = []
        var rest = Self.ordered(found)
        var located = streams.compactMap { stream in stream.location.map { ($0, stream.modified) } }

        // The file under the path first, then the younger copies: a copy that is still being written is rather the younger.
        for stream in streams where stream.location == nil {
            for index in rest.indices.reversed()
            where (stream.needsCopy || rest[index].isMatch) && isCopy(stream.id, rest[index], .upToPosition) {
                decisions.append(.continues(stream.id, in: rest[index]))
                located.append((rest[index].location, stream.modified))
                rest.remove(at: index)
                break
            }
        }

        let compressing = Set(found.map(\.location.name)).union(located.map { $0.0.name })
        for file in rest {
            // While gzip works, both stand there; what it makes is a copy of the other.
            if file.isCompressed, compressing.contains(String(file.location.name.dropLast(3))) { continue }
            if file.isMatch {
                if case .rotated = file.location.age {
                    // A copy that is being made of a file that we read (copytruncate); empty ones come back when they have grown.
                    if file.size == 0 || streams.contains(where: { isCopy($0.id, file, .beginning) }) { continue }
                }
                decisions.append(.begins(file))
            } else if ignored.contains(file.file) {
                continue
            } else if !located.isEmpty {
                // Rotation removes the oldest first: what is left and was written to after a stream that is gone came after it.
                let isNew =
                    located.contains(where: { Self.isOlder($0, than: (file.location, file.modified)) })
                    || newestGone.map { file.modified > $0 } ?? false
                if isNew { decisions.append(.begins(file)) }
            } else if hasHistory {
                if file.modified > newestModified { decisions.append(.begins(file)) }
            } else if wasScanned {
                decisions.append(.begins(file))
            } else {
                decisions.append(.ignored(file))
            }
        }
        return decisions
    }

    /// Older files first.
    static func ordered(_ files: [FoundFile]) -> [FoundFile] {
        files.sorted { isOlder(($0.location, $0.modified), than: ($1.location, $1.modified)) }
    }

    static func isOlder(_ one: (FileLocation, Timestamp), than other: (FileLocation, Timestamp)) -> Bool {
        one.0.isOlder(than: other.0) ?? (one.1 < other.1)
    }
}
