import Base

/// A file that belongs to a source by its name, as one look at its folder found it.
struct FoundFile: Hashable, Sendable {
    var location: FileLocation
    var file: FileID
    var size: Int64
    var modified: Timestamp
    /// The configured patterns name it, so it is wanted even where nothing is known of it.
    var isMatch: Bool

    /// What it is known by once it was passed over: an inode alone may be used again.
    var trace: Trace { Trace(file: file, size: size, modified: modified) }

    struct Trace: Hashable, Sendable {
        var file: FileID
        var size: Int64
        var modified: Timestamp
    }

    /// Where the names don't tell, the one that was written to last is the younger.
    func isOlder(than other: FoundFile) -> Bool {
        if let byName = location.isOlder(than: other.location) { return byName }
        if modified != other.modified { return modified < other.modified }
        return file.wasMadeBefore(other.file) ?? (file.inode < other.file.inode)
    }
}
