import Base
import SystemPackage

/// A folder whose files are named again and again: a path is made from text in one step, without taking others apart.
struct Folder: Sendable {
    let path: FilePath
    private let text: String

    init(_ path: FilePath) {
        self.path = path
        text = path.string + "/"
    }

    func file(_ name: String) -> FilePath { FilePath(text + name) }

    /// `<base offset in 20 digits><suffix>`, as Kafka names the files of a segment.
    func segmentFile(_ base: Offset, _ suffix: String) -> FilePath { file(Self.segmentFileName(base, suffix)) }

    static func segmentFileName(_ base: Offset, _ suffix: String) -> String {
        let digits = String(base.rawValue)
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits + suffix
    }

    /// The offsets that files of one kind are named by, ascending.
    static func offsets(_ names: [String], _ suffix: String) -> [Offset] {
        names.compactMap { name in
            guard name.utf8.count == 20 + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
            return Int64(name.dropLast(suffix.utf8.count)).flatMap { $0 < 0 ? nil : Offset($0) }
        }
        .sorted()
    }
}

extension FileSystem {
    /// Replaces a small file whole: temporary file, sync, rename, sync of the folder. After a crash the old or the new stands.
    func replace(_ name: String, in folder: Folder, with bytes: [UInt8]) throws(FileError) {
        let temporary = folder.file(name + ".tmp")
        let file = try open(temporary, .create)
        defer { file.close() }
        try file.truncate(to: 0)
        try file.write(bytes, at: 0)
        try file.sync()
        try rename(temporary, to: folder.file(name))
        try syncDirectory(folder.path)
    }
}
